#!/usr/bin/env python3
"""How do builds and searches grow with the number of rows?

More rows than there are vectors at hand are derived from these, an index is
built with each maintenance_work_mem, and the list is sought that reaches a
recall.  One JSON object a line goes to --out, tables to standard output.
Connects as the PG* environment says, as a superuser, to a server on this
machine whose files can be read.  README.md, "Scale", tells more.
"""

import argparse
import io
import json
import math
import os
import pwd
import subprocess
import sys
import threading
import time

import numpy

sys.dont_write_bytecode = True
# pylint: disable=wrong-import-position
import binary
from churn_rows import read_vectors
from session import Session

K = 10

# Rows derived at a time.
CHUNK = 50000

SETTING = 'diskann.query_search_list_size'
MOST_LIST = 10000


class Derived:
    """Rows derived from vectors of which each belongs to an image.

    A row is a vector moved by .2 to .5 of the way to another of its image, with
    the length that it had, rounded as they are.  Rows of one vector are so far
    apart as near vectors are.  Chunk i is the same however many rows there are.
    """

    def __init__(self, options):
        self.base = read_vectors(options.data)
        images = read_vectors(options.images)[:, 0]
        self.by_image = numpy.argsort(images, kind='stable')
        _, self.image, count = numpy.unique(
            images, return_inverse=True, return_counts=True)
        self.count = count
        self.start = numpy.concatenate([[0], numpy.cumsum(count)[:-1]])
        self.seed = options.seed
        self.dims = self.base.shape[1]

    def chunk(self, i):
        random = numpy.random.default_rng([self.seed, i])
        rows = random.integers(len(self.base), size=CHUNK)
        image = self.image[rows]
        place = (random.random(CHUNK) * self.count[image]).astype(int)
        other = self.by_image[self.start[image] + place]
        way = random.uniform(.2, .5, (CHUNK, 1)).astype('f4')
        vectors = self.base[rows].astype('f4')
        length = numpy.linalg.norm(vectors, axis=1, keepdims=True)
        vectors += way * (self.base[other] - vectors)
        vectors *= length / numpy.maximum(
            numpy.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        return numpy.rint(vectors).clip(0, 255)

    def chunks(self, rows):
        """First id and vectors, for as many rows as that."""
        for first in range(0, rows, CHUNK):
            yield first, self.chunk(first // CHUNK)[:rows - first]


class Nearest:
    """The K nearest rows of each query, of the chunks seen so far.

    Vectors are of whole numbers, so that distances are exact.
    """

    def __init__(self, queries):
        self.queries = queries.astype('f4')
        self.ids = numpy.zeros((len(queries), 0), int)
        self.dist = numpy.zeros((len(queries), 0), 'f4')

    def see(self, first, vectors):
        dist = (vectors ** 2).sum(1)[None] - 2 * (self.queries @ vectors.T)
        near = numpy.argpartition(dist, K, axis=1)[:, :K]
        self.ids = numpy.concatenate([self.ids, near + first], axis=1)
        self.dist = numpy.concatenate(
            [self.dist, numpy.take_along_axis(dist, near, 1)], axis=1)
        best = numpy.argsort(self.dist, axis=1, kind='stable')[:, :K]
        self.ids = numpy.take_along_axis(self.ids, best, 1)
        self.dist = numpy.take_along_axis(self.dist, best, 1)


class CopyStream(io.RawIOBase):
    """The chunks as a file for COPY, which are seen on the way by nearest."""

    def __init__(self, chunks, nearest):
        super().__init__()
        self.parts = self.make_parts(chunks, nearest)
        self.rest = memoryview(b'')

    @staticmethod
    def make_parts(chunks, nearest):
        yield binary.HEADER
        for first, vectors in chunks:
            nearest.see(first, vectors)
            ids = numpy.arange(first, first + len(vectors))
            for at in range(0, len(vectors), binary.PART):
                part = slice(at, at + binary.PART)
                yield binary.some_rows([('int', ids[part]),
                                        ('real[]', vectors[part])])
        yield binary.TRAILER

    def readable(self):
        return True

    def read(self, size=-1):
        if not self.rest:
            self.rest = memoryview(next(self.parts, b''))
        data, self.rest = self.rest[:size], self.rest[size:]
        return bytes(data)


# ---------- processes ----------

def parent_of(pid):
    with open(f'/proc/{pid}/stat', encoding='ascii') as file:
        return int(file.read().rsplit(')', 1)[1].split()[1])


def cpu_seconds(pid):
    """Processor time of a server process, and of its siblings that ended."""
    total = 0
    for process, fields in ((pid, (11, 12)), (parent_of(pid), (13, 14))):
        with open(f'/proc/{process}/stat', encoding='ascii') as file:
            stat = file.read().rsplit(')', 1)[1].split()
        total += sum(int(stat[field]) for field in fields)
    return total / os.sysconf('SC_CLK_TCK')


def private_bytes(pid):
    """Memory of a process that is not shared; 0 if it has ended."""
    try:
        with open(f'/proc/{pid}/status', encoding='ascii') as file:
            for line in file:
                if line.startswith('RssAnon:'):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def tree_bytes(directory):
    total = 0
    for where, _, names in os.walk(directory):
        for name in names:
            try:
                total += os.stat(os.path.join(where, name)).st_blocks * 512
            except OSError:
                pass
    return total


class Watch(threading.Thread):
    """Looks at a build: peaks of memory and temporary files, and phases."""

    PERIOD = .25

    def __init__(self, builder):
        super().__init__()
        self.session = Session()
        self.pid = builder.pid
        self.temporary = os.path.join(
            self.session.value('SHOW data_directory'), 'base/pgsql_tmp')
        self.peak_memory = self.peak_disk = 0
        self.phases = {}
        self.stop = threading.Event()

    def look(self):
        rows = self.session.fetch('SELECT pid FROM pg_stat_activity '
                                  'WHERE pid = %s OR leader_pid = %s',
                                  self.pid, self.pid)
        memory = sum(private_bytes(pid)
                     for pid, in rows)
        self.peak_memory = max(self.peak_memory, memory)
        self.peak_disk = max(self.peak_disk, tree_bytes(self.temporary))
        phase = self.session.value(
            'SELECT phase FROM pg_stat_progress_create_index WHERE pid = %s',
            self.pid)
        if phase:
            phase = phase.replace('building index: ', '')
            self.phases[phase] = self.phases.get(phase, 0) + self.PERIOD

    def run(self):
        while not self.stop.wait(self.PERIOD):
            self.look()
        self.session.close()

    def end(self):
        self.stop.set()
        self.join()


# ---------- what is measured ----------

class Scale:
    """A table of so many derived rows, its index, and queries."""

    def __init__(self, rows, options):
        self.rows, self.options = rows, options
        self.table = f'scale_{rows}'
        self.session = Session()
        self.session.run('CREATE EXTENSION IF NOT EXISTS diskann')

    def load(self, derived, queries):
        """The table and the exact answers, unless they are there."""
        run = self.session.run
        if self.session.value('SELECT to_regclass(%s)', f'{self.table}_exact'):
            return
        nearest = Nearest(queries)
        run(f'DROP TABLE IF EXISTS {self.table}')
        run(f'CREATE TABLE {self.table} (id int, v real[])')
        run(f'ALTER TABLE {self.table} SET (parallel_workers = '
            f'{self.options.workers}, autovacuum_enabled = off)')
        self.session.cursor.copy_expert(
            f'COPY {self.table} (id, v) FROM STDIN (FORMAT binary)',
            CopyStream(derived.chunks(self.rows), nearest))
        run(f'VACUUM ANALYZE {self.table}')
        run(f'CREATE TABLE {self.table}_exact (id int, v real[], ids int[])')
        for i, query in enumerate(queries):
            run(f'INSERT INTO {self.table}_exact VALUES (%s, %s, %s)',
                i, query.tolist(), nearest.ids[i].tolist())

    def build(self, memory):
        """Builds the index, and tells what that took."""
        builder = Session()
        builder.run(f'DROP INDEX IF EXISTS {self.table}_v')
        builder.run(f"SET maintenance_work_mem = '{memory}'")
        watch = Watch(builder)
        cpu, start = cpu_seconds(builder.pid), time.monotonic()
        watch.start()
        try:
            builder.run(f'CREATE INDEX {self.table}_v ON {self.table} USING '
                        f'diskann (v real_l2_ops) {self.options.index}')
        finally:
            watch.end()
        seconds = time.monotonic() - start
        size = builder.value('SELECT pg_relation_size(%s)', f'{self.table}_v')
        result = {'what': 'built', 'memory': memory,
                  'seconds': round(seconds, 1),
                  'cpu_seconds': round(cpu_seconds(builder.pid) - cpu, 1),
                  'peak_bytes': watch.peak_memory,
                  'temporary_bytes': watch.peak_disk, 'index_bytes': size,
                  'phases': watch.phases}
        builder.close()
        return result

    def prepare(self):
        run = self.session.run
        run('SET enable_seqscan = off')
        run(f'PREPARE nearest (real[]) AS SELECT array_agg(id) FROM '
            f'(SELECT id FROM {self.table} ORDER BY v <-> $1 LIMIT {K}) n')
        run(f'SELECT v::text, ids FROM {self.table}_exact ORDER BY id')
        self.queries = [(v, set(ids))
                        for v, ids in self.session.cursor.fetchall()]

    def search(self, list_size, repeat=1):
        """Runs all queries; recall, and ms of each, on the clock and of CPU."""
        self.session.run(f'SET {SETTING} = {list_size}')
        cpu = cpu_seconds(self.session.pid)
        hits, times = 0, []
        for _ in range(repeat):
            for vector, exact in self.queries:
                start = time.perf_counter()
                found = self.session.value(f"EXECUTE nearest ('{vector}')")
                times.append(1000 * (time.perf_counter() - start))
                hits += len(exact & set(found or []))
        cpu = 1000 * (cpu_seconds(self.session.pid) - cpu)
        return (hits / len(times) / K, float(numpy.median(times)),
                cpu / len(times))

    def pages(self, list_size):
        """Pages of table and index that a query touches."""
        self.session.run(f'SET {SETTING} = {list_size}')
        plan = self.session.value(
            'EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) SELECT '
            f'count(n.id) FROM {self.table}_exact q, LATERAL (SELECT id FROM '
            f'{self.table} t ORDER BY t.v <-> q.v LIMIT {K}) n')[0]['Plan']
        while plan['Node Type'] != 'Index Scan':
            plan = plan['Plans'][-1]
        touched = plan['Shared Hit Blocks'] + plan['Shared Read Blocks']
        return touched / len(self.queries)

    def list_for(self, target):
        """The least list that reaches a recall, but for a twentieth."""
        low, high = K, 2 * K
        while self.search(high)[0] < target and high < MOST_LIST:
            low, high = high, min(2 * high, MOST_LIST)
        while high > 1.05 * low + 1:
            middle = math.isqrt(low * high)
            if self.search(middle)[0] < target:
                low = middle
            else:
                high = middle
        return high

    def measure(self, what, target, list_size):
        recall, p50, cpu = self.search(list_size, self.options.repeat)
        return {'what': what, 'target': target, 'list': list_size,
                'recall': round(recall, 4), 'p50_ms': round(p50, 3),
                'cpu_ms': round(cpu, 3),
                'pages': round(self.pages(list_size), 1)}


def restart(session):
    """Restarts the server, as the owner of its files."""
    data = session.value('SHOW data_directory')
    owner = pwd.getpwuid(os.stat(data).st_uid).pw_name
    session.close()
    command = [os.environ.get('PG_CTL', 'pg_ctl'), '-D', data, '-s', '-w', '-m', 'fast', 'restart',
               '-l', os.path.join(data, 'scale.log')]
    if os.getuid() == 0:
        command = ['runuser', '-u', owner, '--'] + command
    subprocess.run(command, check=True)


def measure_with_less(scale, hot, report):
    """The same lists, with shared_buffers a tenth of the index."""
    size = scale.session.value('SELECT pg_relation_size(%s)', f'{scale.table}_v')
    scale.session.run(f"ALTER SYSTEM SET shared_buffers = '{size // 10240}kB'")
    restart(scale.session)
    try:
        cold = Scale(scale.rows, scale.options)
        cold.prepare()
        for result in hot:
            report(cold.measure('a tenth', result['target'], result['list']))
        cold.session.run('ALTER SYSTEM RESET shared_buffers')
    finally:
        restart(cold.session)


def measure_rows(scale, report):
    """Builds with each memory; then searches in what was built last."""
    for memory in scale.options.memory:
        report(scale.build(memory))
    if not scale.options.targets:
        return
    scale.prepare()
    scale.search(100)			# warms up
    hot = [scale.measure('hot', target, scale.list_for(target))
           for target in scale.options.targets]
    for result in hot:
        report(result)
    if scale.options.tenth:
        measure_with_less(scale, hot, report)


# ---------- tables ----------

def exponent(one, other, name):
    return math.log(other[name] / one[name]) / \
        math.log(other['rows'] / one['rows'])


def print_builds(results):
    print('\n| rows | memory | seconds | CPU seconds (exponent) | peak of '
          'memory, MB | temporary files, B a row | index, B a row |')
    print('|---|---|---|---|---|---|---|')
    last = {}
    for r in results:
        one = last.get(r['memory'])
        grown = f" ({exponent(one, r, 'cpu_seconds'):.2f})" if one else ''
        last[r['memory']] = r
        print(f"| {r['rows']:,} | {r['memory']} | {r['seconds']} | "
              f"{r['cpu_seconds']}{grown} | {r['peak_bytes'] / 2 ** 20:.0f} | "
              f"{r['temporary_bytes'] / r['rows']:.0f} | "
              f"{r['index_bytes'] / r['rows']:.0f} |")


def print_searches(results):
    print('\n| rows | recall | buffers | list | pages | p50 ms | CPU ms |')
    print('|---|---|---|---|---|---|---|')
    for r in results:
        print(f"| {r['rows']:,} | {r['recall']:.3f} | {r['what']} | {r['list']} "
              f"| {r['pages']:.0f} | {r['p50_ms']:.2f} | {r['cpu_ms']:.2f} |")


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--data', required=True, help='vectors to derive from')
    parser.add_argument('--images', required=True,
                        help='.ibin of the image that each is of')
    parser.add_argument('--query', required=True, help='vectors to ask for')
    parser.add_argument('--rows', default='1000000', metavar='A,B')
    parser.add_argument('--memory', default='4GB', metavar='A,B',
                        help='maintenance_work_mem of builds; none: no builds')
    parser.add_argument('--workers', type=int, default=1)
    parser.add_argument('--queries', type=int, default=200)
    parser.add_argument('--targets', default='.95,.99', metavar='A,B',
                        help='recalls to reach; none: no searches')
    parser.add_argument('--repeat', type=int, default=3)
    parser.add_argument('--tenth', action='store_true',
                        help='also search with shared_buffers a tenth of the'
                        ' index; restarts the server, with $PG_CTL')
    parser.add_argument('--index', default='', help='WITH (...) of the index')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--keep', action='store_true', help='leave the tables')
    parser.add_argument('--out', help='file to append JSON lines to')
    options = parser.parse_args()
    options.rows = [int(n) for n in options.rows.split(',')]
    options.memory = [m for m in options.memory.split(',') if m]
    options.targets = [float(t) for t in options.targets.split(',') if t]
    return options


def main():
    options = parse()
    derived = Derived(options)
    queries = read_vectors(options.query)[:options.queries]
    results = []
    for rows in options.rows:
        scale = Scale(rows, options)

        def report(result, rows=rows):
            result = {'rows': rows, **result}
            results.append(result)
            print(f'  {result}', file=sys.stderr)
            if options.out:
                with open(options.out, 'a', encoding='ascii') as out:
                    out.write(json.dumps({**vars(options), **result}) + '\n')

        scale.load(derived, queries)
        measure_rows(scale, report)
        if not options.keep:
            Session().run(f'DROP TABLE {scale.table}, {scale.table}_exact')
    print_builds([r for r in results if r['what'] == 'built'])
    print_searches([r for r in results if r['what'] != 'built'])


if __name__ == '__main__':
    main()
