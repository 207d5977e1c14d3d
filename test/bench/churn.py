#!/usr/bin/env python3
"""How good does an index stay while its rows are replaced?

Rows come and go in cycles: some are deleted, others inserted, the table is
vacuumed; then recall, queries that find nothing, pages a query, size, time and
WAL are measured, and at the end once more after a REINDEX.  One JSON object a
line goes to --out, tables to standard output.  Connects as the PG* environment
says.  README.md, "Churn", tells more.
"""

import argparse
import json
import sys
import time

import numpy

sys.dont_write_bytecode = True
# pylint: disable=wrong-import-position
import binary
from churn_rows import VARIANTS, add_cluster_arguments, make_rows
from session import Session

K = 10

# Contenders: type of the column, access method, operator class, what sets the
# size of the search list, what one has to create.
CONTENDERS = {
    'diskann': ('real[]', 'diskann', 'real_l2_ops',
                'diskann.query_search_list_size', 'diskann'),
    'diskann_vector': ('vector', 'diskann', 'vector_l2_ops',
                       'diskann.query_search_list_size', 'diskann_pgvector'),
    'hnsw': ('vector', 'hnsw', 'vector_l2_ops', 'hnsw.ef_search', 'vector'),
}


def exact_neighbours(ids, vectors, queries):
    """For each query the set of the ids of its K nearest rows, by L2."""
    result = []
    for start in range(0, len(queries), 100):
        some = queries[start:start + 100]
        about = (vectors ** 2).sum(1)[None] - 2 * (some @ vectors.T)
        near = numpy.argpartition(about, 2 * K, axis=1)[:, :2 * K]
        for query, rows in zip(some.astype('f8'), near):
            dist = ((vectors[rows].astype('f8') - query) ** 2).sum(1)
            result.append(set(ids[rows[numpy.argsort(dist)[:K]]].tolist()))
    return result


class Contender(Session):
    """A table with an index, and what is done to it."""

    def __init__(self, name, rows, options):
        super().__init__()
        self.name, self.rows, self.options = name, rows, options
        (self.type, self.am, self.opclass, self.setting,
         extension) = CONTENDERS[name]
        self.run(f'CREATE EXTENSION IF NOT EXISTS {extension} CASCADE')
        self.table = f'churn_{name}'
        self.run('DROP TABLE IF EXISTS churn_queries')
        self.run(f'CREATE TABLE churn_queries (id int, v {self.type})')

    def copy(self, table, ids, vectors):
        self.cursor.copy_expert(
            f'COPY {table} (id, v) FROM STDIN (FORMAT binary)',
            binary.copy_file([('int', ids), (self.type, vectors)]))

    def create_table(self):
        column = self.type
        if column == 'vector':
            column += f'({self.rows.dims})'
        self.run(f'DROP TABLE IF EXISTS {self.table}')
        self.run(f'CREATE TABLE {self.table} (id int PRIMARY KEY, v {column})')
        if self.options.single:
            self.run(f'ALTER TABLE {self.table} SET ('
                     'autovacuum_vacuum_scale_factor = 0.02, '
                     'autovacuum_vacuum_insert_scale_factor = 0.02)')

    def create_index(self):
        self.run(f'CREATE INDEX {self.table}_v ON {self.table} '
                 f'USING {self.am} (v {self.opclass}) {self.options.index}')

    def delete(self, ids):
        if self.options.single:
            for row in ids.tolist():
                self.run(f'DELETE FROM {self.table} WHERE id = %s', row)
        else:
            self.run(f'DELETE FROM {self.table} WHERE id = ANY (%s)',
                     ids.tolist())

    def insert(self, ids, vectors):
        if not self.options.single:
            self.copy(self.table, ids, vectors)
            return
        sql = f'INSERT INTO {self.table} VALUES (%s, %s::real[]::{self.type})'
        for row, vector in zip(ids.tolist(), vectors.tolist()):
            self.run(sql, row, vector)

    def vacuum(self):
        if not self.options.single:
            self.run(f'VACUUM {self.table}')

    def wal(self):
        return int(self.value(
            "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')"))

    def search(self, exact, list_size):
        """Recall, share of queries that find one of their ten at most, pages"""
        self.run('SET enable_seqscan = off')
        self.run(f'SET {self.setting} = {list_size}')
        sql = ('SELECT q.id, s.ids FROM churn_queries q, LATERAL (SELECT '
               'array_agg(id) AS ids FROM (SELECT id FROM '
               f'{self.table} t ORDER BY t.v <-> q.v LIMIT {K}) n) s')
        self.run(sql)
        hits = [len(exact[i] & set(ids or []))
                for i, ids in self.cursor.fetchall()]
        assert len(hits) == len(exact)
        plan = self.value('EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) '
                          + sql)[0]['Plan']
        while plan['Node Type'] != 'Index Scan':
            plan = plan['Plans'][-1]
        pages = plan['Shared Hit Blocks'] + plan['Shared Read Blocks']
        return (float(numpy.mean(hits)) / K,
                float(numpy.mean([found <= 1 for found in hits])),
                pages / len(exact))

    def measure(self, what, ids, vectors, queries, **more):
        exact = exact_neighbours(ids, vectors, queries)
        self.run('TRUNCATE churn_queries')
        self.copy('churn_queries', numpy.arange(len(queries)), queries)
        result = {'contender': self.name, 'what': what, **more}
        for list_size in self.options.lists:
            recall, nothing, pages = self.search(exact, list_size)
            result[f'recall_{list_size}'] = round(recall, 4)
            result[f'nothing_{list_size}'] = round(nothing, 4)
            result[f'pages_{list_size}'] = round(pages, 1)
        result['megabytes'] = round(self.value(
            f"SELECT pg_relation_size('{self.table}_v')") / 2 ** 20, 1)
        return result


def timed(action, *arguments):
    start = time.monotonic()
    action(*arguments)
    return round(time.monotonic() - start, 2)


def one_cycle(contender, rows, cycle):
    """Replace some rows and measure."""
    gone, (ids, vectors) = rows.replace()
    contender.delete(gone)
    wal = contender.wal()
    insert = timed(contender.insert, ids, vectors)
    inserted = contender.wal()
    vacuum = timed(contender.vacuum)
    return contender.measure(
        cycle, rows.ids, rows.vectors, rows.queries(),
        insert_seconds=insert, vacuum_seconds=vacuum,
        wal_a_row=(inserted - wal) // max(1, len(ids)),
        vacuum_wal_mb=round((contender.wal() - inserted) / 2 ** 20, 1))


def run_cycles(contender, rows, report):
    contender.create_table()
    contender.copy(contender.table, rows.ids, rows.vectors)
    contender.run(f'VACUUM ANALYZE {contender.table}')
    seconds = timed(contender.create_index)
    report(contender.measure('built', rows.ids, rows.vectors, rows.queries(),
                             seconds=seconds))
    for cycle in range(1, contender.options.cycles + 1):
        report(one_cycle(contender, rows, cycle))
    seconds = timed(contender.run, f'REINDEX INDEX {contender.table}_v')
    report(contender.measure('REINDEX', rows.ids, rows.vectors, rows.queries(),
                             seconds=seconds))


def run_orders(contender, rows, report):
    """No churn: an index filled from empty, beside one built."""
    for what, order, built in rows.orders():
        ids, vectors = rows.ids[order], rows.vectors[order]
        contender.create_table()
        contender.copy(contender.table, ids[:built], vectors[:built])
        start = time.monotonic()
        contender.create_index()
        contender.copy(contender.table, ids[built:], vectors[built:])
        seconds = round(time.monotonic() - start, 2)
        contender.run(f'ANALYZE {contender.table}')
        report(contender.measure(what, ids, vectors, rows.queries(),
                                 seconds=seconds))


def print_table(results, lists):
    """What was measured of one contender, as Markdown."""
    print(f"\n| {results[0]['contender']} | recall at list size "
          + ' / '.join(map(str, lists)) + ' | find nothing, % | pages | MB '
          '| insert s, B of WAL a row | VACUUM s |')
    print('|---|---|---|---|---|---|---|')
    for result in results:
        def of(name, unit='{}', result=result):
            return ' / '.join(unit.format(result[f'{name}_{size}'])
                              for size in lists)
        percent = ' / '.join('{:.1f}'.format(100 * result[f'nothing_{size}'])
                             for size in lists)
        print(f"| {result['what']} | {of('recall', '{:.3f}')} | {percent} "
              f"| {of('pages', '{:.0f}')} | {result['megabytes']} "
              f"| {result.get('insert_seconds', '')}, "
              f"{result.get('wal_a_row', '')} "
              f"| {result.get('vacuum_seconds', '')} |")
    sys.stdout.flush()


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('variant', choices=VARIANTS)
    parser.add_argument('--contender', action='append', choices=CONTENDERS)
    parser.add_argument('--cycles', type=int, default=20)
    parser.add_argument('--window', type=float, default=.1,
                        help='share of the rows replaced in a cycle')
    add_cluster_arguments(parser, rows=50000, dims=96)
    parser.add_argument('--data', help='vectors of the variant "labels"')
    parser.add_argument('--labels', help='labels of the data')
    parser.add_argument('--label', type=int, default=0, help='which column')
    parser.add_argument('--queries', type=int, default=200)
    parser.add_argument('--lists', default='100,40')
    parser.add_argument('--single', action='store_true',
                        help='one row a transaction, and autovacuum')
    parser.add_argument('--index', default='', help='WITH (...) of the index')
    parser.add_argument('--out', help='file to append JSON lines to')
    options = parser.parse_args()
    options.lists = [int(size) for size in options.lists.split(',')]
    return options


def main():
    options = parse()
    for name in options.contender or ['diskann']:
        rows = make_rows(options)
        contender = Contender(name, rows, options)
        results = []

        def report(result, results=results):
            results.append(result)
            print(f"  {result['contender']}: {result['what']}",
                  file=sys.stderr)
            if options.out:
                with open(options.out, 'a', encoding='ascii') as out:
                    out.write(json.dumps({**vars(options), **result}) + '\n')

        if options.variant == 'sorted':
            run_orders(contender, rows, report)
        else:
            run_cycles(contender, rows, report)
        print_table(results, options.lists)


if __name__ == '__main__':
    main()
