"""What is measured: one table that the report, the ratios and the gate share.

A metric in a report is {"value": median, "repeats": [one per repeat]}; its key
says what it is.
"""

import math
import statistics
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    label: str
    unit: str                   # where a table must tell it
    more_is_better: bool
    # Counts do not depend on how busy the machine is, times do.
    count: bool
    # To the gate, less than this is as good as this.
    floor: float = 0

    @property
    def heading(self):
        return "%s (%s)" % (self.label, self.unit) if self.unit else self.label


def _less(label, unit, count, floor=0):
    return Kind(label, unit, False, count, floor)


KINDS = {
    "qps": Kind("QPS, 1 client", "", True, False),
    "qps_many": Kind("QPS, all clients", "", True, False),
    "scale": Kind("QPS of all clients / of one", "", True, False),
    "mean_ms": _less("mean", "ms", False),
    "p50_ms": _less("p50", "ms", False),
    "p90_ms": _less("p90", "ms", False),
    "p95_ms": _less("p95", "ms", False),
    "p99_ms": _less("p99", "ms", False),
    "tail": _less("p99 / p50", "", False),
    "lookups": _less("p50 in key lookups", "", False),
    "pages": _less("pages touched", "", True),
    "index_pages": _less("index pages touched", "", True),
    "read": _less("pages not in shared buffers", "", True, 1),
    "storage_bytes": _less("bytes read from storage", "", True, 8192),
    "cold_qps": Kind("cold QPS", "", True, False),
    "seconds": _less("build time", "s", False),
    "index_bytes": _less("index size", "", True),
    "wal_bytes": _less("WAL of the build", "", True),
    # Sampled, so it depends on timing.
    "peak_bytes": _less("memory of the build", "", False),
    "exponent": _less("exponent of build time", "", False),
    "lateral_ms": _less("LATERAL, per query", "ms", False),
    "lateral_factor": _less("LATERAL / single statement", "", False),
    "growth_bytes": _less("memory growth in LATERAL", "", True, 65536),
    "instructions": _less("instructions of the index scan", "", True),
    "calls": _less("calls", "", True),
}


def metric(values):
    """A metric from one value per repeat; None if any of them is unknown."""
    values = list(values)
    if not values or any(v is None for v in values):
        return None
    return {"value": statistics.median(values), "repeats": values}


def is_metric(node):
    return isinstance(node, dict) and set(node) == {"value", "repeats"}


def kind_of(path):
    """Kind of the metric at a path of keys, the last of which names it."""
    return KINDS.get("calls" if "calls" in path[:-1] else path[-1])


def walk(node, path=()):
    """All (path, metric) below a node of a report."""
    if is_metric(node):
        yield path, node
    elif isinstance(node, dict):
        for key, child in node.items():
            yield from walk(child, path + (key,))


def scatter(m):
    """How far repeats are off: twice the median deviation, as a share.

    One repeat that met with something else on the machine does not count much.
    """
    if m["value"] <= 0:
        return 0.0
    return 2 * statistics.median(abs(r - m["value"])
                                 for r in m["repeats"]) / m["value"]


def blend(a, b, share):
    """Between a and b; on the logarithm where there is one."""
    if a is None or b is None:
        return None
    if a > 0 and b > 0:
        return math.exp(math.log(a) * (1 - share) + math.log(b) * share)
    return a * (1 - share) + b * share


def exponent(sizes, seconds):
    """Least squares slope of log(seconds) over log(size)."""
    x = [math.log(n) for n in sizes]
    y = [math.log(s) for s in seconds]
    mx, my = statistics.fmean(x), statistics.fmean(y)
    return (sum((a - mx) * (b - my) for a, b in zip(x, y))
            / sum((a - mx) ** 2 for a in x))
