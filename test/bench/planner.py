#!/usr/bin/env python3
"""Does the planner choose the plan that is fastest?

A grid of queries: how many of the rows a condition leaves, and of which kind it
is, LIMIT, rows, dimensions.  Each is timed by the plan that the planner chooses
and by those it can be forced to take; the table tells by what factor the chosen
one is slower than the fastest.  Connects as the PG* environment says.
README.md, "Plans", tells more.
"""

import argparse
import collections
import io
import json
import os
import statistics
import struct
import sys

import numpy
import psycopg2

LATENT = 24
SHARES = (1, .2, .05, .01, .001, 0)
LIMITS = (1, 10, 100, None)

# A column of this many equal values for each share.
VALUES = {1: 1, .2: 5, .05: 20, .01: 100, .001: 1000, 0: 1000}


# Conditions by kind; the share of rows they leave is that of the grid.
def equality(share, _):
    value = -1 if share == 0 else 0
    return f't.of_{VALUES[share]} = {value}'


def in_range(share, _):
    return f't.by_chance < {share}'


def correlated(share, _):
    return f't.by_place < {share}'


def opaque(share, _):
    return f'planner_opaque(t.by_chance, {share})'


def exists(share, _):
    return ('EXISTS (SELECT FROM planner_groups g WHERE g.id = t.of_1000 '
            f'AND g.place < {share * 1000:.0f})')


def distance(share, query):
    return f"t.v <-> {query.literal} < {query.radius(share)!r}"


KINDS = {'equality': equality, 'range': in_range, 'correlated': correlated,
         'opaque': opaque, 'exists': exists, 'distance': distance}

# What a plan is forced with: the index on vectors is there, or it is not.
FORCED = {
    'diskann': (True, 'enable_seqscan enable_bitmapscan enable_sort'),
    'seqscan': (False, 'enable_indexscan enable_bitmapscan '
                       'enable_indexonlyscan'),
    'bitmap': (False, 'enable_seqscan enable_indexscan enable_indexonlyscan'),
    'btree': (False, 'enable_seqscan enable_bitmapscan'),
    'free': (False, ''),
}

Plan = collections.namedtuple('Plan', 'shape total_cost')


class Query:
    """A vector to search for, and how far the rows are from it."""

    def __init__(self, vector, vectors):
        self.literal = "'{%s}'::real[]" % ','.join(f'{x:.6g}' for x in vector)
        parts = [((part - vector) ** 2).sum(1)
                 for part in numpy.array_split(vectors, 20)]
        self.distances = numpy.sort(numpy.sqrt(numpy.concatenate(parts)))

    def radius(self, share):
        """Within which this share of the rows is."""
        n = int(share * len(self.distances))
        if n == 0:
            return float(self.distances[0]) / 2
        return float(self.distances[n - 1]) * 1.0001


class Rows:
    """Vectors of few degrees of freedom with noise, and columns to filter by."""

    def __init__(self, count, dims, queries, seed):
        random = numpy.random.default_rng(seed)
        basis = random.standard_normal((LATENT, dims)).astype('f4')
        latent = random.standard_normal((count + queries, LATENT)).astype('f4')
        vectors = latent @ basis
        vectors += random.standard_normal(vectors.shape, 'f4')
        self.vectors = vectors[queries:]
        self.queries = [Query(v, self.vectors) for v in vectors[:queries]]
        self.place = latent[queries:, 0].argsort().argsort() / count
        self.chance = random.permutation(count) / count
        self.numbers = random.permutation(count)

    def binary(self):
        """All columns in COPY's binary format."""
        count, dims = self.vectors.shape
        element = numpy.dtype([('bytes', '>i4'), ('x', '>f4')])
        columns = [('id', '>i4'), *((f'of_{n}', '>i4')
                                    for n in sorted(set(VALUES.values()))),
                   ('by_chance', '>f8'), ('by_place', '>f8')]
        types = [('fields', '>i2')]
        for name, kind in columns:
            types += [(name + '_bytes', '>i4'), (name, kind)]
        types += [('v_bytes', '>i4'), ('ndim', '>i4'), ('nulls', '>i4'),
                  ('type', '>i4'), ('dims', '>i4'), ('lower', '>i4'),
                  ('elements', element, (dims,))]
        for start in range(0, count, 10000):
            some = slice(start, min(start + 10000, count))
            rows = numpy.zeros(some.stop - some.start, types)
            rows['fields'] = len(columns) + 1
            for name, kind in columns:
                rows[name + '_bytes'] = int(kind[-1])
            rows['id'] = numpy.arange(some.start, some.stop)
            for n in set(VALUES.values()):
                rows[f'of_{n}'] = self.numbers[some] % n
            rows['by_chance'] = self.chance[some]
            rows['by_place'] = self.place[some]
            rows['v_bytes'] = 20 + 8 * dims
            rows['ndim'], rows['type'] = 1, 700
            rows['dims'], rows['lower'] = dims, 1
            rows['elements']['bytes'] = 4
            rows['elements']['x'] = self.vectors[some]
            yield rows.tobytes()


class Server:
    def __init__(self, options):
        self.options = options
        self.connection = psycopg2.connect('')
        self.connection.autocommit = True
        self.cursor = self.connection.cursor()
        self.run('SET client_min_messages = warning')
        self.run('CREATE EXTENSION IF NOT EXISTS diskann')
        self.run(f'SET max_parallel_workers_per_gather = {options.workers}')
        self.run('SET jit = off')
        if not options.no_pin:
            self.pin()

    def pin(self):
        """This process and the server's share a processor."""
        processor = {max(os.sched_getaffinity(0))}
        try:
            os.sched_setaffinity(self.connection.get_backend_pid(), processor)
            os.sched_setaffinity(0, processor)
        except OSError as error:
            print(f'! not pinned: {error}')

    def run(self, sql):
        self.cursor.execute(sql)

    def explain(self, options, sql):
        self.run(f'EXPLAIN (FORMAT JSON, {options}) {sql}')
        return self.cursor.fetchone()[0][0]

    def load(self, rows):
        """The table planner_rows, its indexes, and what conditions need."""
        self.run('DROP TABLE IF EXISTS planner_rows, planner_groups')
        numbered = ', '.join(f'of_{n} int' for n in sorted(set(VALUES.values())))
        self.run(f'CREATE TABLE planner_rows (id int, {numbered}, '
                 'by_chance float8, by_place float8, v real[])')
        data = io.BytesIO(b'PGCOPY\n\xff\r\n\0' + struct.pack('>ii', 0, 0)
                          + b''.join(rows.binary()) + struct.pack('>h', -1))
        self.cursor.copy_expert(
            'COPY planner_rows FROM STDIN (FORMAT binary)', data)
        for column in ('id', 'by_chance', 'by_place',
                       *(f'of_{n}' for n in set(VALUES.values()))):
            self.run(f'CREATE INDEX ON planner_rows ({column})')
        self.run('CREATE INDEX planner_v ON planner_rows USING diskann (v) '
                 + self.options.index)
        self.run('CREATE TABLE planner_groups AS SELECT i AS id, '
                 '(i * 577) % 1000 AS place FROM generate_series(0, 999) i')
        self.run('CREATE UNIQUE INDEX ON planner_groups (id)')
        self.run('CREATE OR REPLACE FUNCTION planner_opaque(x float8, '
                 'share float8) RETURNS boolean LANGUAGE plpgsql IMMUTABLE '
                 'AS $$BEGIN RETURN x < share; END$$')
        self.run('VACUUM (ANALYZE) planner_rows, planner_groups')
        self.run('CHECKPOINT')

    def shape(self, sql):
        """Node types and indexes of the plan, top first."""
        plan = self.explain('COSTS', sql)['Plan']
        nodes = []

        def walk(node):
            nodes.append(node['Node Type'] + node.get('Index Name', ''))
            for child in node.get('Plans', ()):
                walk(child)

        walk(plan)
        return Plan(tuple(nodes), plan['Total Cost'])

    def processor_ms(self):
        """What the server's process has used; 0 if it cannot be known."""
        try:
            with open(f'/proc/{self.connection.get_backend_pid()}/schedstat',
                      encoding='ascii') as file:
                return int(file.read().split()[0]) / 1e6
        except OSError:
            return 0

    def run_once(self, sql):
        """Milliseconds: of the execution, or of the processor for all of the
        statement if that is less, as where other processes have their turns."""
        before = self.processor_ms()
        ms = self.explain('ANALYZE, TIMING OFF', sql)['Execution Time']
        used = self.processor_ms() - before
        return min(ms, used) if used > 0 else ms

    def time(self, sql):
        """The median of a few runs after one to warm up."""
        first = self.run_once(sql)
        runs = 5 if first < 20 else 3 if first < 500 else 1
        return statistics.median(self.run_once(sql) for _ in range(runs))


class Case:
    """A query of the grid with one of the vectors."""

    def __init__(self, kind, share, limit, query):
        where = '' if share == 1 and kind != 'distance' and kind != 'opaque' \
            else 'WHERE ' + KINDS[kind](share, query)
        self.sql = (f'SELECT t.id FROM planner_rows t {where} '
                    f'ORDER BY t.v <-> {query.literal}')
        if limit:
            self.sql += f' LIMIT {limit}'


def measure(server, case):
    """Times by the name of a forced plan, and the name of the chosen one."""
    chosen = server.shape(case.sql)
    shapes, times, costs = {}, {}, {}
    for name, (with_index, settings) in FORCED.items():
        server.run('BEGIN')
        if not with_index:
            server.run('DROP INDEX planner_v')
        for setting in settings.split():
            server.run(f'SET LOCAL {setting} = off')
        plan = server.shape(case.sql)
        if plan.shape not in shapes.values() and \
                (not with_index or 'Index Scanplanner_v' in plan.shape):
            shapes[name], costs[name] = plan.shape, plan.total_cost
            times[name] = server.time(case.sql)
        server.run('ROLLBACK')
    for name, shape in shapes.items():
        if shape == chosen.shape:
            break
    else:
        name = 'other'
        times[name] = server.time(case.sql)
        shapes[name] = chosen.shape
    costs[name] = chosen.total_cost
    return {'times': times, 'chosen': name, 'costs': costs,
            'shapes': {name: ' > '.join(s) for name, s in shapes.items()}}


def merged(results):
    """Of several vectors: the sum of their times, the most frequent plan."""
    names = [name for name in results[0]['times']
             if all(name in r['times'] for r in results)]
    times = {name: sum(r['times'][name] for r in results) / len(results)
             for name in names}
    spent = sum(r['times'][r['chosen']] for r in results)
    best = sum(min(r['times'].values()) for r in results)
    chosen = statistics.mode(r['chosen'] for r in results)
    return times, chosen, spent / best


def show(line, times, chosen, factor):
    plans = '  '.join(f'{name} {ms:.3g}' for name, ms
                      in sorted(times.items(), key=lambda item: item[1]))
    print(f'{line}  {chosen:8} {factor:6.2f}{"  *" if factor > 2 else "   "}'
          f'  {plans}', flush=True)


def grid(options, rows, dims):
    server = Server(options)
    made = Rows(rows, dims, options.queries, options.seed)
    server.load(made)
    factors = []
    for kind in options.kinds:
        for share in SHARES:
            # Without a condition all kinds are one.
            if share == 1 and kind in ('range', 'correlated', 'exists'):
                continue
            for limit in LIMITS:
                results = [measure(server, Case(kind, share, limit, query))
                           for query in made.queries]
                times, chosen, factor = merged(results)
                factors.append(factor)
                show(f'{rows:8} {dims:5}  {kind:10} {share * 100:6.4g} '
                     f'{limit or "none":>5}', times, chosen, factor)
                if options.out:
                    record = {'rows': rows, 'dims': dims, 'kind': kind,
                              'share': share, 'limit': limit,
                              'factor': factor, 'results': results}
                    with open(options.out, 'a', encoding='utf-8') as file:
                        print(json.dumps(record), file=file)
    server.run('DROP TABLE planner_rows, planner_groups')
    return factors


def summary(label, factors):
    good = sum(f <= 2 for f in factors)
    print(f'{label}: {good} of {len(factors)} queries within twice the time of '
          f'the best plan ({100 * good / len(factors):.1f} %), worst '
          f'{max(factors):.1f}', flush=True)


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rows', default='2000,30000')
    parser.add_argument('--dims', default='128,1536')
    parser.add_argument('--kinds', default=','.join(KINDS))
    parser.add_argument('--queries', type=int, default=2,
                        help='vectors to search for in each case')
    parser.add_argument('--index', default='', help='WITH (...)')
    parser.add_argument('--workers', type=int, default=0,
                        help='max_parallel_workers_per_gather')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--no-pin', action='store_true')
    parser.add_argument('--out', help='file to append all figures to')
    options = parser.parse_args()
    options.kinds = options.kinds.split(',')
    return options


def main():
    options = parse()
    print('    rows  dims  condition   % left limit  chosen   factor'
          '     ms of each plan, best first')
    everything = []
    for rows in map(int, options.rows.split(',')):
        for dims in map(int, options.dims.split(',')):
            factors = grid(options, rows, dims)
            summary(f'{rows} rows of {dims} dimensions', factors)
            everything += factors
    summary('all', everything)
    return 0


if __name__ == '__main__':
    sys.exit(main())
