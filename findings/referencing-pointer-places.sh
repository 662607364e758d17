#!/usr/bin/env bash
# referencing 0.37.0: a JSON pointer that names no place of a list
#
# Expected: an error. An index is `0`, or digits without a zero in front (RFC 6901, section 4), and only arrays have one.
# Seen:     `-1` is the last element, `+1` and `01` the second; of a text, `0` is its first character.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check referencing==0.37.0

"$folder/venv/bin/python" - <<'PY'
import sys

from referencing import Registry, Resource

document = {"list": ["first", "second", "last"], "text": "abc"}
resolver = Registry().resolver_with_root(Resource.opaque(document))
described = {"#/list/-1": "last", "#/list/+1": "second", "#/list/01": "second", "#/text/0": "a"}
as_described = True
for reference, outcome in described.items():
    try:
        seen = resolver.lookup(reference).contents
    except Exception as error:
        seen = repr(error)
    print(f"{reference}: {seen}")
    as_described &= seen == outcome

if not as_described:
    sys.exit("referencing no longer behaves as described")
PY
