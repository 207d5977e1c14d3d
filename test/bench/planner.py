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
import json
import os
import statistics
import sys

import numpy

import binary
from session import Session

LATENT = 24
SHARES = (1, .2, .05, .01, .001, 0)
LIMITS = (1, 10, 100, None)

# A column of this many equal values for each share.
VALUES = {1: 1, .2: 5, .05: 20, .01: 100, .001: 1000, 0: 1000}
NUMBERS = sorted(set(VALUES.values()))


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


def in_list(share, _):
    values = range(-1, max(1, round(share * 1000)) - 1) if share == 0 else \
        range(round(share * 1000))
    return f't.of_1000 IN (-2, {", ".join(map(str, values))})'


def both(share, query):
    """A condition that a filter column decides, and one that none can."""
    return f'{equality(share, query)} AND {opaque(.5, query)}'


def distance(share, query):
    return f"t.v <-> {query.literal} < {query.radius(share)!r}"


def likeness(share, query):
    return f"2 - (t.v <-> {query.literal}) > {2 - query.radius(share)!r}"


KINDS = {'equality': equality, 'range': in_range, 'list': in_list,
         'correlated': correlated, 'opaque': opaque, 'both': both,
         'exists': exists, 'distance': distance, 'likeness': likeness}

# Those that hold for all rows if this share is to be left.
SAME_AS_NONE = ('range', 'list', 'correlated', 'exists', 'likeness')

# The indexes on vectors.
INDEXES = {
    'plain': '(v)',
    'filter': f'(v, {", ".join(f"of_{n}" for n in NUMBERS)}, by_chance, '
              'by_place)',
    'partial': '(v)'}
PREDICATE = 'of_20 = 0'

# What a plan is forced with: one of these indexes or none, and settings.
FORCED = {
    'plain': ('plain', 'enable_seqscan enable_bitmapscan enable_sort'),
    'filter': ('filter', 'enable_seqscan enable_bitmapscan enable_sort'),
    'partial': ('partial', 'enable_seqscan enable_bitmapscan enable_sort'),
    'seqscan': (None, 'enable_indexscan enable_bitmapscan '
                      'enable_indexonlyscan'),
    'bitmap': (None, 'enable_seqscan enable_indexscan enable_indexonlyscan'),
    'btree': (None, 'enable_seqscan enable_bitmapscan'),
    'free': (None, ''),
}

# The planner chooses with some of them, and with all.
SCENES = {'without filter columns': ('plain', 'partial'),
          'with filter columns': tuple(INDEXES)}

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

    def columns(self):
        """All columns, with their types, in the table's order."""
        return [('int', numpy.arange(len(self.vectors))),
                *(('int', self.numbers % n) for n in NUMBERS),
                ('float8', self.chance), ('float8', self.place),
                ('real[]', self.vectors)]


class Server(Session):
    def __init__(self, options):
        super().__init__()
        self.options = options
        self.run('CREATE EXTENSION IF NOT EXISTS diskann')
        self.run(f'SET max_parallel_workers_per_gather = {options.workers}')
        self.run('SET jit = off')
        if not options.no_pin:
            self.pin()

    def pin(self):
        """This process and the server's share a processor."""
        processor = {max(os.sched_getaffinity(0))}
        try:
            os.sched_setaffinity(self.pid, processor)
            os.sched_setaffinity(0, processor)
        except OSError as error:
            print(f'! not pinned: {error}')

    def explain(self, options, sql):
        self.run(f'EXPLAIN (FORMAT JSON, {options}) {sql}')
        return self.cursor.fetchone()[0][0]

    def load(self, rows):
        """The table planner_rows, its indexes, and what conditions need."""
        if self.options.keep and self.has(rows):
            return
        self.run('DROP TABLE IF EXISTS planner_rows, planner_groups')
        numbered = ', '.join(f'of_{n} int' for n in NUMBERS)
        self.run(f'CREATE TABLE planner_rows (id int, {numbered}, '
                 'by_chance float8, by_place float8, v real[])')
        self.cursor.copy_expert(
            'COPY planner_rows FROM STDIN (FORMAT binary)',
            binary.copy_file(rows.columns()))
        for column in ('id', 'by_chance', 'by_place',
                       *(f'of_{n}' for n in NUMBERS)):
            self.run(f'CREATE INDEX ON planner_rows ({column})')
        for name, columns in INDEXES.items():
            where = f'WHERE {PREDICATE}' if name == 'partial' else ''
            self.run(f'CREATE INDEX planner_{name} ON planner_rows USING '
                     f'diskann {columns} {self.options.index} {where}')
        self.run('CREATE TABLE planner_groups AS SELECT i AS id, '
                 '(i * 577) % 1000 AS place FROM generate_series(0, 999) i')
        self.run('CREATE UNIQUE INDEX ON planner_groups (id)')
        self.run('CREATE OR REPLACE FUNCTION planner_opaque(x float8, '
                 'share float8) RETURNS boolean LANGUAGE plpgsql IMMUTABLE '
                 'AS $$BEGIN RETURN x < share; END$$')
        self.run('VACUUM (ANALYZE) planner_rows, planner_groups')
        self.run('CHECKPOINT')

    def has(self, rows):
        """Is the table there, with as many rows and dimensions?"""
        self.run("SELECT to_regclass('planner_rows')")
        if self.cursor.fetchone()[0] is None:
            return False
        self.run('SELECT count(*), min(cardinality(v)) FROM planner_rows')
        return self.cursor.fetchone() == rows.vectors.shape

    def keep(self, indexes):
        """Drop the other indexes on vectors, until the transaction ends."""
        for name in INDEXES:
            if name not in indexes:
                self.run(f'DROP INDEX planner_{name}')

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
        """The least of a few runs after one to warm up."""
        first = self.run_once(sql)
        runs = 7 if first < 5 else 5 if first < 20 else 3 if first < 500 else 1
        return min(self.run_once(sql) for _ in range(runs))


class Case:
    """A query of the grid with one of the vectors."""

    def __init__(self, kind, share, limit, query):
        where = '' if share == 1 and kind != 'distance' and kind != 'opaque' \
            else 'WHERE ' + KINDS[kind](share, query)
        self.sql = (f'SELECT t.id FROM planner_rows t {where} '
                    f'ORDER BY t.v <-> {query.literal}')
        if limit:
            self.sql += f' LIMIT {limit}'


def measure(server, case, earlier):
    """Times, costs and shapes by the name of a forced plan, and the plans that
    the planner chooses, by scene.  earlier: what this returned in another run,
    whose times are taken, or None."""
    shapes, times, costs, chosen = {}, {}, {}, {}
    known = {shape: earlier['times'][name]
             for name, shape in earlier['shapes'].items()} if earlier else {}

    def add(name, plan):
        shapes[name], costs[name] = plan.shape, plan.total_cost
        times[name] = known.get(' > '.join(plan.shape)) or \
            server.time(case.sql)

    for name, (index, settings) in FORCED.items():
        server.run('BEGIN')
        server.keep([index])
        for setting in settings.split():
            server.run(f'SET LOCAL {setting} = off')
        plan = server.shape(case.sql)
        if plan.shape not in shapes.values() and \
                (index is None or f'Index Scanplanner_{index}' in plan.shape):
            add(name, plan)
        server.run('ROLLBACK')
    for scene, indexes in SCENES.items():
        server.run('BEGIN')
        server.keep(indexes)
        plan = server.shape(case.sql)
        names = [name for name in shapes if shapes[name] == plan.shape]
        chosen[scene] = names[0] if names else scene
        if not names:
            add(scene, plan)
        server.run('ROLLBACK')
    return {'times': times, 'chosen': chosen, 'costs': costs,
            'shapes': {name: ' > '.join(s) for name, s in shapes.items()}}


def at_hand(times, scene):
    """Those of the plans that can be had with the indexes of the scene."""
    return {name: ms for name, ms in times.items()
            if name not in INDEXES or name in SCENES[scene]}


def merged(results, scene):
    """Of several vectors: the most frequent plan, and the factor."""
    spent = sum(r['times'][r['chosen'][scene]] for r in results)
    best = sum(min(at_hand(r['times'], scene).values()) for r in results)
    return (statistics.mode(r['chosen'][scene] for r in results),
            spent / max(best, .001))


def mean_times(results):
    """By plan, those that all have."""
    return {name: sum(r['times'][name] for r in results) / len(results)
            for name in results[0]['times']
            if all(name in r['times'] for r in results)}


def show(line, times, choices):
    plans = '  '.join(f'{name} {ms:.3g}' for name, ms
                      in sorted(times.items(), key=lambda item: item[1]))
    for chosen, factor in choices:
        line += f'  {chosen:8} {factor:6.2f}{"*" if factor > 2 else " "}'
    print(f'{line}  {plans}', flush=True)


def earlier_results(path):
    """What a run has written to --out, by what tells the case."""
    if path is None:
        return {}
    with open(path, encoding='utf-8') as file:
        records = [json.loads(line) for line in file]
    return {tuple(r[key] for key in ('rows', 'dims', 'kind', 'share',
                                     'limit')): r['results'] for r in records}


def grid(options, rows, dims):
    server = Server(options)
    made = Rows(rows, dims, options.queries, options.seed)
    server.load(made)
    factors = {scene: [] for scene in SCENES}
    earlier = earlier_results(options.times)
    for kind in options.kinds:
        for share in SHARES:
            if share == 1 and kind in SAME_AS_NONE:
                continue
            for limit in LIMITS:
                known = earlier.get((rows, dims, kind, share, limit),
                                    [None] * options.queries)
                results = [measure(server, Case(kind, share, limit, query), k)
                           for query, k in zip(made.queries, known)]
                choices = [merged(results, scene) for scene in SCENES]
                for scene, (_, factor) in zip(SCENES, choices):
                    factors[scene].append(factor)
                show(f'{rows:8} {dims:5}  {kind:10} {share * 100:6.4g} '
                     f'{limit or "none":>5}', mean_times(results), choices)
                if options.out:
                    record = {'rows': rows, 'dims': dims, 'kind': kind,
                              'share': share, 'limit': limit,
                              'choices': choices, 'results': results}
                    with open(options.out, 'a', encoding='utf-8') as file:
                        print(json.dumps(record), file=file)
    if not options.keep:
        server.run('DROP TABLE planner_rows, planner_groups')
    return factors


def summary(label, factors):
    for scene, some in factors.items():
        good = sum(f <= 2 for f in some)
        print(f'{label}, {scene}: {good} of {len(some)} queries within twice '
              f'the time of the best plan ({100 * good / len(some):.1f} %), '
              f'worst {max(some):.1f}', flush=True)


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
    parser.add_argument('--keep', action='store_true',
                        help='the table stays, and is used by the next run')
    parser.add_argument('--times', metavar='FILE',
                        help='of --out: take its times, and plan anew')
    parser.add_argument('--out', help='file to append all figures to')
    options = parser.parse_args()
    options.kinds = options.kinds.split(',')
    return options


def main():
    options = parse()
    print('    rows  dims  condition   % left limit  chosen   factor  '
          'with filter columns  ms of each plan, best first')
    everything = {scene: [] for scene in SCENES}
    for rows in map(int, options.rows.split(',')):
        for dims in map(int, options.dims.split(',')):
            factors = grid(options, rows, dims)
            summary(f'{rows} rows of {dims} dimensions', factors)
            for scene, some in factors.items():
                everything[scene] += some
    summary('all', everything)
    return 0


if __name__ == '__main__':
    sys.exit(main())
