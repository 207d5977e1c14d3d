"""Links of the pages hold: the files they name are there, and so are the headings.

Usage: links.py FILE.md...  What lies outside of the tree is not asked for.
"""

import os
import re
import sys

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def text_of(path):
    """The page without its blocks of code, whose brackets are no links."""
    with open(path, encoding="utf-8") as file:
        return re.sub(r"^```.*?^```", "", file.read(), flags=re.M | re.S)


def anchors(path):
    """What GitHub and others make of headings."""
    names = set()
    for heading in re.findall(r"^#+ +(.*)$", text_of(path), re.M):
        plain = re.sub(r"[^\w\- ]", "", heading.lower().strip())
        names.add(plain.replace(" ", "-"))
    return names


def complaints(page):
    text = re.sub(r"`[^`]*`", "", text_of(page).replace("[`", "[").replace("`]", "]"))
    for target in LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        path = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
        if not os.path.exists(path):
            yield "%s: there is no %s" % (page, target)
        elif anchor and anchor not in anchors(path):
            yield "%s: no heading for %s" % (page, target)


def main():
    found = [line for page in sys.argv[1:] for line in complaints(page)]
    print("\n".join(found))
    sys.exit(1 if found else 0)


main()
