"""perf_report.json as Markdown and SVG."""

import json
import os

from . import metrics, svg

# Columns of the table at a recall.
AT_KEYS = ("qps", "qps_many", "scale", "p50_ms", "p99_ms", "tail", "lookups",
           "index_pages", "pages", "read")
BUILD_KEYS = ("seconds", "index_bytes", "wal_bytes", "peak_bytes")
# In the JSON file alone.
UNTOLD = ("mean_ms", "p90_ms", "p95_ms")
# What precedes the queries of a cold pass, for each kind of pass.
COLD_KINDS = {
    "cold": ("Cold", "Before each query the operating system's cache of the"
             " files is dropped; shared buffers stay as the queries before left"
             " them."),
    "restarted": ("After a restart", "The cache is dropped once, before the"
                  " first query, and fills up as queries go on."),
}
COLD_KEYS = ("cold_qps", "read", "storage_bytes", "p99_ms")


def shown(m, key):
    """A metric for a table."""
    if m is None:
        return "-"
    value = m["value"] if metrics.is_metric(m) else m
    if key.endswith("_bytes"):
        if abs(value) >= 1 << 20:
            return "%.1f MB" % (value / (1 << 20))
        return "%.1f kB" % (value / 1024)
    if abs(value) >= 1000:
        return "%.0f" % value
    return "%.3g" % value if abs(value) < 100 else "%.1f" % value


def table(head, rows):
    out = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    out += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return out + [""]


def labels(keys):
    return [metrics.KINDS[k].heading for k in keys]


def heading(report):
    m, s = report["machine"], report["server"]
    out = ["# Performance report", "",
           "Started %s, finished %s." % (report["started"], report["finished"]),
           "", "%s, %d processors, %.1f GiB, Linux %s (%s); load %.1f at the start."
           % (m["cpu"], m["processors"], m["memory_bytes"] / (1 << 30),
              m["kernel"], m["architecture"], m["load"]), "",
           "Extensions: " + ", ".join("%s %s" % e for e in
                                      sorted(s["extensions"].items())) + ".", "",
           "Server: " + ", ".join("%s = %s" % e for e in
                                  sorted(s["settings"].items())) + ".", ""]
    out += ["**Note:** %s\n" % note for note in report["notes"]]
    out += ["Every value is the median of its repeats, which are in"
            " `perf_report.json`; the driver's own results are in `raw/`, its"
            " commands in `commands.log`. Values at a recall are interpolated"
            " within each sweep between the two settings around it.", ""]
    return out


def ratio_rows(found, wanted):
    """Rows of the table of ratios: one per metric of a path."""
    out = []
    for path, r in found.items():
        key = path.split("/")[-1]
        kind = metrics.KINDS.get(key)
        if kind is None or key in UNTOLD or not wanted(path):
            continue
        good = r["ratio"] >= 1 if kind.more_is_better else r["ratio"] <= 1
        out.append((kind.heading, shown(r["ours"], key), shown(r["theirs"], key),
                    "**%.3f**" % r["ratio"],
                    "%.3f ... %.3f" % (r["low"], r["high"]),
                    "more" if kind.more_is_better else "less",
                    "ahead" if good else "behind"))
    return out


def cold_title(contenders, kind, first, other, target):
    """Cold runs have whole settings, so recalls are near the target, not on it."""
    recalls = [((contenders[name].get(kind) or {}).get(target) or {}).get("recall")
               for name in (first, other)]
    return "%s, near recall %s%s" % (
        COLD_KINDS[kind][0].lower(), target,
        "" if None in recalls else " (%.4f / %.4f)" % tuple(recalls))


def ratio_section(report, found):
    out = []
    first = report["first"]
    for other, ratios in found["ratios"].items():
        groups = [("build and size", lambda p: p.startswith("build/"))]
        for t in next(iter(found["contenders"].values()))["at"]:
            groups.append(("queries at recall %s" % t,
                           lambda p, t=t: p.startswith("at/%s/" % t)))
            for kind in COLD_KINDS:
                groups.append((
                    cold_title(found["contenders"], kind, first, other, t),
                    lambda p, t=t, kind=kind: p.startswith("%s/%s/" % (kind, t))))
        groups.append(("one statement of many queries, growth with data,"
                       " instructions", lambda p: p.startswith(
                           ("lateral/", "scaling/", "counted/"))))
        out += ["### %s / %s" % (first, other), ""]
        rows = []
        for title, wanted in groups:
            part = ratio_rows(ratios, wanted)
            compared = {r["recall"] for path, r in ratios.items()
                        if wanted(path) and "recall" in r}
            if any("%g" % recall not in title for recall in compared):
                title += " (compared at %.4f, where a sweep begins)" % max(compared)
            if part:
                rows += [("*%s*" % title, "", "", "", "", "", "")] + part
        out += table(("", first, other, "ratio", "lowest ... highest repeat",
                      "better", "is"), rows)
    return out


def at_section(found):
    out = []
    contenders = found["contenders"]
    for target in next(iter(contenders.values()))["at"]:
        rows = []
        for name, c in contenders.items():
            at = c["at"][target]
            if at is None:
                best = max(p["recall"] for p in c["curve"])
                rows.append([name, "not reached: %.4f" % best, ""]
                            + ["-"] * len(AT_KEYS))
                continue
            rows.append([name, "%.4f" % at["recall"],
                         "%.1f" % at["setting"] if "setting" in at else ""]
                        + [shown(at.get(k), k) for k in AT_KEYS])
        out += ["### At recall@%d %s" % (found["k"], target), ""]
        out += table(["", "recall", "setting"] + labels(AT_KEYS), rows)
    return out


def reference_section(found):
    out = []
    for key, label in (("lookup_ms", "primary key lookup with such a parameter"),
                       ("exact_ms", "exact scan")):
        known = [(name, c[key]) for name, c in found["contenders"].items()
                 if c.get(key)]
        if known:
            out += ["p50, %s: %s ms." % (label, ", ".join(
                "%s %s" % (name, shown(m, key)) for name, m in known)), ""]
    return out


def build_section(found):
    rows = [[name] + [shown(c["build"].get(k), k) for k in BUILD_KEYS]
            + [c["build"].get("workers", ""), phases(c["build"])]
            for name, c in found["contenders"].items()]
    out = ["### Build", ""]
    out += table([""] + labels(BUILD_KEYS) + ["workers", "phases"], rows)
    out += ["- %s: `%s`" % (name, c["index"])
            for name, c in found["contenders"].items()] + [""]
    return out


def phases(build):
    return ", ".join("%s %.2f s" % (p["name"], p["seconds"])
                     for p in build.get("phases", ()))


def grid_section(found):
    rows = [[name, g["maintenance_work_mem"], g["workers_wanted"], g["workers"]]
            + [shown(g.get(k), k) for k in BUILD_KEYS]
            for name, c in found["contenders"].items()
            for g in c.get("grid", ())]
    if not rows:
        return []
    return ["### Builds with other memory and workers", ""] + table(
        ["", "maintenance_work_mem", "workers wanted", "seen"]
        + labels(BUILD_KEYS), rows)


def scaling_section(found):
    rows = []
    for name, c in found["contenders"].items():
        s = c.get("scaling")
        if s:
            rows.append([name, shown(s["exponent"], "exponent"),
                         ", ".join("%d: %.2f s" % (n, m["value"]) for n, m in
                                   zip(s["rows"], s["seconds_by_size"]))])
    if not rows:
        return []
    return ["### Build time by rows", ""] + table(
        ["", "exponent", "rows: time"], rows)


def cold_section(report, found, kind):
    rows = []
    for name, c in found["contenders"].items():
        for target, cold in c.get(kind, {}).items():
            if cold:
                rows.append([name, target, "%.4f" % cold["recall"],
                             cold["setting"], cold["shared_buffers"],
                             cold["queries"]]
                            + [shown(cold.get(k), k) for k in COLD_KEYS])
    if not rows:
        return []
    title, how = COLD_KINDS[kind]
    how += (" Each pass begins with the server's restart; pages and bytes are"
            " per query. Where storage is read ahead (here: %s kB), bytes tell"
            " less than pages." % (report["machine"]["read_ahead_kb"] or "unknown"))
    head = ["", "target", "recall", "setting", "shared_buffers", "queries"]
    return ["### " + title, "", how, ""] + table(head + labels(COLD_KEYS), rows)


def lateral_section(found):
    rows = []
    for name, c in found["contenders"].items():
        found_lateral = c.get("lateral")
        if found_lateral:
            memory = found_lateral["memory"]
            rows.append([name, found_lateral["queries"],
                         shown(found_lateral["lateral_ms"], "lateral_ms"),
                         shown(found_lateral["lateral_factor"], "lateral_factor"),
                         " ".join("%d" % (m["contexts_used"] / 1024)
                                  for m in memory),
                         "%d ... %d" % (memory[0]["private_kb"],
                                        memory[-1]["private_kb"]),
                         "%d ... %d" % (memory[0]["hwm_kb"],
                                        memory[-1]["hwm_kb"])])
    if not rows:
        return []
    return ["### LATERAL: many queries in one statement", ""] + table(
        ["", "queries", "ms per query", "of a single statement",
         "kB in memory contexts after each tenth", "private kB",
         "VmHWM kB (with shared buffers)"], rows)


def counted_section(found):
    rows = []
    for name, c in found["contenders"].items():
        counted = c.get("counted")
        if counted:
            rows.append([name, counted["setting"],
                         shown(counted["instructions"], "instructions"),
                         ", ".join("%s %.1f" % (f, m["value"])
                                   for f, m in counted["calls"].items())])
    if not rows:
        return []
    return ["### Instructions of one index scan (callgrind)", ""] + table(
        ["", "setting", "instructions", "calls"], rows)


def curve_section(found):
    keys = ("qps", "qps_many", "mean_ms", "p50_ms", "p90_ms", "p95_ms", "p99_ms",
            "index_pages", "pages", "read")
    out = ["### Sweeps", ""]
    for name, c in found["contenders"].items():
        out += ["%s, %s:" % (name, c["swept"]), ""]
        out += table(["setting", "recall"] + labels(keys) + ["plan"],
                     [[p["setting"], "%.4f" % p["recall"]]
                      + [shown(p.get(k), k) for k in keys] + [p["plan"]]
                      for p in c["curve"]])
    return out


def charts(set_name, found, directory):
    """Writes the charts of a set; returns the lines that show them."""
    out = []
    k = found["k"]
    for key, label in (("qps", "queries per second, 1 client"),
                       ("pages", "pages touched per query")):
        series = [(name, [(p["recall"], p[key]["value"]) for p in c["curve"]])
                  for name, c in found["contenders"].items()]
        file = "%s-%s.svg" % (set_name, key)
        with open(os.path.join(directory, file), "w", encoding="utf-8") as f:
            f.write(svg.recall_chart("%s: recall@%d and %s" % (set_name, k, key),
                                     label, series))
        out.append("![%s](%s)" % (label, file))
    return out + [""]


def render(report, directory):
    """Writes report.md and the charts next to perf_report.json."""
    out = heading(report)
    for name, found in report["sets"].items():
        out += ["## %s" % name, "",
                "%d rows of %d dimensions, metric %s, k = %d." % (
                    found["rows"], found["dimensions"], found["metric"],
                    found["k"]), ""]
        out += charts(name, found, directory)
        out += ratio_section(report, found)
        out += at_section(found) + reference_section(found)
        out += build_section(found)
        for kind in COLD_KINDS:
            out += cold_section(report, found, kind)
        for section in (lateral_section, scaling_section, grid_section,
                        counted_section, curve_section):
            out += section(found)
    path = os.path.join(directory, "report.md")
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(out))
    return path


def write(report, directory):
    with open(os.path.join(directory, "perf_report.json"), "w",
              encoding="utf-8") as f:
        json.dump(report, f, indent=1)
    return render(report, directory)
