"""Instructions of the index scan, counted by valgrind.

A time depends on what else the machine does, a count does not.  The server is
stopped, and a single-user backend runs the queries under callgrind, which
collects only within index_getnext_tid(), the call every index scan goes
through, whichever access method it is.  Catalogs are read through it as well,
and a search may take other ways while pages are missing.  So the queries are run
once, and twice in a row, and the difference is what counts.
"""

import os
import re
import subprocess
import tempfile

from . import vectors


def literal(row, contender):
    text = ",".join(repr(x) for x in row)
    return ("'[%s]'::%s" if contender.type in ("vector", "halfvec")
            else "'{%s}'::%s") % (text, contender.type)


def statements(rows, contender, vector_set, table, setting, k):
    out = ["SET enable_seqscan = off"]
    out += ["SET %s = '%s'" % tuple(s.split("=", 1)) for s in contender.sets]
    out += ["SET %s = %s" % (contender.guc, setting)]
    out += ["SELECT id FROM %s ORDER BY v %s %s LIMIT %d" % (
        table, vector_set.operator, literal(row, contender), k) for row in rows]
    return "\n".join(out) + "\n"


def run(server, contender, script):
    """(instructions, {function: calls}) of a script in a single-user backend."""
    with tempfile.TemporaryDirectory(dir=os.path.dirname(server.data)) as there:
        os.chmod(there, 0o777)
        out = os.path.join(there, "callgrind.out")
        subprocess.run(server.as_owner() + [
            "valgrind", "--tool=callgrind", "--toggle-collect=index_getnext_tid",
            "--callgrind-out-file=" + out,
            os.path.join(server.bindir, "postgres"), "--single",
            "-D", server.data, contender.database],
            input=script, text=True, check=True, cwd=there,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(out, encoding="utf-8") as f:
            return parse(f, contender.count)


def parse(lines, functions):
    """Total and calls of some functions from callgrind's output."""
    names = {}
    calls = dict.fromkeys(functions, 0)
    total = 0
    callee = None
    for line in lines:
        m = re.match(r"c?fn=(\(\d+\))(?: (.*))?$", line)
        if m:
            names[m[1]] = m[2] or names.get(m[1])
            callee = names[m[1]]
        elif line.startswith("calls="):
            if callee in calls:
                calls[callee] += int(line[6:].split()[0])
        elif line.startswith(("summary:", "totals:")):
            total = int(line.split()[1])
    return total, calls


def count(server, contender, vector_set, table, setting, k, n):
    """Instructions and calls per query; the server is stopped meanwhile."""
    rows = vectors.read_rows(vector_set.query, n)
    n = len(rows)
    server.stop()
    try:
        (less, less_calls), (more, more_calls) = (
            run(server, contender, statements(
                part, contender, vector_set, table, setting, k))
            for part in (rows, rows + rows))
    finally:
        server.start()
    return {"instructions": (more - less) / n,
            "calls": {f: (more_calls[f] - less_calls[f]) / n
                      for f in contender.count if more_calls[f] > 0}}
