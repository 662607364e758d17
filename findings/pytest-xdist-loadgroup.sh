#!/usr/bin/env bash
# pytest-xdist 3.8.0 with pytest 9.2.0: --dist loadgroup
#
# Expected: tests marked xdist_group with the same name run in one worker (pytest-xdist, "Running tests across multiple
#           CPUs", "--dist loadgroup").
# Seen:     the mark changes nothing: tests of one group run in several workers, as without it, and nothing is said.
#           pytest-xdist appends the group to the name of each test, in an attribute that pytest does not read any more.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check pytest==9.2.0 pytest-xdist==3.8.0

cat >"$folder/test_group.py" <<'PY'
import time
from pathlib import Path

import pytest


@pytest.mark.xdist_group("together")
@pytest.mark.parametrize("number", range(8))
def test_something(number, worker_id):
    with (Path(__file__).parent / "workers").open("a") as file:
        print(worker_id, file=file)
    time.sleep(0.3)
PY

cd "$folder"
"$folder/venv/bin/python" -m pytest -q -p no:cacheprovider --numprocesses 2 --dist loadgroup test_group.py
seen=$(sort "$folder/workers" | uniq -c)
echo "8 tests of one group; how many each worker ran:"
echo "$seen"
if [ "$(sort -u "$folder/workers" | wc -l)" -ne 2 ]; then
  echo "the group stays together again" >&2
  exit 1
fi
