#!/usr/bin/env bash
# duckdb 2.0.1 and pyarrow 26.0.1: a table exported to Parquet each day, whose nullable column gets its first NULL
#
# Expected: the column is OPTIONAL in every file, since the table declares it nullable (information_schema, `is_nullable`);
#           FieldRepetitionType in parquet.thrift defines REQUIRED as a field that cannot be null. DuckDB 1.4.1 did so.
# Seen:     COPY marks a nullable column REQUIRED as long as it holds no NULL, so the schema depends on the day's rows.
#           pyarrow then refuses to join the two days; what it reads from them as one folder it cannot write again.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check duckdb==2.0.1 pyarrow==26.0.1

mkdir "$folder/days"
"$folder/venv/bin/python" - "$folder" <<'PY'
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

folder = Path(sys.argv[1])
days = folder / "days"
database = duckdb.connect()
database.execute("CREATE TABLE request (number BIGINT, reason VARCHAR)")
for day, row in enumerate(("(1, 'moved')", "(2, NULL)"), start=1):
    database.execute(f"INSERT INTO request VALUES {row}")
    database.execute(f"COPY request TO '{days / f'{day}.parquet'}' (FORMAT parquet)")
declared = database.execute("SELECT is_nullable FROM information_schema.columns WHERE column_name = 'reason'").fetchall()


def refusal(step: Callable[[], object]) -> str:
    try:
        step()
    except pa.ArrowInvalid as error:
        return str(error).splitlines()[0].rstrip(": ")
    return "done"


files = [pq.read_table(days / f"{day}.parquet") for day in (1, 2)]
nullable = [file.schema.field("reason").nullable for file in files]
joined = refusal(lambda: pa.concat_tables(files))
rewritten = refusal(lambda: pq.write_table(pq.read_table(days), folder / "rewritten.parquet"))
print(f"column nullable: in the table {declared[0][0]}; in the files of day 1 and day 2 {nullable}")
print(f"joining the two days: {joined}")
print(f"reading both as one folder and writing that: {rewritten}")

if (
    declared != [("YES",)]
    or nullable != [False, True]
    or "Schema at index 1 was different" not in joined
    or "non-nullable but contains nulls" not in rewritten
):
    sys.exit("duckdb or pyarrow no longer behaves as described")
PY
