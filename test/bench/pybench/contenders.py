"""Who is compared: an access method, the type it indexes, and what to sweep."""

import math
import re
from dataclasses import dataclass, replace

STEPS = "10,12,15,19,24,30,38,48,60,76,96,120,150,190,240,300,380,480,600,760"


@dataclass(frozen=True)
class Contender:
    name: str
    am: str
    type: str
    opclass: str                # {metric} stands for l2, cosine, ip
    guc: str                    # the setting that is swept
    extensions: tuple
    values: str = STEPS
    options: str = ""           # WITH (...); {lists} stands for rows / 1000
    storage: str = ""           # of the column
    database: str = "postgres"
    sets: tuple = ()            # NAME=VALUE for the queries' sessions
    build_sets: tuple = ()      # NAME=VALUE for the build
    count: tuple = ()           # functions whose calls are counted

    def create_index(self, table, metric, rows):
        options = self.options.format(lists=max(1, math.ceil(rows / 1000)))
        return "CREATE INDEX %s ON %s USING %s (v %s)%s" % (
            self.index(table), table, self.am,
            self.opclass.format(metric=metric),
            " WITH (%s)" % options if options else "")

    @staticmethod
    def index(table):
        return table + "_idx"


KNOWN = {c.name: c for c in (
    Contender("diskann", "diskann", "real[]", "real_{metric}_ops",
              "diskann.query_search_list_size", ("diskann",),
              count=("DiskannVisitNode",)),
    Contender("diskann_vector", "diskann", "vector", "vector_{metric}_ops",
              "diskann.query_search_list_size", ("diskann_pgvector",),
              count=("DiskannVisitNode",)),
    Contender("hnsw", "hnsw", "vector", "vector_{metric}_ops",
              "hnsw.ef_search", ("vector",),
              options="m = 16, ef_construction = 64",
              count=("vector_l2_squared_distance",
                     "vector_negative_inner_product")),
    Contender("ivfflat", "ivfflat", "vector", "vector_{metric}_ops",
              "ivfflat.probes", ("vector",), values="1,2,3,4,6,8,11,16,22,32,45",
              options="lists = {lists}",
              count=("vector_l2_squared_distance",
                     "vector_negative_inner_product")),
)}

# The one of these whose extensions are there; in a report it is "diskann".
OURS = ("diskann_vector", "diskann")

TUPLES = {"extensions", "sets", "build_sets", "count"}
# Short names on the command line.
ALIASES = {"with": "options", "extension": "extensions", "set": "sets",
           "build-set": "build_sets"}


def parse(spec):
    """The contenders that "NAME[;KEY=VALUE]..." may mean, the best first.

    NAME is "ours", one of KNOWN, or a new one, which needs am, type, opclass,
    guc and extension.  Example: "hnsw;name=hnsw32;with=m = 32".
    """
    name, *parts = [part.strip() for part in spec.split(";")]
    given = {}
    for part in parts:
        key, eq, value = part.partition("=")
        key = ALIASES.get(key.strip(), key.strip())
        if not eq or key not in Contender.__dataclass_fields__:
            raise SystemExit("not KEY=VALUE of a contender: \"%s\"" % part)
        value = value.strip()
        given[key] = tuple(value.split(",")) if key in TUPLES else value
    if name == "ours":
        given = {"name": "diskann", **given}
        return [checked(replace(KNOWN[known], **given)) for known in OURS]
    if name in KNOWN:
        return [checked(replace(KNOWN[name], **given))]
    try:
        return [checked(Contender(**{"name": name, **given}))]
    except TypeError:
        raise SystemExit("contender \"%s\" is not a known one: it needs am, type,"
                         " opclass, guc and extension" % name) from None


def checked(contender):
    if not re.fullmatch(r"[a-z][a-z0-9_]*", contender.name):
        raise SystemExit("name of a contender: small letters, digits, _: \"%s\""
                         % contender.name)
    return contender


def override(contender, args):
    """Options such as --with, for the first contender."""
    given = {key: value for key, value in (
        ("type", args.type), ("opclass", args.opclass), ("guc", args.guc),
        ("options", args.options), ("storage", args.storage),
        ("values", args.values)) if value}
    return replace(contender, **given,
                   sets=contender.sets + tuple(args.set),
                   build_sets=contender.build_sets + tuple(args.build_set))
