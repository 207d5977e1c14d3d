"""From the driver's results to curves, to values at a recall, to ratios."""

import statistics

from . import metrics

# Differences and exponents have no ratio worth telling.
NO_RATIO = ("growth_bytes", "exponent", "lookup_ms", "exact_ms")
POINT_KEYS = ("qps", "mean_ms", "p50_ms", "p90_ms", "p95_ms", "p99_ms",
              "index_pages", "pages", "read")


def numbers(row):
    """The metrics of one of the driver's results."""
    kinds = ("index", "heap", "toast")
    out = {key: row[key] for key in POINT_KEYS if key in row}
    out["index_pages"] = row["index_hit"] + row["index_read"]
    out["pages"] = sum(row[k + "_hit"] + row[k + "_read"] for k in kinds)
    out["read"] = sum(row[k + "_read"] for k in kinds)
    return out


def points(result):
    """The points of one sweep, in its order: with one client, and with many."""
    by_setting = {}
    for row in result["results"]:
        if "recall" in row:
            by_setting.setdefault(row["setting"], []).append(row)
    return [point(rows) for rows in by_setting.values()]


def point(rows):
    rows = sorted(rows, key=lambda row: row["clients"])
    out = numbers(rows[0])
    out.update(setting=rows[0]["setting"], recall=rows[0]["recall"],
               plan=rows[0]["plan"], tail=out["p99_ms"] / out["p50_ms"])
    if len(rows) > 1:
        out["qps_many"] = rows[-1]["qps"]
        out["scale"] = rows[-1]["qps"] / rows[0]["qps"]
    return out


def reference_ms(results, name):
    """p50 of "key lookup" or "exact scan", one client; None if not measured.

    The statement is the same for all contenders of a type, so all their
    measurements count.
    """
    found = []
    for result in results:
        rows = [row for row in result["results"]
                if row["setting"] == name]
        found += [min(rows, key=lambda row: row["clients"])["p50_ms"]] if rows else []
    return metrics.metric(found)


def at_recall(curve, recall):
    """The point of a sweep at a recall, between its neighbours.

    The first point if the sweep begins above the recall; None if the recall is
    not reached.
    """
    for i, p in enumerate(curve):
        if p["recall"] >= recall:
            break
    else:
        return None
    if i == 0:
        return dict(curve[0], setting=number(curve[0]["setting"]))
    before = curve[i - 1]
    share = (recall - before["recall"]) / (p["recall"] - before["recall"])
    out = {"recall": recall}
    for key in p:
        if key == "setting":
            out[key] = metrics.blend(number(before[key]), number(p[key]), share)
        elif key not in ("plan", "recall"):
            out[key] = metrics.blend(before[key], p[key], share)
    return out


def setting_at(curve, recall):
    """The setting of a curve, of metrics or not, at a recall; None if not reached."""
    found = at_recall([{key: p[key] for key in ("setting", "recall")}
                       for p in curve], recall)
    return found and found["setting"]


def number(setting):
    """A setting as a number; "default" is none."""
    try:
        return float(setting)
    except ValueError:
        return None


def summarize(results, targets, lookup):
    """"curve", "at" and "lookup_ms" of one contender from its sweeps."""
    sweeps = [points(result) for result in results]
    return {"curve": merge(sweeps), "lookup_ms": lookup,
            "at": {str(t): values_at(sweeps, lookup, t) for t in targets}}


def merge(sweeps):
    """One curve: each setting's medians over the repeats."""
    out = []
    for same in zip(*sweeps):
        p = {key: same[0][key] for key in ("setting", "recall", "plan")}
        for key in same[0]:
            if key not in p:
                p[key] = metrics.metric(s[key] for s in same)
        out.append(p)
    return out


def values_at(sweeps, lookup, target):
    """Metrics at a recall, interpolated within each repeat; None if not reached."""
    found = [at_recall(sweep, target) for sweep in sweeps]
    if None in found:
        return None
    out = {"recall": found[0]["recall"]}
    if found[0]["setting"] is not None:
        out["setting"] = statistics.median(f["setting"] for f in found)
    for key in found[0]:
        if key in metrics.KINDS:
            out[key] = metrics.metric(f[key] for f in found)
    if lookup is not None:
        out["lookups"] = metrics.metric(f["p50_ms"] / lookup["value"]
                                        for f in found)
    return out


def ratio(ours, theirs):
    """ours / theirs of two metrics.

    Paired by repeat where both have as many, since these ran one after the
    other; else of the medians alone.
    """
    a, b = ours["repeats"], theirs["repeats"]
    if len(a) != len(b):
        a, b = [ours["value"]], [theirs["value"]]
    if any(x == 0 for x in b):
        return None
    quotients = [x / y for x, y in zip(a, b)]
    return {"ours": ours["value"], "theirs": theirs["value"],
            "ratio": statistics.median(quotients),
            "low": min(quotients), "high": max(quotients)}


def common_recall(sweeps, target):
    """The recall to compare sweeps at: where the last of them begins, if that
    is above the target."""
    return max([target] + [sweep[0]["recall"] for sweep in sweeps])


def at_common_recalls(ours, theirs, targets):
    """Two (contender, results) as contenders that can be compared.

    Their "at" is about one recall for both, where a sweep begins above a
    target.
    """
    sweeps = [[points(r) for r in results] for _, results in (ours, theirs)]
    out = []
    for (contender, _), own in zip((ours, theirs), sweeps):
        at = {str(t): values_at(own, contender["lookup_ms"],
                                common_recall(sweeps[0] + sweeps[1], t))
              for t in targets}
        out.append(dict(contender, at=at))
    return out


def ratios(ours, theirs):
    """{path: ratio} of the metrics two contenders have in common, less curves.

    Those at a recall tell which recall that was.
    """
    left, right = (
        dict(metrics.walk({k: v for k, v in c.items() if k != "curve"}))
        for c in (ours, theirs))
    out = {}
    for path, m in left.items():
        if path in right and path[-1] not in NO_RATIO:
            r = ratio(m, right[path])
            if r is not None and path[0] == "at":
                r["recall"] = ours["at"][path[1]]["recall"]
            if r is not None:
                out["/".join(path)] = r
    return out
