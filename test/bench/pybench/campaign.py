"""A run: every contender over every set, taking turns, and what came out."""

import math
import os
import re
import time

from . import counting, curves, metrics, server as servers

# Cold passes end with as many queries that warm the session up.
COLD_WARMUP = 10
# Passes with cold caches, and the driver's options for them.
COLD_PASSES = {"cold": ("--cold", "--evict"), "restarted": ("--cold",)}
# The scaling mode builds this many sizes, each twice the one before.
SCALING_SIZES = 4


# Options that a report repeats.
PARAMETERS = ("preset", "targets", "until", "k", "clients", "repeat",
              "build_repeat", "seconds", "no_pin", "where", "queries", "workers",
              "cold", "cold_queries", "lateral", "instructions", "scaling",
              "grid_memory", "grid_workers")


class Campaign:
    def __init__(self, server, contenders, sets, args):
        self.server = server
        self.contenders = contenders
        self.sets = sets
        self.args = args
        self.progress = servers.Progress(len(sets) * self.steps_per_set())
        self.notes = []

    def note(self, text):
        if text not in self.notes:
            print("! " + text, flush=True)
            self.notes.append(text)

    # What is to be done, for the progress shown

    def steps_per_set(self):
        a = self.args
        n = len(self.contenders)
        builds = 0 if a.no_build else a.build_repeat
        per_contender = (
            1 + builds + a.repeat
            + a.cold * len(COLD_PASSES) * len(a.targets) * a.repeat
            + (a.repeat if a.lateral else 0) + (1 if a.instructions else 0)
            + (SCALING_SIZES * a.build_repeat if a.scaling else 0)
            + len(self.grid()))
        return n * per_contender

    def grid(self):
        """(maintenance_work_mem, workers) of the builds of --grid-*."""
        return [(memory, int(workers)) for memory in self.args.grid_memory
                for workers in self.args.grid_workers]

    def turns(self, repeats):
        """(repeat, contender) so that all take turns, in alternating order."""
        for repeat in range(repeats):
            order = self.contenders if repeat % 2 == 0 else self.contenders[::-1]
            for contender in order:
                yield repeat, contender

    # Names

    def table(self, vector_set, contender):
        name = "%s_%s_%s_%s" % (vector_set.name, vector_set.limit or "all",
                                contender.name, contender.type)
        return re.sub(r"\W+", "_", name.lower()).strip("_")

    def raw_name(self, *parts):
        return re.sub(r"[^\w.-]", "_", "-".join(str(p) for p in parts))

    # One set

    def run_set(self, vector_set):
        out = {c.name: {"am": c.am, "type": c.type, "storage": c.storage,
                        "swept": c.guc} for c in self.contenders}
        for c in self.contenders:
            self.load(vector_set, c)
        rows = self.rows(vector_set)
        if self.args.no_build:
            for c in self.contenders:
                out[c.name]["build"] = {"index_bytes": metrics.metric(
                    [self.index_bytes(c, self.table(vector_set, c))])}
        else:
            self.build_all(vector_set, rows, out)
        sweeps = self.sweep_all(vector_set)
        for c in self.contenders:
            results = sweeps[c.name]
            same_type = [r for other in self.contenders if other.type == c.type
                         for r in sweeps[other.name]]
            out[c.name].update(curves.summarize(results, self.args.targets,
                                                curves.reference_ms(
                                                    same_type, "key lookup")),
                               exact_ms=curves.reference_ms(same_type,
                                                            "exact scan"),
                               index=results[0]["index"],
                               table_bytes=results[0]["table_bytes"])
            self.warn(vector_set, c, results)
        dimensions = results[0]["dimensions"]
        self.further(vector_set, rows, out)
        first = self.contenders[0].name
        return {"rows": rows, "dimensions": dimensions,
                "metric": vector_set.metric, "k": self.args.k,
                "contenders": out,
                "ratios": {c.name: curves.ratios(*curves.at_common_recalls(
                    (out[first], sweeps[first]), (out[c.name], sweeps[c.name]),
                    self.args.targets)) for c in self.contenders[1:]}}

    def further(self, vector_set, rows, out):
        """What is measured beyond builds and sweeps."""
        a = self.args
        if a.cold:
            self.cold_all(vector_set, out)
        if a.lateral:
            self.lateral_all(vector_set, out)
        if a.instructions:
            self.count_all(vector_set, out)
        if a.scaling:
            self.scale_all(vector_set, rows, out)
        if self.grid():
            self.grid_all(vector_set, rows, out)

    def rows(self, vector_set):
        c = self.contenders[0]
        return self.server.number("SELECT count(*) FROM "
                                  + self.table(vector_set, c), c.database)

    def load(self, vector_set, c):
        table = self.table(vector_set, c)
        self.progress.step("loading %s for %s" % (vector_set.name, c.name))
        if self.server.sql("SELECT to_regclass('%s')" % table, c.database):
            return
        limit = ["--limit", vector_set.limit] if vector_set.limit else []
        storage = ["--storage", c.storage] if c.storage else []
        self.server.load(c.database, "--table", table, "--file", vector_set.base,
                         "--type", c.type, *limit, *storage)

    # Builds

    def build(self, c, table, metric, rows, name, build_sets=()):
        """Builds the index of a table anew; no other index is left there."""
        for index in self.server.sql(
                "SELECT indexrelid::regclass FROM pg_index WHERE indrelid ="
                " '%s'::regclass AND NOT indisprimary" % table,
                c.database).splitlines():
            self.server.sql("DROP INDEX " + index, c.database)
        self.server.sql("CHECKPOINT")
        sets = []
        for value in c.build_sets + tuple(build_sets):
            sets += ["--set", value]
        result = self.server.drive(
            name, c.database, "build", *sets, "--sql",
            c.create_index(table, metric, rows))
        result["index_bytes"] = self.index_bytes(c, table)
        self.server.sql("CHECKPOINT")
        return result

    def index_bytes(self, c, table):
        return self.server.number("SELECT pg_relation_size('%s')"
                                  % c.index(table), c.database)

    def with_workers(self, c, table, workers):
        """As many workers as asked for, however small the table's main part.

        The server chooses workers by the size of the table without TOAST.
        """
        self.server.sql("ALTER TABLE %s SET (parallel_workers = %d)"
                        % (table, workers), c.database)

    def build_all(self, vector_set, rows, out):
        results = {c.name: [] for c in self.contenders}
        for repeat, c in self.turns(self.args.build_repeat):
            table = self.table(vector_set, c)
            self.progress.step("building %s for %s" % (c.name, vector_set.name))
            if repeat == 0:
                self.with_workers(c, table, self.args.workers)
            results[c.name].append(self.build(
                c, table, vector_set.metric, rows,
                self.raw_name(vector_set.name, c.name, "build", repeat + 1)))
        for c in self.contenders:
            out[c.name]["build"] = self.build_metrics(results[c.name])

    @staticmethod
    def build_metrics(results):
        out = {key: metrics.metric(r.get(key) for r in results)
               for key in ("seconds", "wal_bytes", "index_bytes", "peak_bytes")}
        out["workers"] = max(r["workers"] for r in results)
        out["phases"] = results[-1]["phases"]
        out["statement"] = results[-1]["statement"]
        return out

    def scale_all(self, vector_set, rows, out):
        """Build time over n, 2n, 4n, 8n rows, and the exponent fitted."""
        sizes = [rows >> i for i in reversed(range(SCALING_SIZES))]
        seconds = {(c.name, n): [] for c in self.contenders for n in sizes}
        for n in sizes:
            for c in self.contenders:
                self.copy_rows(vector_set, c, n)
            for repeat, c in self.turns(self.args.build_repeat):
                self.progress.step("building %s for %d rows of %s"
                                   % (c.name, n, vector_set.name))
                result = self.build(
                    c, self.table(vector_set, c) + "_part", vector_set.metric,
                    n, self.raw_name(vector_set.name, c.name, "scaling", n,
                                     repeat + 1))
                seconds[c.name, n].append(result["seconds"])
        for c in self.contenders:
            per_size = [seconds[c.name, n] for n in sizes]
            out[c.name]["scaling"] = {
                "rows": sizes, "seconds_by_size": [metrics.metric(s)
                                                   for s in per_size],
                "exponent": metrics.metric(metrics.exponent(sizes, s)
                                           for s in zip(*per_size))}
            self.server.sql("DROP TABLE %s_part" % self.table(vector_set, c),
                            c.database)

    def copy_rows(self, vector_set, c, n):
        table = self.table(vector_set, c)
        storage = ("ALTER TABLE %s_part ALTER v SET STORAGE %s;"
                   % (table, c.storage)) if c.storage else ""
        self.server.sql(
            "DROP TABLE IF EXISTS {0}_part; CREATE TABLE {0}_part (LIKE {0});"
            "{1} INSERT INTO {0}_part SELECT * FROM {0} WHERE id < {2}".format(
                table, storage, n), c.database)
        self.server.sql("VACUUM ANALYZE %s_part" % table, c.database)
        self.with_workers(c, table + "_part", self.args.workers)

    def grid_all(self, vector_set, rows, out):
        """Builds with several maintenance_work_mem and numbers of workers, once
        each."""
        for c in self.contenders:
            out[c.name]["grid"] = []
        for memory, workers in self.grid():
            for c in self.contenders:
                table = self.table(vector_set, c)
                self.progress.step("building %s for %s with %s and %d workers"
                                   % (c.name, vector_set.name, memory, workers))
                self.with_workers(c, table, workers)
                result = self.build(
                    c, table, vector_set.metric, rows,
                    self.raw_name(vector_set.name, c.name, "grid", memory,
                                  workers),
                    ("maintenance_work_mem=%s" % memory,
                     "max_parallel_maintenance_workers=%d" % workers))
                built = self.build_metrics([result])
                built.update(maintenance_work_mem=memory, workers_wanted=workers)
                out[c.name]["grid"].append(built)

    # Queries

    def query_arguments(self, vector_set, c):
        table = self.table(vector_set, c)
        out = ["--table", table, "--file", vector_set.query,
               "--op", vector_set.operator, "--type", c.type,
               "--k", self.args.k, "--set", "enable_seqscan=off"]
        if not self.args.no_pin:
            out.append("--pin")
        for value in c.sets:
            out += ["--set", value]
        return out

    def truth_arguments(self, vector_set, c):
        if self.args.where:
            name = "%s.%08x" % (self.table(vector_set, c),
                                sum(map(ord, self.args.where)))
            out = ["--where", self.args.where]
        else:
            name, out = self.table(vector_set, c), []
        if vector_set.truth and not self.args.where:
            return out + ["--truth", vector_set.truth]
        return out + ["--truth-cache",
                      os.path.join(self.args.cache, name + ".truth")]

    def query(self, vector_set, c, name, values, clients, n, *further):
        limit = ["--limit", n] if n else []
        return self.server.drive(
            name, c.database, "query", *self.query_arguments(vector_set, c),
            *self.truth_arguments(vector_set, c), "--guc", c.guc,
            "--values", values, "--clients", clients, "--label", c.name,
            *limit, *further)

    def sweep_all(self, vector_set):
        a = self.args
        results = {c.name: [] for c in self.contenders}
        further = ["--seconds", a.seconds]
        if not a.no_baseline:
            further.append("--baseline")
        if a.exact:
            further += ["--exact", a.exact]
        if a.until:
            further += ["--until", a.until]
        for repeat, c in self.turns(a.repeat):
            self.progress.step("queries of %s by %s, repeat %d of %d"
                               % (vector_set.name, c.name, repeat + 1, a.repeat))
            results[c.name].append(self.query(
                vector_set, c,
                self.raw_name(vector_set.name, c.name, "sweep", repeat + 1),
                c.values, ",".join(map(str, a.clients)), a.queries, *further))
        return results

    def warn(self, vector_set, c, results):
        plans = {row["plan"] for r in results for row in r["results"]
                 if "recall" in row}
        if plans != {c.index(self.table(vector_set, c))}:
            self.note("%s on %s: not every query used the index: %s"
                      % (c.name, vector_set.name, ", ".join(sorted(plans))))
        for what in ("inversions", "duplicates", "missing"):
            if any(row.get(what) for r in results for row in r["results"]):
                self.note("%s on %s: some answers have %s"
                          % (c.name, vector_set.name, what))

    @staticmethod
    def setting_at(out, c, target):
        """The whole setting that reaches a recall, None if none did.

        Where a sweep begins above it, all are taken at where that begins.
        """
        recall = curves.common_recall([o["curve"] for o in out.values()], target)
        setting = curves.setting_at(out[c.name]["curve"], recall)
        return None if setting is None else math.ceil(setting - 1e-9)

    # Cold

    def cold_all(self, vector_set, out):
        if not self.server.restartable:
            self.note("no cold runs: the server is not ours to restart")
            return
        smallest = min(out[c.name]["build"]["index_bytes"]["value"]
                       for c in self.contenders)
        buffers = self.args.cold_buffers or "%dkB" % max(
            1024, smallest // 16 // 1024)
        self.server.configure("shared_buffers", buffers)
        for target in self.args.targets:
            for kind in COLD_PASSES:
                self.cold_target(vector_set, out, kind, target, buffers)
        self.server.configure("shared_buffers", None)
        self.server.stop()
        self.server.start()

    def cold_target(self, vector_set, out, kind, target, buffers):
        results = {c.name: [] for c in self.contenders}
        for repeat, c in self.turns(self.args.repeat):
            setting = self.setting_at(out, c, target)
            self.progress.step("%s queries of %s by %s at recall %s"
                               % (kind, vector_set.name, c.name, target))
            if setting is None:
                continue
            self.server.stop()
            options = COLD_PASSES[kind]
            if not self.server.drop_cache():
                self.note("the operating system's cache could not be dropped:"
                          " cold runs count what is not in shared buffers")
                options = ("--cold",)
            self.server.start()
            results[c.name].append(self.query(
                vector_set, c, self.raw_name(vector_set.name, c.name, kind,
                                             target, repeat + 1),
                setting, "1", self.args.cold_queries + COLD_WARMUP, *options))
        for c in self.contenders:
            rows = [r["results"][0] for r in results[c.name]]
            out[c.name].setdefault(kind, {})[str(target)] = rows and {
                "setting": rows[0]["setting"], "recall": rows[0]["recall"],
                "shared_buffers": buffers, "queries": rows[0]["queries"],
                "cold_qps": metrics.metric(r["qps"] for r in rows),
                "p99_ms": metrics.metric(r["p99_ms"] for r in rows),
                "read": metrics.metric(curves.numbers(r)["read"] for r in rows),
                "storage_bytes": metrics.metric(r.get("storage_bytes")
                                                for r in rows)} or None
            cold = out[c.name][kind][str(target)]
            if cold and cold["storage_bytes"] and not cold["storage_bytes"]["value"]:
                self.note("%s on %s: a %s run read nothing from storage: its"
                          " times are not cold" % (c.name, vector_set.name, kind))

    # LATERAL

    def lateral_all(self, vector_set, out):
        results = {c.name: [] for c in self.contenders}
        for repeat, c in self.turns(self.args.repeat):
            setting = self.setting_at(out, c, self.args.targets[0])
            self.progress.step("LATERAL of %s by %s" % (vector_set.name, c.name))
            if setting is None:
                continue
            results[c.name].append(self.server.drive(
                self.raw_name(vector_set.name, c.name, "lateral", repeat + 1),
                c.database, "lateral", *self.query_arguments(vector_set, c),
                "--count", self.args.lateral,
                "--set", "%s=%s" % (c.guc, setting)))
        for c in self.contenders:
            if results[c.name]:
                out[c.name]["lateral"] = self.lateral_metrics(results[c.name])
                self.warn_lateral(vector_set, c, results[c.name])

    @staticmethod
    def lateral_metrics(results):
        def single(r):
            return sum(r["single_ms"]) / len(r["single_ms"])

        # The first part allocates what the scan works in.
        return {"queries": results[0]["queries"],
                "lateral_ms": metrics.metric(r["ms_per_query"] for r in results),
                "lateral_factor": metrics.metric(r["ms_per_query"] / single(r)
                                                 for r in results),
                "growth_bytes": metrics.metric(
                    r["memory"][-1]["contexts_used"]
                    - r["memory"][0]["contexts_used"] for r in results),
                "memory": results[-1]["memory"]}

    def warn_lateral(self, vector_set, c, results):
        for r in results:
            if r["plan"] != c.index(self.table(vector_set, c)):
                self.note("%s on %s: the LATERAL query used %s"
                          % (c.name, vector_set.name, r["plan"]))

    # Counting

    def count_all(self, vector_set, out):
        able = self.server.restartable and servers.has_program("valgrind")
        if not able:
            self.note("instructions not counted: that needs valgrind and a"
                      " server that is ours to stop")
        for c in self.contenders:
            setting = self.setting_at(out, c, self.args.targets[0])
            self.progress.step("counting instructions of %s on %s"
                               % (c.name, vector_set.name))
            if not able or setting is None:
                continue
            counted = counting.count(
                self.server, c, vector_set, self.table(vector_set, c), setting,
                self.args.k, self.args.instructions)
            out[c.name]["counted"] = {
                "setting": setting,
                "instructions": metrics.metric([counted["instructions"]]),
                "calls": {f: metrics.metric([n])
                          for f, n in counted["calls"].items()}}

    # All of it

    def run(self, save):
        """Measures all sets; save(report) is called after each of them."""
        report = {"format": 1, "started": now(),
                  "machine": servers.machine(self.server.data),
                  "server": self.server.facts(),
                  "parameters": {key: getattr(self.args, key)
                                 for key in PARAMETERS},
                  "first": self.contenders[0].name,
                  "notes": self.notes, "sets": {}}
        for vector_set in self.sets:
            name = vector_set.name
            if vector_set.limit:
                name += "-%d" % vector_set.limit
            report["sets"][name] = self.run_set(vector_set)
            report["finished"] = now()
            save(report)


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")
