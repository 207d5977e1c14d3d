#!/usr/bin/env python3
"""How do libraries that search in memory do on the same rows?

They know no rows that come and go, no transactions and no files; what they reach is
what a graph costs without all that.  hnswlib, faiss and usearch, those that
Python finds (pip install hnswlib faiss-cpu usearch), build an HNSW graph of the
same shape as pgvector's on one thread, and then answer all queries in one call on
one thread, which is kinder to them than one call a query.  With --report, the
perf_report.json of a run of "bench run" over the same file on the same machine is
put beside them, and with --picture all are drawn: recall over queries a second.
README.md, "Libraries", tells more.
"""

import argparse
import json
import sys
import time

import numpy

sys.dont_write_bytecode = True
# pylint: disable=wrong-import-position
from churn_rows import read_vectors
from pybench import curves, metrics, svg, vectors

# As pgvector's HNSW: links of a node (twice as many in the lowest layer).
LINKS, BUILD_LIST = 16, 64
LISTS = (10, 16, 24, 40, 64, 100, 160, 240, 400)
TARGETS = (.95, .99)


class Hnswlib:
    """Of the package hnswlib."""
    name = 'hnswlib'

    def __init__(self, base, metric):
        import hnswlib
        self.index = hnswlib.Index(metric, base.shape[1])
        self.index.init_index(len(base), ef_construction=BUILD_LIST, M=LINKS)
        self.index.add_items(base, num_threads=1)

    def search(self, queries, k, size):
        self.index.set_ef(size)
        return self.index.knn_query(queries, k, num_threads=1)[0]


class Faiss:
    """IndexHNSWFlat of the package faiss-cpu."""
    name = 'faiss'

    def __init__(self, base, metric):
        import faiss
        faiss.omp_set_num_threads(1)
        # Of vectors of length 1, L2 orders as cosine does.
        measure = faiss.METRIC_INNER_PRODUCT if metric == 'ip' else faiss.METRIC_L2
        self.index = faiss.IndexHNSWFlat(base.shape[1], LINKS, measure)
        self.index.hnsw.efConstruction = BUILD_LIST
        self.index.add(base)

    def search(self, queries, k, size):
        self.index.hnsw.efSearch = size
        return self.index.search(queries, k)[1]


class Usearch:
    """Of the package usearch."""
    name = 'usearch'

    def __init__(self, base, metric):
        from usearch.index import Index
        self.index = Index(ndim=base.shape[1], dtype='f32', connectivity=LINKS,
                           metric={'l2': 'l2sq', 'cosine': 'cos', 'ip': 'ip'}[metric],
                           expansion_add=BUILD_LIST)
        self.index.add(numpy.arange(len(base)), base, threads=1)

    def search(self, queries, k, size):
        self.index.expansion_search = size
        return self.index.search(queries, k, threads=1).keys.reshape(len(queries), k)


def distances(base, query, metric):
    """Of one query from all rows; for the order alone."""
    if metric == 'l2':
        return ((base - query) ** 2).sum(axis=1)
    return -(base @ query)


def farthest_allowed(base, queries, metric, k):
    """The distance of the k-th nearest row from each query."""
    return [numpy.partition(distances(base, query, metric), k - 1)[k - 1]
            for query in queries]


def recall(base, queries, metric, limits, found):
    """The share of rows found that are no farther than the k-th nearest, so that
    ties are not held against anyone; a row found twice counts once."""
    hits = 0
    for query, limit, ids in zip(queries, limits, found):
        ids = numpy.unique(ids.astype('i8'))
        near = distances(base[ids[ids >= 0]], query, metric)
        hits += (near <= limit + abs(limit) * 1e-5).sum()
    return hits / found.size


def processor_time(run):
    """Seconds of processor time of this process, and what run() returned."""
    start = time.process_time()
    result = run()
    return time.process_time() - start, result


def sweep(library, data, options):
    """The points of a curve, as curves.at_recall() takes them."""
    base, queries, limits = data
    out = []
    for size in LISTS:
        times = []
        for _ in range(options.repeat):
            seconds, found = processor_time(
                lambda: library.search(queries, options.k, max(size, options.k)))
            times.append(len(queries) / seconds)
        out.append({'setting': size, 'qps': metrics.metric(times)['value'],
                    'recall': recall(base, queries, options.metric, limits, found)})
        if out[-1]['recall'] >= .998:
            break
    return out


def measured(data, options):
    """[name, seconds of the build, curve] of each library there is."""
    out = []
    for kind in (Hnswlib, Faiss, Usearch):
        try:
            seconds, library = processor_time(
                lambda: kind(data[0], options.metric))  # pylint: disable=cell-var-from-loop
        except ImportError as missing:
            print(f'{kind.name}: left out: {missing}', file=sys.stderr)
            continue
        out.append((kind.name, seconds, sweep(library, data, options)))
    return out


def of_report(path, name):
    """The same of the contenders of a report; a query takes the median time, as
    the mean is that of whatever else runs, which processor time leaves out."""
    with open(path, encoding='utf-8') as file:
        contenders = json.load(file)['sets'][name]['contenders']
    return [(key, c['build']['seconds']['value'],
             [{'setting': p['setting'], 'recall': p['recall'],
               'qps': 1000 / p['p50_ms']['value']} for p in c['curve']])
            for key, c in contenders.items()]


def told(name, seconds, curve, first):
    """A line of the table: QPS at the targets, and the first line's over it."""
    cells = [name, '%.1f' % seconds]
    for target in TARGETS:
        at, ours = (curves.at_recall(c, target) for c in (curve, first))
        if at is None or ours is None:
            cells.append('not reached')
        else:
            cells.append('%.0f at %.3f (%.2f)' % (at['qps'], at['recall'],
                                                  ours['qps'] / at['qps']))
    return '| ' + ' | '.join(cells) + ' |'


def read_data(options):
    """The set's name in reports; and rows, queries, and how far a row may be from
    each query to count."""
    files = vectors.from_file(options.base, options.query, limit=options.limit)
    base, queries = (read_vectors(path)[:most].astype('f4') for path, most in
                     ((files.base, options.limit), (files.query, options.queries)))
    if options.metric == 'cosine':
        for rows in (base, queries):
            rows /= numpy.linalg.norm(rows, axis=1, keepdims=True)
    name = '%s-%d' % (files.name, files.limit) if files.limit else files.name
    return name, (base, queries, farthest_allowed(base, queries, options.metric,
                                                        options.k))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('base', help='NAME.base.u8bin or .f16bin, .gz or not')
    parser.add_argument('--query', help='default: NAME.query of the same kind')
    parser.add_argument('--metric', choices=('l2', 'cosine', 'ip'), default='l2')
    parser.add_argument('--limit', type=int, help='the first rows alone')
    parser.add_argument('--queries', type=int, default=1000)
    parser.add_argument('--k', type=int, default=10)
    parser.add_argument('--repeat', type=int, default=3)
    parser.add_argument('--report', help='perf_report.json to put beside them')
    parser.add_argument('--picture', help='SVG file to write')
    return parser.parse_args()


def main():
    options = arguments()
    name, data = read_data(options)
    lines = of_report(options.report, name) if options.report else []
    lines += measured(data, options)
    if not lines:
        sys.exit('there is no library: pip install hnswlib faiss-cpu usearch')
    print('| | build, s | %s |\n|---|---|%s' % (
        ' | '.join('QPS at %g (first / this)' % t for t in TARGETS),
        '---|' * len(TARGETS)))
    for line in lines:
        print(told(*line, lines[0][2]))
    if options.picture:
        title = '%s: %d rows x %d, k = %d' % (name, *data[0].shape, options.k)
        with open(options.picture, 'w', encoding='utf-8') as file:
            file.write(svg.recall_chart(
                title, 'queries a second, one client or thread',
                [(key, [(p['recall'], p['qps']) for p in curve])
                 for key, _, curve in lines]))


if __name__ == '__main__':
    main()
