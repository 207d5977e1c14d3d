"""Vector files: which there are, and their rows."""

import glob
import gzip
import os
import re
import struct
from dataclasses import dataclass

OPERATORS = {"l2": "<->", "cosine": "<=>", "ip": "<#>"}
# As names of truth files say it.
METRIC_NAMES = {"l2": "l2", "cos": "cosine", "cosine": "cosine", "ip": "ip"}


@dataclass
class VectorSet:
    name: str
    base: str
    query: str
    metric: str = "l2"
    limit: int = None
    truth: str = None

    @property
    def operator(self):
        return OPERATORS[self.metric]


def base_name(path):
    """mnist-784 of .../mnist-784.base.u8bin.gz"""
    return os.path.basename(path).split(".")[0]


def rows_in_file(path):
    """How many rows a file has; None if its format does not tell."""
    if ".fvecs" in path:
        return None
    with open_file(path) as f:
        return struct.unpack("<I", f.read(4))[0]


def from_file(base, query=None, truth=None, metric="l2", limit=None):
    query = query or re.sub(r"\.base\.(?=[^/]*$)", ".query.", base)
    if query == base:
        raise SystemExit("no file of queries for %s: --query is needed" % base)
    for path in (base, query):
        if not os.path.exists(path):
            raise SystemExit("%s: no such file" % path)
    if limit and limit >= (rows_in_file(base) or limit + 1):
        limit = None
    return VectorSet(base_name(base), base, query, metric, limit,
                     None if limit else truth)


def truth_files(directory, name):
    """Truth by metric: NAME.gt.METRIC.ibin[.gz]"""
    out = {}
    for path in sorted(glob.glob(os.path.join(directory, name + ".gt.*.ibin*"))):
        metric = METRIC_NAMES.get(os.path.basename(path).split(".")[2])
        if metric:
            out[metric] = path
    return out


def discover(directory, names=None, metric=None, limit=None):
    """The sets in a directory: NAME.base.FORMAT with NAME.query.FORMAT.

    The metric is cosine where there is truth for it, else L2, unless one is
    asked for.
    """
    out = []
    for base in sorted(glob.glob(os.path.join(directory, "*.base.*"))):
        name = base_name(base)
        if ".labels." in base or ".ibin" in base or names and name not in names:
            continue
        truth = truth_files(directory, name)
        chosen = metric or ("cosine" if "cosine" in truth else "l2")
        out.append(from_file(base, metric=chosen, limit=limit,
                             truth=truth.get(chosen)))
    missing = set(names or ()) - {s.name for s in out}
    if missing:
        raise SystemExit("no such set in %s: %s"
                         % (directory, ", ".join(sorted(missing))))
    if not out:
        raise SystemExit("no NAME.base.* in %s" % directory)
    return out


def open_file(path):
    with open(path, "rb") as f:
        zipped = f.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if zipped else open(path, "rb")


def read_rows(path, limit):
    """The first rows of a vector file, as tuples of numbers."""
    codes = {"u8bin": "B", "f16bin": "e", "fbin": "f", "fvecs": "f"}
    kind = re.sub(r"\.gz$", "", path).rsplit(".", 1)[-1]
    total = columns = None
    rows = []
    with open_file(path) as f:
        if kind != "fvecs":
            total, columns = struct.unpack("<II", f.read(8))
        while len(rows) not in (limit, total):
            if kind == "fvecs":
                head = f.read(4)
                if not head:
                    break
                columns = struct.unpack("<i", head)[0]
            layout = struct.Struct("<%d%s" % (columns, codes[kind]))
            rows.append(layout.unpack(f.read(layout.size)))
    return rows
