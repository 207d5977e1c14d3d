#!/usr/bin/env python3
"""The sources as PostgreSQL's pgindent would have them.

    test/lint/indent.py [--write] FILE...

Prints the differences and exits with status 1 if there are any; with --write,
changes the files instead.  Needs pg_bsd_indent and Universal Ctags.

pgindent itself is part of PostgreSQL's source tree alone.  This takes its
options and what it does to a file before and after pg_bsd_indent.  Names of
types come from src, the files given and the headers of the server (pg_config),
and from a pattern for those of C and of the compiler's instruction headers.
"""

import difflib
import os
import re
import subprocess
import sys
import tempfile

OPTIONS = ("-bad -bap -bbb -bc -bl -cli1 -cp33 -cdb -nce -d0 -di12 -nfc1 -i4 "
           "-l79 -lp -lpl -nip -npro -sac -tpg -ts4").split()

# Types somewhere, but names of variables and functions in most places.
NO_TYPES = set("FD_SET date interval timestamp ANY abs allocfunc iterator other "
               "pointer printfunc reference string type wrap".split())

# Types of headers that ctags is not shown.
OTHER_TYPES = re.compile(r"\b(?:[a-z][a-z0-9_]*_t|__m[0-9]+[a-z]*|FILE|va_list|"
                         r"bool|PGconn|PGresult)\b")


def output_of(*command):
    return subprocess.run(command, check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def typedefs(files):
    server = output_of(os.environ.get("PG_CONFIG", "pg_config"),
                       "--includedir-server").strip()
    names = set(output_of("ctags", "-x", "--_xformat=%N", "--languages=C,C++",
                          "--kinds-C=t", "--kinds-C++=t", "-R", server, "src",
                          *files)
                .split())
    for name in files:
        with open(name, encoding="utf-8") as f:
            names.update(OTHER_TYPES.findall(f.read()))
    return sorted(names - NO_TYPES)


# What stands before a loop and is no statement.
LOOP_MARK = re.compile(r"^[ \t]*UNROLL$", re.M)
HEX_FLOAT = re.compile(r"\b0x[0-9a-f.]*p[-+]?[0-9]+f?\b")
DECLARATION = re.compile(r"(\t+)(?:[A-Za-z_]\w*[ \t]+)+\**\w+(?:\[\w*\])? = [^{;]*$")


def before(text):
    """Protects from pg_bsd_indent what it would spoil."""
    text = re.sub(r"[ \t]+$", "", text, flags=re.M)
    text = re.sub(r"/\* +---", "/*---X_X", text)
    text = LOOP_MARK.sub("#pragma LOOP_MARK", text)
    floats = []

    def hide(match):
        floats.append(match[0])
        return "F%0*d" % (len(match[0]) - 1, len(floats) - 1)

    return HEX_FLOAT.sub(hide, text), floats


def normal(text):
    """Releases before 2.1.2 begin further lines of an initializer where the
    declaration begins, later ones a tab farther.  Either will do; this is the
    later one."""
    out = []
    indent = None
    moved = False
    for line in text.split("\n"):
        if indent is None:
            match = DECLARATION.match(line)
            indent = match[1] if match else None
            moved = False
        else:
            # What stands in parentheses of a line that moves goes along.
            moved = moved or re.match(indent + r"[^\s#]", line)
            if moved and line:
                line = "\t" + line
            if line.endswith(";"):
                indent = None
        out.append(line)
    return "\n".join(out)


def after(text, floats):
    text = text.replace("/*---X_X", "/* ---")
    text = re.sub(r"\*/(/\*.*\*/)$", "*/\t\\1", text, flags=re.M)
    text = re.sub(r"^([A-Za-z_]\S*)[ \t]+\*$", r"\1 *", text, flags=re.M)
    text = re.sub(r"^#pragma LOOP_MARK\n([ \t]*)", r"\1UNROLL\n\1", text, flags=re.M)
    text = re.sub(r",(?=\.\w+ = )", ", ", text)
    for i, literal in enumerate(floats):
        text = text.replace("F%0*d" % (len(literal) - 1, i), literal)
    return text


def indented(text, types_file):
    text, floats = before(text)
    done = subprocess.run(["pg_bsd_indent", *OPTIONS, "-U" + types_file],
                          input=text, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0 or done.stderr:
        raise RuntimeError(done.stderr)
    return after(done.stdout, floats)


def main(args):
    write = args[:1] == ["--write"]
    files = args[1:] if write else args
    status = 0
    with tempfile.NamedTemporaryFile("w", suffix=".typedefs") as types:
        types.write("\n".join(typedefs(files)) + "\n")
        types.flush()
        for name in files:
            with open(name, encoding="utf-8") as f:
                old = f.read()
            new = normal(indented(old, types.name))
            if new == normal(old):
                continue
            if write:
                with open(name, "w", encoding="utf-8") as f:
                    f.write(new)
                continue
            status = 1
            sys.stdout.writelines(difflib.unified_diff(
                normal(old).splitlines(True), new.splitlines(True), name,
                name + " indented", n=1))
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
