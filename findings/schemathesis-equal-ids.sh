#!/usr/bin/env bash
# schemathesis 4.32.5 with pytest 9.2.0, and with pytest-xdist 3.8.0: --dist loadfile
#
# Expected: `schema.parametrize()` makes one test of each operation, with the operation in its identifier
#           (test_api[GET /a]), and a parallel run has them all.
# Seen:     all operations have one identifier (test_api). In one process each is run, and none can be chosen by its
#           identifier; a parallel run by file or by scope runs one operation and leaves the others out, and the run
#           passes. schemathesis writes the operation into the name, of which pytest 9.2 makes no identifier any more;
#           pytest-xdist counts by identifier.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
  pytest==9.2.0 pytest-xdist==3.8.0 schemathesis==4.32.5

cat >"$folder/test_operations.py" <<'PY'
import os
from pathlib import Path

import schemathesis

ANSWERS = {"responses": {"200": {"description": "Well."}}}
SCHEMA = schemathesis.openapi.from_dict(
    {
        "openapi": "3.1.0",
        "info": {"title": "Three operations", "version": "1"},
        "paths": {path: {"get": ANSWERS} for path in ("/a", "/b", "/c")},
    }
)


@SCHEMA.parametrize()
def test_api(case):
    with (Path(__file__).parent / os.environ["SEEN"]).open("a") as file:
        print(case.operation.label, file=file)
PY

cd "$folder"
SEEN=alone "$folder/venv/bin/python" -m pytest -q -p no:cacheprovider test_operations.py
SEEN=parallel "$folder/venv/bin/python" -m pytest -q -p no:cacheprovider --numprocesses 2 --dist loadfile test_operations.py
"$folder/venv/bin/python" -m pytest -q -p no:cacheprovider --collect-only test_operations.py | grep '::' | sort | uniq -c
echo "operations in one process:" $(sort -u alone | wc -l) "by two workers:" $(sort -u parallel | wc -l)
if [ "$(sort -u alone | wc -l)" -ne 3 ] || [ "$(sort -u parallel | wc -l)" -ne 1 ]; then
  echo "it is otherwise now" >&2
  exit 1
fi
