#!/usr/bin/env python3
"""Rules of the tree that no compiler knows.

    structure.py arrows     includes lead from a floor to one below it
    structure.py circles    no file includes one that leads back to it
    structure.py versions   PG_VERSION_NUM is tested in compat.h alone
    structure.py width      lines end at column 80, tabs being 4 wide
    structure.py size       no function over 200 lines, no file over 900

A .c file and its .h file count as one.  Prints what is wrong, a line each; the
exit status is 1 then.  Started at the top of the tree.
"""
import glob
import os
import re
import sys

# From the roof to the ground.  Folders of one floor do not know each other.
FLOORS = [
    ["handler"],
    ["build", "sql"],
    ["am"],
    ["values"],
    ["store"],
    ["graph", "vector"],
    ["kernels"],
    ["compat"],
]

MAX_COLUMNS = 80
MAX_FUNCTION = 200
MAX_FILE = 900


def sources():
    return sorted(glob.glob("src/*.[ch]") + glob.glob("src/*/*.[ch]"))


def part(path):
    """The folder of a file under src/, or the file itself at the top."""
    inside = path[len("src/"):]
    return inside.split("/")[0] if "/" in inside else inside[:-2]


def includes(path):
    """Files of ours that a file includes, with the line of each."""
    with open(path) as f:
        for number, line in enumerate(f, 1):
            found = re.match(r'#include "([^"]+)"', line)
            if found and os.path.exists("src/" + found.group(1)):
                yield number, "src/" + found.group(1)


def arrows():
    floor = {name: i for i, names in enumerate(FLOORS) for name in names}
    for path in sources():
        here = part(path)
        if here not in floor:
            yield f"{path}: its folder is on no floor"
            continue
        for number, target in includes(path):
            there = part(target)
            if there != here and floor.get(there, -1) <= floor[here]:
                yield f"{path}:{number}: {here} must not know {there}"


def circles():
    graph = {}
    for path in sources():
        node = path[:-2]
        targets = {t[:-2] for _, t in includes(path)} - {node}
        graph.setdefault(node, set()).update(targets)
    done = set()

    def walk(node, trail):
        if node in trail:
            yield " -> ".join(trail[trail.index(node):] + [node])
            return
        if node in done:
            return
        for target in sorted(graph.get(node, ())):
            yield from walk(target, trail + [node])
        done.add(node)

    for node in sorted(graph):
        yield from walk(node, [])


def versions():
    for path in sources():
        with open(path) as f:
            for number, line in enumerate(f, 1):
                if "PG_VERSION_NUM" in line and path != "src/compat.h":
                    yield f"{path}:{number}: {line.strip()}"


def too_wide(path, line):
    """Strings and URLs may stick out, as pgindent lets them."""
    if len(line.expandtabs(4)) <= MAX_COLUMNS:
        return False
    code = path.endswith((".c", ".h"))
    return not (code and '"' in line)


def width():
    texts = ["src/README", "src/kernels/README", "test/README.md",
             "test/bench/README.md", "test/bench/FIGURES.md"]
    for path in sources() + sorted(glob.glob("test/*/*.[ch]")) + texts:
        with open(path) as f:
            for number, line in enumerate(f, 1):
                if too_wide(path, line.rstrip("\n")):
                    yield f"{path}:{number}: {line.strip()[:60]}..."


def size():
    for path in sources():
        with open(path) as f:
            lines = f.read().split("\n")
        if len(lines) - 1 > MAX_FILE:
            yield f"{path}: {len(lines) - 1} lines"
        start = None
        for number, line in enumerate(lines, 1):
            if line == "{":
                start = number
            elif line == "}" and start:
                if number - start > MAX_FUNCTION:
                    yield f"{path}:{start}: a function of {number - start} lines"
                start = None


def main():
    found = list(globals()[sys.argv[1]]())
    print("\n".join(found))
    sys.exit(1 if found else 0)


main()
