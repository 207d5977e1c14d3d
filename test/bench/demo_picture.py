"""The demo's picture: recall and queries a second, with the exact scan.

Usage: demo_picture.py RESULT.json PICTURE.svg
"""

import json
import sys

from pybench import svg


def main():
    source, target = sys.argv[1:]
    with open(source) as file:
        result = json.load(file)
    index = sorted({(row["recall"], row["qps"]) for row in result["results"]
                    if "recall" in row and row["setting"] != "default"})
    exact = [(1.0, row["qps"]) for row in result["results"]
             if row["setting"] == "exact scan"]
    title = "%d rows x %d, one client, k = %d" % (
        result["rows"], result["dimensions"], result["k"])
    with open(target, "w") as file:
        file.write(svg.recall_chart(title, "queries a second",
                                    [("diskann", index), ("exact scan", exact)]))


main()
