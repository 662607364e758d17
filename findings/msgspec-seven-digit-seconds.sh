#!/usr/bin/env bash
# msgspec 0.22.0 and pydantic 2.14.4: a time with seven digits after the second, as .NET writes it
#
# Expected: both read it alike. RFC 3339, section 5.6, allows any number of digits in `time-secfrac`; a datetime keeps six.
# Seen:     msgspec rounds, pydantic cuts. The last moment of 2026 becomes 2027 in one and stays in 2026 in the other, and
#           msgspec refuses .NET's largest time (DateTime.MaxValue, often meaning "without end") as not being RFC 3339,
#           because rounding leads past the year 9999.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check msgspec==0.22.0 pydantic==2.14.4

"$folder/venv/bin/python" - <<'PY'
import sys
from datetime import datetime

import msgspec
from pydantic import TypeAdapter


def with_msgspec(document: bytes) -> str:
    try:
        return msgspec.json.decode(document, type=datetime).isoformat()
    except msgspec.ValidationError as error:
        return str(error)


described = {
    "2026-12-31T23:59:59.999999Z": ("2026-12-31T23:59:59.999999+00:00", "2026-12-31T23:59:59.999999+00:00"),
    "2026-12-31T23:59:59.9999999Z": ("2027-01-01T00:00:00+00:00", "2026-12-31T23:59:59.999999+00:00"),
    "9999-12-31T23:59:59.9999999Z": ("Invalid RFC3339 encoded datetime", "9999-12-31T23:59:59.999999+00:00"),
}
as_described = True
for text, outcome in described.items():
    document = f'"{text}"'.encode()
    seen = with_msgspec(document), TypeAdapter(datetime).validate_json(document).isoformat()
    print(f"{text}: msgspec {seen[0]}; pydantic {seen[1]}")
    as_described &= seen == outcome

if not as_described:
    sys.exit("msgspec and pydantic no longer behave as described")
PY
