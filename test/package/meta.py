"""Is META.json what PGXN takes, and does it tell what the tree has?

Usage: meta.py [META.json].  Follows the specification 1.0.0 of pgxn.org/spec as
far as this file uses it; a field that is used here for the first time has to be
added below.
"""

import json
import os
import re
import sys

TERM = re.compile(r"[^/\\\s\x00-\x1f]{2,}")
VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+)?")
LICENSES = {"agpl_3", "apache_2_0", "artistic_2", "bsd", "freebsd", "gpl_2", "gpl_3",
            "lgpl_2_1", "lgpl_3_0", "mit", "mozilla_1_0", "mozilla_1_1", "open_source",
            "perl_5", "postgresql", "unrestricted"}
REQUIRED = {"name", "version", "abstract", "maintainer", "license", "provides", "meta-spec"}
OPTIONAL = {"description", "generated_by", "tags", "release_status", "prereqs", "resources"}
PHASES = {"configure", "build", "test", "runtime", "develop"}
RELATIONS = {"requires", "recommends", "suggests", "conflicts"}

complaints = []


def expect(truth, complaint):
    if not truth:
        complaints.append(complaint)


def is_text(value):
    return isinstance(value, str) and value.strip() != ""


def is_version(value):
    return isinstance(value, str) and VERSION.fullmatch(value) is not None


def check_top(meta):
    for field in sorted(REQUIRED - set(meta)):
        expect(False, f"{field} is missing")
    for field in sorted(set(meta) - REQUIRED - OPTIONAL):
        expect(field.lower().startswith("x_"), f"{field} is no field")
    expect(TERM.fullmatch(str(meta.get("name"))), "name is no term")
    expect(is_version(meta.get("version")), "version is no semantic version")
    for field in ("abstract", "maintainer", "description", "generated_by"):
        expect(field not in meta or is_text(meta[field]), f"{field} is no text")
    expect(meta.get("license") in LICENSES, "license is none that PGXN knows")
    expect(meta.get("release_status", "stable") in ("stable", "testing", "unstable"),
           "release_status is none")
    expect((meta.get("meta-spec") or {}).get("version") == "1.0.0",
           "meta-spec is not version 1.0.0")
    tags = meta.get("tags", [])
    expect(isinstance(tags, list) and all(is_text(tag) and len(tag) < 256 for tag in tags),
           "tags are no list of texts")
    expect(len({str(tag).lower() for tag in tags}) == len(tags), "a tag is there twice")


def check_control(name, version):
    """The control file of an extension has to install the version promised."""
    try:
        with open(name + ".control") as file:
            found = re.search(r"^default_version = '(.*)'", file.read(), re.M)
    except OSError:
        expect(False, f"{name}.control is missing")
        return
    expect(found and found.group(1) == version,
           f"{name}.control has another version than provides.{name}")


def check_provides(meta):
    provides = meta.get("provides") or {}
    expect(provides, "nothing is provided")
    for name, extension in provides.items():
        expect(TERM.fullmatch(name), f"provides.{name} is no term")
        expect(is_version(extension.get("version")), f"provides.{name}.version is none")
        for field in ("file", "docfile"):
            path = extension.get(field)
            expect(field == "docfile" and path is None or path and os.path.isfile(path),
                   f"provides.{name}.{field}: there is no {path}")
        check_control(name, extension.get("version"))


def check_prereqs(meta):
    for phase, relations in (meta.get("prereqs") or {}).items():
        expect(phase in PHASES, f"prereqs.{phase} is no phase")
        for relation, names in relations.items():
            expect(relation in RELATIONS, f"prereqs.{phase}.{relation} is no relation")
            for name, version in names.items():
                expect(is_version(version) or version == 0,
                       f"prereqs.{phase}.{relation}.{name} is no version")


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else "META.json"
    with open(path) as file:
        meta = json.load(file)
    check_top(meta)
    check_provides(meta)
    check_prereqs(meta)
    for complaint in complaints:
        print(f"{path}: {complaint}")
    sys.exit(1 if complaints else 0)


main()
