#!/usr/bin/env python3
"""Tests of the arithmetic behind a report: python3 test/bench/t/report_test.py"""

import dataclasses
import gzip
import math
import os
import struct
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(__file__), os.pardir))
# pylint: disable=wrong-import-position
from pybench import campaign, contenders, counting, curves, metrics, svg, vectors


def row(setting, recall, qps, clients=1, pages=10.0):
    out = {"setting": setting, "recall": recall, "qps": qps, "clients": clients,
           "plan": "idx", "index_hit": pages, "index_read": 0, "heap_hit": 2,
           "heap_read": 1, "toast_hit": 0, "toast_read": 0}
    out.update((key, 1000 / qps) for key in
               ("mean_ms", "p50_ms", "p90_ms", "p95_ms"))
    out["p99_ms"] = 2 * out["p50_ms"]
    return out


def named(name):
    return dataclasses.replace(contenders.KNOWN["hnsw"], name=name)


def sweep(*rows, lookup=0.01):
    return {"results": list(rows) + [
        {"setting": "key lookup", "clients": 1, "p50_ms": lookup}]}


class AtRecall(unittest.TestCase):
    def test_between_two_settings(self):
        curve = curves.points(sweep(row("10", 0.90, 400, pages=10),
                                    row("30", 1.00, 100, pages=40)))
        at = curves.at_recall(curve, 0.95)
        self.assertAlmostEqual(at["qps"], 200)      # geometric mean
        self.assertAlmostEqual(at["index_pages"], 20)
        self.assertAlmostEqual(at["setting"], math.sqrt(300))
        self.assertEqual(at["recall"], 0.95)

    def test_setting_that_just_reaches_it(self):
        curve = curves.points(sweep(row("10", 0.90, 400), row("20", 0.95, 300),
                                    row("30", 0.99, 100)))
        self.assertAlmostEqual(curves.at_recall(curve, 0.95)["qps"], 300)

    def test_above_from_the_beginning(self):
        curve = curves.points(sweep(row("10", 0.97, 400), row("20", 0.99, 300)))
        at = curves.at_recall(curve, 0.95)
        self.assertEqual((at["recall"], at["qps"], at["setting"]),
                         (0.97, 400, 10))

    def test_not_reached(self):
        curve = curves.points(sweep(row("10", 0.90, 400), row("20", 0.94, 300)))
        self.assertIsNone(curves.at_recall(curve, 0.95))

    def test_dip_before_it(self):
        curve = curves.points(sweep(row("10", 0.90, 400), row("20", 0.89, 300),
                                    row("30", 0.95, 200)))
        self.assertAlmostEqual(curves.at_recall(curve, 0.95)["qps"], 200)

    def test_setting_where_all_sweeps_have_begun(self):
        early = curves.points(sweep(row("10", 0.90, 400), row("30", 1.00, 100)))
        late = curves.points(sweep(row("10", 0.98, 400), row("20", 0.99, 300)))
        out = {"a": {"curve": early}, "b": {"curve": late}}
        settings = [campaign.Campaign.setting_at(out, c, 0.95)
                    for c in (named("a"), named("b"))]
        self.assertEqual(settings, [25, 10])        # both at 0.98
        del out["b"]
        self.assertEqual(campaign.Campaign.setting_at(out, named("a"), 0.95), 18)
        self.assertIsNone(curves.setting_at(late, 0.995))

    def test_many_clients(self):
        point = curves.points(sweep(row("10", 0.9, 400),
                                    row("10", 0.9, 700, clients=2)))[0]
        self.assertEqual((point["qps"], point["qps_many"], point["scale"]),
                         (400, 700, 1.75))
        self.assertEqual(point["pages"], 13)
        self.assertEqual(point["read"], 1)


class Summary(unittest.TestCase):
    def test_median_of_repeats(self):
        results = [sweep(row("10", 0.9, q), row("20", 1.0, q))
                   for q in (100, 300, 200)]
        found = curves.summarize(results, [0.95],
                                 curves.reference_ms(results, "key lookup"))
        at = found["at"]["0.95"]
        self.assertAlmostEqual(at["qps"]["value"], 200)
        self.assertAlmostEqual(at["lookups"]["value"], 5 / 0.01)
        self.assertAlmostEqual(at["tail"]["value"], 2)
        self.assertEqual(len(found["curve"]), 2)

    def test_ratio_is_paired(self):
        r = curves.ratio(metrics.metric([10, 20, 30]), metrics.metric([5, 10, 10]))
        self.assertEqual((r["ratio"], r["low"], r["high"]), (2, 2, 3))

    def test_ratios_by_path(self):
        def contender(n):
            return {"at": {"0.95": {"recall": 0.95, "pages": metrics.metric([n])},
                           "0.99": None},
                    "curve": [{"pages": metrics.metric([1])}],
                    "lookup_ms": metrics.metric([n])}
        found = curves.ratios(contender(3), contender(6))
        self.assertEqual(list(found), ["at/0.95/pages"])
        self.assertEqual(found["at/0.95/pages"]["ratio"], 0.5)

    def test_ratios_where_a_sweep_begins(self):
        low = [sweep(row("10", 0.90, 400), row("20", 1.0, 100))]
        high = [sweep(row("10", 0.96, 50), row("20", 1.0, 10))]
        pair = [(curves.summarize(results, [0.95], None), results)
                for results in (low, high)]
        found = curves.ratios(*curves.at_common_recalls(*pair, [0.95]))
        self.assertEqual(found["at/0.95/qps"]["recall"], 0.96)
        self.assertAlmostEqual(found["at/0.95/qps"]["theirs"], 50)
        self.assertAlmostEqual(found["at/0.95/qps"]["ours"],
                               400 * 4 ** -0.6)

    def test_unknown_in_one_repeat(self):
        self.assertIsNone(metrics.metric([1, None]))

    def test_exponent(self):
        self.assertAlmostEqual(
            metrics.exponent([1, 2, 4, 8], [3 * n ** 1.1 for n in (1, 2, 4, 8)]),
            1.1)


class Parsing(unittest.TestCase):
    def test_contender(self):
        c, = contenders.parse("hnsw;name=wide;with=m = 32, ef_construction = 128")
        self.assertEqual((c.name, c.am, c.options),
                         ("wide", "hnsw", "m = 32, ef_construction = 128"))
        self.assertEqual(c.create_index("t", "cosine", 10),
                         "CREATE INDEX t_idx ON t USING hnsw"
                         " (v vector_cosine_ops)"
                         " WITH (m = 32, ef_construction = 128)")

    def test_unknown_contender(self):
        c, = contenders.parse("x;am=x;type=vector;opclass=o_{metric};guc=x.y;"
                              "extension=e")
        self.assertEqual((c.opclass, c.extensions), ("o_{metric}", ("e",)))
        for bad in ("x;am=x", "hnsw;what=1", "hnsw;with"):
            with self.assertRaises(SystemExit):
                contenders.parse(bad)

    def test_lists(self):
        c, = contenders.parse("ivfflat")
        self.assertIn("lists = 3", c.create_index("t", "l2", 2500))

    def test_ours(self):
        self.assertEqual([(c.name, c.type) for c in contenders.parse("ours")],
                         [("diskann", "vector"), ("diskann", "real[]")])

    def test_callgrind(self):
        lines = ["fn=(1) main", "10 5", "cfn=(2) visit", "calls=3 100", "10 7",
                 "fn=(3) other", "cfn=(2)", "calls=4 100", "cfn=(1)",
                 "calls=9 1", "totals: 1234"]
        self.assertEqual(counting.parse(lines, ("visit",)), (1234, {"visit": 7}))

    def test_stacks(self):
        lines = ["postgres 1 2.0: cycles:", "\tff01 inner+0x1 (/a b)",
                 "\tff02 outer+0x2 (/c)", "", "postgres 1 2.1: cycles:",
                 "\tff02 outer+0x9 (/c)", ""]
        self.assertEqual(svg.fold(lines),
                         {("outer", "inner"): 1, ("outer",): 1})
        self.assertIn("outer: 2 samples, 100.00 %",
                      svg.flame_graph(svg.fold(lines), "t"))

    def test_vector_files(self):
        formats = {"u8bin": ("<II4B", (2, 2, 1, 2, 3, 4)),
                   "f16bin": ("<II4e", (2, 2, 1, 2, 3, 4)),
                   "fbin": ("<II4f", (2, 2, 1, 2, 3, 4)),
                   "fvecs": ("<i2fi2f", (2, 1, 2, 2, 3, 4))}
        with tempfile.TemporaryDirectory() as there:
            for kind, (layout, values) in formats.items():
                path = os.path.join(there, "x." + kind)
                data = struct.pack(layout, *values)
                for name, content in ((path, data),
                                      (path + ".gz", gzip.compress(data))):
                    with open(name, "wb") as f:
                        f.write(content)
                    self.assertEqual(vectors.read_rows(name, 5),
                                     [(1, 2), (3, 4)], name)
                    self.assertEqual(vectors.read_rows(name, 1), [(1, 2)], name)


if __name__ == "__main__":
    unittest.main()
