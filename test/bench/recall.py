#!/usr/bin/env python3
"""Is a recall that is asked for reached?

    test/bench/recall.py SET [OPTION]...

Connects as libpq's variables tell.  An index is built on half of the rows and
calibrated; then queries that the index has not seen ask for recalls of .9 to
.99 of 1, 10 and 100 rows by diskann.recall_target.  For each is told what they
reached, what that took, and the least list that would have done.  Then the same
without a new calibration: after the rows have been replaced in part, after they
have been doubled by inserts, and under conditions on a column of the index.
"""

import argparse
import json
import sys

import numpy

import binary
from churn_rows import add_cluster_arguments, make_rows, read_vectors
from session import Session

TARGETS = (.9, .95, .98, .99)
ROWS = (1, 10, 100)
MOST_LIST = 2000

# Share of the rows that the condition selects, by its column.
SHARES = {'tenth': 10, 'hundredth': 100}


def made_up(options):
    """Rows, two for one that is there at first, and queries like them."""
    options.window = .1
    options.variant = 'steady'
    rows, there = make_rows(options), options.rows
    return (numpy.concatenate([rows.vectors, rows.draw(there)[0]]),
            rows.draw(2 * options.queries)[0])


def of_file(options):
    """The same of a file in an order of chance."""
    vectors = read_vectors(options.data).astype('f4')
    order = numpy.random.default_rng(options.seed).permutation(len(vectors))
    vectors = vectors[order[:2 * options.rows + 2 * options.queries]]
    asked = 2 * options.queries
    return vectors[asked:], vectors[:asked]


def between(queries):
    """Unlike any row: half-way between two."""
    return (queries + numpy.roll(queries, 1, 0)) / 2


class Table(Session):
    """Rows with an index, and what queries find of what is nearest."""

    def __init__(self, options, vectors, queries):
        super().__init__()
        self.options = options
        self.vectors = vectors
        self.queries = queries
        self.half = len(vectors) // 2
        self.run('SET enable_seqscan = off')
        self.run('CREATE EXTENSION IF NOT EXISTS diskann')
        self.run('DROP TABLE IF EXISTS recall_rows, recall_queries, recall_own')
        for name in ('recall_queries', 'recall_own'):
            self.run(f'CREATE TABLE {name} (id int, v real[])')
        count = options.queries
        self.copy('recall_queries', [('int', numpy.arange(count)),
                                     ('real[]', queries[:count])])
        self.copy('recall_own', [('int', numpy.arange(count)),
                                 ('real[]', queries[count:])])

    def copy(self, table, columns):
        self.cursor.copy_expert(
            f'COPY {table} FROM STDIN (FORMAT binary)',
            binary.copy_file(columns))

    def insert(self, ids):
        chance = numpy.random.default_rng(int(ids[0]))
        columns = [('int', ids), ('real[]', self.vectors[ids])]
        columns += [('int', chance.integers(0, share, len(ids)))
                    for share in SHARES.values()]
        self.copy('recall_rows', columns)
        self.ids = numpy.union1d(self.ids, ids)

    def build(self, columns='v'):
        """A table of half of the rows, and its index, calibrated."""
        self.ids = numpy.zeros(0, int)
        self.run('DROP TABLE IF EXISTS recall_rows')
        self.run('CREATE TABLE recall_rows (id int PRIMARY KEY, v real[], '
                 + ', '.join(f'{name} int' for name in SHARES)
                 + ') WITH (autovacuum_enabled = off)')
        self.insert(numpy.arange(self.half))
        self.run('VACUUM ANALYZE recall_rows')
        self.run('CREATE INDEX recall_index ON recall_rows '
                 f'USING diskann ({columns})')
        if self.options.own:
            self.run("SELECT diskann_calibrate('recall_index', "
                     "'SELECT v FROM recall_own')")
        else:
            self.run("SELECT diskann_calibrate('recall_index')")

    def churn(self):
        """In five turns half of the rows go and others come."""
        chance = numpy.random.default_rng(self.options.seed)
        part = self.half // 10
        for turn in range(5):
            gone = chance.choice(self.ids, part, replace=False)
            self.run('DELETE FROM recall_rows WHERE id IN '
                     f"({', '.join(map(str, gone))})")
            self.ids = numpy.setdiff1d(self.ids, gone)
            start = self.half + turn * part
            self.insert(numpy.arange(start, start + part))
            self.run('VACUUM recall_rows')

    def double(self):
        self.insert(numpy.arange(self.half, len(self.vectors)))
        self.run('VACUUM ANALYZE recall_rows')

    def distances(self, query, ids):
        return numpy.square(self.vectors[ids].astype('f8') -
                            self.queries[query]).sum(1)

    def limits(self, where):
        """For each query how far its nearest hundred are, in order."""
        ids = self.ids
        if where:
            ids = numpy.array([row[0] for row in self.fetch(
                f'SELECT id FROM recall_rows WHERE {where}')])
        vectors = self.vectors[ids]
        about = numpy.square(vectors).sum(1)
        result = []
        for i in range(self.options.queries):
            far = about - 2 * (vectors @ self.queries[i])
            near = numpy.argpartition(far, 2 * ROWS[-1])[:2 * ROWS[-1]]
            result.append(numpy.sort(self.distances(i, ids[near]))[:ROWS[-1]])
        return result

    def usage(self):
        scans, visits = self.fetch(
            'SELECT scans, scans * coalesce(visits_a_scan, 0) FROM '
            "diskann_index_state('recall_index')")[0]
        return numpy.array([scans, visits])

    def search(self, limits, k, where):
        """Recall of k rows with the settings there are, and visits."""
        before = self.usage()
        found = self.fetch(
            'SELECT q.id, s.ids FROM recall_queries q, LATERAL (SELECT '
            'array_agg(id) AS ids FROM (SELECT id FROM recall_rows t '
            f"{'WHERE ' + where if where else ''} "
            f'ORDER BY t.v <-> q.v LIMIT {k}) n) s')
        scans, visits = self.usage() - before
        hits = [(self.distances(i, ids) <= limits[i][k - 1] * (1 + 1e-6)).sum()
                for i, ids in found]
        return float(numpy.mean(hits)) / k, visits / scans

    def least_list(self, limits, k, target, known):
        """The least list that reaches a recall, and what it reaches."""
        def reach(size):
            if size not in known:
                self.run(f'SET diskann.query_search_list_size = {size}')
                known[size] = self.search(limits, k, '')
            return known[size]

        low, high = 1, MOST_LIST
        while high - low > .02 * low and high > 1:
            size = int((low * high) ** .5)
            if reach(size)[0] >= target:
                high = size
            else:
                low = size + 1
        reach(high)
        self.run('RESET diskann.query_search_list_size')
        return high, known[high][1]

    def list_for(self, target, k):
        return self.fetch("SELECT list_size FROM "
                         f"diskann_index_recall('recall_index', 1, {k})")[0][0]

    def measure(self, what, where='', least=False):
        limits = self.limits(where)
        for k in ROWS:
            known = {}
            for target in TARGETS:
                self.run(f'SET diskann.recall_target = {target}')
                recall, visits = self.search(limits, k, where)
                result = {'set': self.options.name, 'what': what, 'k': k,
                          'target': target, 'recall': round(recall, 4),
                          'list': self.list_for(target, k),
                          'visits': round(visits, 1)}
                if least:
                    result['least'], result['least_visits'] = \
                        self.least_list(limits, k, target, known)
                self.run('RESET diskann.recall_target')
                yield result


def run_stages(table):
    """What is measured, one after the other."""
    table.build()
    yield from table.measure('built', least=True)
    if table.options.built_only:
        return
    table.churn()
    yield from table.measure('half replaced')
    table.build()
    table.double()
    yield from table.measure('doubled')
    table.build('v, ' + ', '.join(SHARES))
    for name, share in SHARES.items():
        yield from table.measure(f'1 in {share}', f'{name} = 0')


def print_table(results):
    print('\n| set | what | k | ' + ' | '.join(
        f'{target:g}: list, least' for target in TARGETS) + ' |')
    print('|---' * (3 + len(TARGETS)) + '|')
    for i in range(0, len(results), len(TARGETS)):
        some = results[i:i + len(TARGETS)]
        cells = [f"{r['recall']:.3f}: {r['list']}"
                 + (f", {r['least']}" if 'least' in r else '') for r in some]
        print(f"| {some[0]['set']} | {some[0]['what']} | {some[0]['k']} | "
              + ' | '.join(cells) + ' |')


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('name', help='of the set, in the table')
    parser.add_argument('--data', help='vectors; else clusters are made up')
    parser.add_argument('--queries', type=int, default=300)
    parser.add_argument('--between', action='store_true',
                        help='queries are unlike rows: half-way between two')
    parser.add_argument('--own', action='store_true',
                        help='calibrate by other queries of their kind')
    parser.add_argument('--built-only', action='store_true')
    parser.add_argument('--out', help='file to append JSON lines to')
    add_cluster_arguments(parser, rows=50000, dims=96)
    return parser.parse_args()


def main():
    options = parse()
    vectors, queries = of_file(options) if options.data else made_up(options)
    table = Table(options, vectors,
                  between(queries) if options.between else queries)
    results = []
    for result in run_stages(table):
        results.append(result)
        print('  ' + json.dumps(result), file=sys.stderr)
        if options.out:
            with open(options.out, 'a', encoding='ascii') as out:
                out.write(json.dumps(result) + '\n')
    print_table(results)


if __name__ == '__main__':
    main()
