"""The regression gate: is a report worse than an older one?"""

import json

from . import metrics

# A metric that scatters by more than this share shows nothing.
USELESS_NOISE = 0.5


def read(path):
    with open(path, encoding="utf-8") as f:
        report = json.load(f)
    if report.get("format") != 1 or "sets" not in report:
        raise SystemExit("%s: not a report of this tool" % path)
    return report


def contender_metrics(report, contender):
    """{(set, key, ...): metric} of one contender, less curves and grids."""
    out = {}
    for name, found in report["sets"].items():
        c = found["contenders"].get(contender)
        if c is None:
            continue
        for path, m in metrics.walk({k: v for k, v in c.items()
                                     if k != "curve"}):
            if metrics.kind_of(path):
                out[(name,) + path] = m
    return out


def worsening(kind, old, new):
    """Share by which new is worse than old; negative if it is better."""
    old, new = max(old, kind.floor), max(new, kind.floor)
    if old == new:
        return 0.0
    if kind.more_is_better:
        old, new = new, old
    return new / old - 1 if old > 0 else float("inf")


def noise(kind, path, old, reports):
    """How far equal things were apart: repeats of a run, and runs (A/A)."""
    found = [metrics.scatter(m[path]) for m in reports if path in m]
    found += [abs(worsening(kind, old["value"], m[path]["value"]))
              for m in reports[2:] if path in m]
    return max(found)


def compare(old, new, same, contender, max_regress):
    """Compares reports; returns (lines, number of regressions, compared).

    max_regress is a share.  Counts may be worse by that; times by that or by
    what scatters anyway, whichever is more.  same: further runs of what old
    measured.
    """
    a, b = (contender_metrics(r, contender) for r in (old, new))
    reports = [a, b] + [contender_metrics(r, contender) for r in same]
    lines, bad = [], 0
    for path in sorted(a):
        kind = metrics.kind_of(path)
        name = "/".join(path)
        if path not in b:
            lines.append("REGRESSION %s: not in the new report" % name)
            bad += 1
            continue
        worse = worsening(kind, a[path]["value"], b[path]["value"])
        limit = max_regress
        verdict = "ok"
        if not kind.count:
            scatter = noise(kind, path, a[path], reports)
            limit = max(limit, scatter)
            if scatter > USELESS_NOISE:
                verdict = "ok, but too noisy to tell"
        # Room for the last digit of a quotient.
        if worse > limit + 1e-9:
            verdict = "REGRESSION"
            bad += 1
        if verdict != "ok" or worse > 0.01:
            lines.append("%s %s: %g -> %g, %.1f %% worse (limit %.1f %%)" % (
                verdict, name, a[path]["value"], b[path]["value"],
                100 * worse, 100 * limit))
    return lines, bad, len(a)


def main(args):
    old, new = read(args.old), read(args.new)
    contender = args.contender or old["first"]
    lines, bad, compared = compare(
        old, new, [read(path) for path in args.same], contender,
        args.max_regress / 100)
    for line in lines:
        print(line)
    if compared == 0:
        print("nothing to compare: %s has no metric of %s"
              % (args.old, contender))
        return 2
    print("%s: %d metrics compared, %d regressions beyond %g %%"
          % (contender, compared, bad, args.max_regress))
    return 1 if bad else 0
