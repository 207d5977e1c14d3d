#!/usr/bin/env python3
"""What does it cost to add rows to an index?

An index is built; then rows come, by one writer, by two (each row a transaction
of its own), and by COPY, without full-page images and then with them.  Measured
are rows a second, how long a commit takes, and of each row the CPU time of the
sessions and the WAL.  One JSON object a line goes to --out, a table to standard
output.  Connects as the PG* environment says, to a server on this machine, as a
superuser.  README.md, "Ingest", tells more.
"""

import argparse
import json
import sys
import threading
import time

import numpy
import psycopg2

sys.dont_write_bytecode = True
# pylint: disable=wrong-import-position
import binary
import churn
import session
from churn_rows import Clusters, add_cluster_arguments, read_vectors

# A table without an index on vectors: what rows cost anyway.
CONTENDERS = {'none': ('real[]', None, None, None, None), **churn.CONTENDERS}

WAYS = ('1 writer', '2 writers', 'COPY')
IMAGES = ('off', 'on')


def made_up(options, n):
    """n vectors in clusters."""
    options.window = 0
    return Clusters(options).draw(n)[0]


def from_file(options, n):
    """The vectors of the file in an order of chance, n of them."""
    data = read_vectors(options.data)
    if len(data) < n:
        sys.exit(f'{options.data} has {len(data)} rows, {n} are needed')
    chosen = numpy.random.default_rng(options.seed).permutation(len(data))[:n]
    return data[chosen].astype('f4')


class Rows:
    """Those to begin with, and those that come."""

    def __init__(self, options):
        n = options.rows + options.insert * len(WAYS) * len(IMAGES)
        draw = from_file if options.data else made_up
        self.vectors = draw(options, n)
        self.dims = self.vectors.shape[1]
        self.next = 0

    def take(self, n):
        """Ids and vectors of the next n rows."""
        start, self.next = self.next, self.next + n
        return numpy.arange(start, self.next), self.vectors[start:self.next]


class Session(session.Session):
    """Also knows what its server process has used."""

    def cpu_seconds(self):
        """Time on a processor of the server process."""
        with open(f'/proc/{self.pid}/schedstat', encoding='ascii') as file:
            return int(file.read().split()[0]) / 1e9

    def run_each(self, statements, seconds):
        """Runs statements and notes how long each took."""
        for statement in statements:
            start = time.perf_counter()
            self.cursor.execute(statement)
            seconds.append(time.perf_counter() - start)


class Contender:
    """A table with an index, and the sessions that add to it."""

    def __init__(self, name, options):
        (self.type, self.am, self.opclass, _, extension) = CONTENDERS[name]
        self.name, self.options = name, options
        self.table = f'ingest_{name}'
        self.sessions = [Session(), Session()]
        self.first = self.sessions[0]
        self.first.run('SET client_min_messages = warning')
        if extension:
            self.first.run(f'CREATE EXTENSION IF NOT EXISTS {extension} CASCADE')

    def create(self, rows):
        """The table, filled; returns the seconds its index took."""
        column = f'vector({rows.dims})' if self.type == 'vector' else self.type
        self.first.run(f'DROP TABLE IF EXISTS {self.table}')
        self.first.run(f'CREATE TABLE {self.table} '
                       f'(id int PRIMARY KEY, v {column})')
        self.copy(*rows.take(self.options.rows))
        self.first.run(f'VACUUM ANALYZE {self.table}')
        start = time.perf_counter()
        if self.am:
            self.first.run(f'CREATE INDEX {self.table}_v ON {self.table} USING '
                           f'{self.am} (v {self.opclass}) {self.options.index}')
        seconds = time.perf_counter() - start
        for session in self.sessions:
            session.run(f'PREPARE ingest AS INSERT INTO {self.table} '
                        'VALUES ($1, $2)')
        return seconds

    def copy(self, ids, vectors):
        self.first.cursor.copy_expert(
            f'COPY {self.table} (id, v) FROM STDIN (FORMAT binary)',
            binary.copy_file([('int', ids), (self.type, vectors)]))

    def statements(self, ids, vectors):
        """An INSERT for each row."""
        brackets = '[]' if self.type == 'vector' else '{}'
        return [f"EXECUTE ingest ({row}, '{brackets[0]}"
                + ','.join(f'{x:.9g}' for x in vector) + f"{brackets[1]}')"
                for row, vector in zip(ids.tolist(), vectors.tolist())]

    def prepare(self, way, ids, vectors):
        """What is to run at once, and the list of seconds it will fill."""
        if way == 'COPY':
            return [(self.copy, (ids, vectors))], []
        writers = self.sessions[:int(way.split()[0])]
        statements, seconds = self.statements(ids, vectors), []
        return [(writer.run_each, (statements[i::len(writers)], seconds))
                for i, writer in enumerate(writers)], seconds

    def set_images(self, setting):
        """Has all pages be logged whole, or not, when next they change."""
        self.first.run(f'ALTER SYSTEM SET full_page_writes = {setting}')
        self.first.run('SELECT pg_reload_conf()')
        self.checkpoint()
        while self.first.value('SELECT full_page_writes FROM '
                               'pg_control_checkpoint()') != (setting == 'on'):
            self.checkpoint()

    def checkpoint(self):
        self.first.run('CHECKPOINT')

    def wal(self):
        return int(self.first.value(
            "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')"))

    def cpu_seconds(self):
        return sum(session.cpu_seconds() for session in self.sessions)

    def measure(self, way, ids, vectors):
        """Adds the rows in one of WAYS, after a checkpoint."""
        work, commits = self.prepare(way, ids, vectors)
        self.checkpoint()
        wal, cpu, start = self.wal(), self.cpu_seconds(), time.perf_counter()
        run_at_once(work)
        seconds = time.perf_counter() - start
        result = {'rows_a_second': len(ids) / seconds,
                  'cpu_us': (self.cpu_seconds() - cpu) * 1e6 / len(ids),
                  'wal_bytes': (self.wal() - wal) / len(ids)}
        if commits:
            for percent in (50, 99):
                result[f'p{percent}_ms'] = 1000 * numpy.quantile(
                    commits, percent / 100, method='inverted_cdf')
        return {name: round(value, 3) for name, value in result.items()}


def run_at_once(work):
    """Calls each of (function, arguments) in a thread of its own."""
    failures = []

    def run(function, arguments):
        try:
            function(*arguments)
        except psycopg2.Error as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=item) for item in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def run_contender(contender, rows, report):
    seconds = contender.create(rows)
    if contender.am:
        report({'what': 'built', 'seconds': round(seconds, 2)})
    try:
        for images in IMAGES:
            contender.set_images(images)
            for way in WAYS:
                report({'what': way, 'images': images, **contender.measure(
                    way, *rows.take(contender.options.insert))})
    finally:
        contender.first.run('ALTER SYSTEM RESET full_page_writes')
        contender.first.run('SELECT pg_reload_conf()')


def print_table(results, options):
    """What was measured of all contenders, as Markdown."""
    about = Session()
    settings = ', '.join(
        f"{name} = {about.value('SHOW ' + name)}"
        for name in ('server_version', 'fsync', 'synchronous_commit',
                     'wal_compression', 'shared_buffers'))
    print(f'\n{options.rows} rows x {results[0]["dims"]} and {options.insert} '
          f'at a time; {settings}\n')
    print('| | | full-page images | rows/s | p50 / p99 of a commit, ms '
          '| CPU us a row | WAL bytes a row |')
    print('|---|---|---|---|---|---|---|')
    for result in results:
        if result['what'] == 'built':
            print(f"| {result['contender']} | built in {result['seconds']} s "
                  '| | | | | |')
            continue
        commit = f"{result['p50_ms']:.2f} / {result['p99_ms']:.2f}" \
            if 'p50_ms' in result else ''
        print(f"| {result['contender']} | {result['what']} "
              f"| {result['images']} | {result['rows_a_second']:.0f} "
              f"| {commit} | {result['cpu_us']:.0f} "
              f"| {result['wal_bytes']:.0f} |")


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--contender', action='append', choices=CONTENDERS)
    parser.add_argument('--insert', type=int, default=2000,
                        help='rows that each of the six steps adds')
    add_cluster_arguments(parser, rows=100000, dims=384)
    parser.add_argument('--data', help='real vectors instead')
    parser.add_argument('--index', default='', help='WITH (...) of the index')
    parser.add_argument('--out', help='file to append JSON lines to')
    return parser.parse_args()


def main():
    options = parse()
    results = []
    for name in options.contender or ['none', 'diskann']:
        rows = Rows(options)

        def report(result, name=name, dims=rows.dims):
            result = {**vars(options), 'contender': name, 'dims': dims, **result}
            results.append(result)
            print(f"  {name}: {result['what']}", file=sys.stderr)
            if options.out:
                with open(options.out, 'a', encoding='ascii') as out:
                    out.write(json.dumps(result) + '\n')

        run_contender(Contender(name, options), rows, report)
    print_table(results, options)


if __name__ == '__main__':
    main()
