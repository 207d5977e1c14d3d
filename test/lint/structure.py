#!/usr/bin/env python3
"""Rules on the sources that no compiler knows.

    test/lint/structure.py RULE, run at the top of the tree

Prints what breaks the rule, a line each, and exits with status 1 if anything
does.  RULE is the name of one of the functions at the end.
"""

import glob
import os
import re
import sys

# The floors of src/, from the top, as src/README draws them in "Rooms".  A room
# is a directory, or the name of a file without its ending.  A file may include
# files of its own room and of floors below.  Rooms of one floor do not know of
# each other.
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

# The greatest width of lines, tabs being 4 columns.  The first pattern that fits
# a file counts.  Rows of tables in Markdown cannot be broken and are left out.
WIDTHS = [
    ("test/bench/*.md", 130),
    ("src/**/README", 80),
    ("src/**/*.[ch]", 80),
    ("test/bench/*.[ch]", 100),
    ("test/**/*.[ch]", 80),
    ("test/**/README.md", 80),
]

MAX_FUNCTION = 200
MAX_FILE = 900


def sources():
    return sorted(glob.glob("src/**/*.[ch]", recursive=True))


def lines_of(name):
    with open(name, encoding="utf-8") as f:
        return f.read().split("\n")


def unit(path):
    """A .c file and its .h file are one: src/am/scan.c is am/scan."""
    return os.path.splitext(os.path.relpath(path, "src"))[0]


def room(name):
    return name.split("/")[0]


def includes():
    """(file, line, unit of the file, unit included) of our own headers."""
    for name in sources():
        for number, line in enumerate(lines_of(name), 1):
            match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if match and os.path.exists(os.path.join("src", match[1])):
                yield name, number, unit(name), os.path.splitext(match[1])[0]


def arrows():
    """No file includes one of a floor above, or of another room of its floor."""
    floor = {r: i for i, rooms in enumerate(FLOORS) for r in rooms}
    for name in sources():
        if room(unit(name)) not in floor:
            yield "%s: room %s has no floor" % (name, room(unit(name)))
    for name, number, user, used in includes():
        above, below = (floor.get(room(u), -1) for u in (user, used))
        if room(user) != room(used) and above >= below:
            yield "%s:%d: %s includes %s, which is %s" % (
                name, number, user, used,
                "above" if above > below else "beside it on the same floor")


def circles():
    """No files include each other in a circle, .c and .h being one."""
    graph = {}
    for _, _, user, used in includes():
        if user != used:
            graph.setdefault(user, set()).add(used)
    done = set()

    def walk(node, path):
        if node in path:
            yield "circle: " + " -> ".join(path[path.index(node):] + [node])
        elif node not in done:
            for other in sorted(graph.get(node, ())):
                yield from walk(other, path + [node])
            done.add(node)

    for node in sorted(graph):
        yield from walk(node, [])


def versions():
    """compat.h alone knows of versions of PostgreSQL."""
    for name in sources():
        for number, line in enumerate(lines_of(name), 1):
            if "PG_VERSION_NUM" in line and name != "src/compat.h":
                yield "%s:%d: %s" % (name, number, line.strip())


def width_of(line):
    """A literal string cannot be broken: it takes no room, nor does a message
    that must stay in one piece so that it can be searched for."""
    return len(re.sub(r'"(?:[^"\\]|\\.)*"', '""', line).expandtabs(4))


def exempt(name, line):
    """Tables cannot be broken; code is where pg_bsd_indent puts it."""
    if name.endswith(("README", ".md")):
        return line.startswith(("|", "    "))
    return name.endswith((".c", ".h")) and not re.match(r"\s*(/\*|\*)", line)


def widths():
    """Lines are no wider than their kind of file allows."""
    seen = set()
    for pattern, most in WIDTHS:
        for name in sorted(set(glob.glob(pattern, recursive=True)) - seen):
            seen.add(name)
            for number, line in enumerate(lines_of(name), 1):
                if exempt(name, line):
                    continue
                if width_of(line) > most:
                    yield "%s:%d: %d columns" % (name, number, width_of(line))


def sizes():
    """Files and functions have an end.  In indented sources braces in the first
    column are those of functions, or of types, which end in a semicolon."""
    for name in sources():
        lines = lines_of(name)
        if len(lines) - 1 > MAX_FILE:
            yield "%s: %d lines" % (name, len(lines) - 1)
        begin = 0
        for number, line in enumerate(lines, 1):
            if line == "{":
                begin = number
            elif line == "}" and number - begin + 1 > MAX_FUNCTION:
                yield "%s:%d: a function of %d lines" % (
                    name, begin, number - begin + 1)


def main(rule):
    broken = list(rule())
    print("\n".join(broken), end="\n" if broken else "")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main({f.__name__: f for f in (
        arrows, circles, versions, widths, sizes)}[sys.argv[1]]))
