#!/usr/bin/env bash
# jsonschema-rs 0.61.2: uniqueItems over whole numbers that need more than 64 bits
#
# Expected: time that grows with the number of items, as for smaller numbers, which are told apart by their hashes.
# Seen:     time that grows with its square: 500 numbers of 26 digits take about a tenth of a second, 2,000 sixteen
#           times as long, 9,000 (a quarter of a megabyte of JSON) most of a minute.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check jsonschema-rs==0.61.2

"$folder/venv/bin/python" - <<'PY'
import sys
import time

import jsonschema_rs

validator = jsonschema_rs.Draft202012Validator({"uniqueItems": True})


def seconds(first: int, count: int) -> float:
    items = [first + number for number in range(count)]
    started = time.process_time()
    assert validator.is_valid(items)
    return time.process_time() - started


small = [seconds(0, count) for count in (500, 2_000)]
large = [seconds(10**25, count) for count in (500, 2_000)]
print(f"numbers of up to 4 digits: 500 in {small[0]:.4f} s, 2,000 in {small[1]:.4f} s")
print(f"numbers of 26 digits:      500 in {large[0]:.4f} s, 2,000 in {large[1]:.4f} s")
if large[1] < 8 * large[0]:
    sys.exit("jsonschema-rs no longer behaves as described")
PY
