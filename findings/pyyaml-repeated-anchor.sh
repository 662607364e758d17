#!/usr/bin/env bash
# PyYAML 6.0.3: a YAML 1.2 document that uses an anchor again, and numbers and words of the core schema
#
# Expected: read as YAML 1.2 says. An alias means the last node before it with that anchor (1.2.2, section 7.1: anchors
#           need not be unique); `0o17` is 15, `on` is text (section 10.3.2), as every version since 2009 has it.
# Seen:     the second anchor is a syntax error ("found duplicate anchor"), with and without libyaml; `0o17` is text, and
#           `on`, `1:30` and `2026-01-01` are true, 90 and a date, as in YAML 1.1.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check PyYAML==6.0.3

"$folder/venv/bin/python" - <<'PY'
import sys
from datetime import date

import yaml


def read(text, loader):
    try:
        return yaml.load(text, Loader=loader)
    except yaml.YAMLError as error:
        return error.context


loaders = [yaml.SafeLoader, *([yaml.CSafeLoader] if yaml.__with_libyaml__ else [])]
described = {
    "[&a 1, &a 2, *a]": "found duplicate anchor",
    "[0o17, on, 1:30, 2026-01-01]": ["0o17", True, 90, date(2026, 1, 1)],
}
as_described = True
for text, outcome in described.items():
    for loader in loaders:
        seen = read(text, loader)
        print(f"{text} with {loader.__name__}: {seen}")
        as_described &= str(seen).startswith(str(outcome))

if not as_described:
    sys.exit("PyYAML no longer behaves as described")
PY
