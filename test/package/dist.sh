#!/bin/bash
#
# The archive that PGXN takes: "make dist".
#
# It has what is committed, and lies in build then, or in the directory named by
# DIST_OUT.  META.json is checked before: PGXN would refuse it only when it has
# been sent.

set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
: "${DIST_OUT:=$top/build}"

cd "$top"
python3 test/package/meta.py
name=$(python3 -c '
import json
meta = json.load(open("META.json"))
print(meta["name"] + "-" + meta["version"])')
mkdir -p "$DIST_OUT"
git archive --format=zip --prefix="$name/" -o "$DIST_OUT/$name.zip" HEAD
git diff --quiet HEAD || echo "what is not committed is not in it"
echo "$DIST_OUT/$name.zip"
