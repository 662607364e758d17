"""The reference documents say what the code does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Literal

import jsonschema
import msgspec
import pytest

from lienthong.gateway.journal.records import (
    CallRecord,
    ContinuingRecord,
    IntentRecord,
    Moment,
    OpeningRecord,
    SampleRecord,
    encode,
)
from lienthong.gateway.record import timestamp
from lienthong.gateway.settings import GatewaySettings
from lienthong.kit.clock import ManualClock
from tests.support.problems import kinds_raised_in

DOCS = Path(__file__).parents[3] / "docs" / "reference"
SCHEMA = json.loads((DOCS / "journal-record.schema.json").read_text())
UUID = "01a20761-9f0c-7c4e-bd5e-8d1f5e3ac001"
NOW = "2026-11-23T06:30:00.000000Z"
RECORDS: dict[str, type[msgspec.Struct]] = {
    "call": CallRecord,
    "opening": OpeningRecord,
    "continuing": ContinuingRecord,
    "intent": IntentRecord,
    "refused-sample": SampleRecord,
}
BASE = {"v": 1, "id": UUID, "tx": UUID, "at": NOW, "node": "n"}
HASH = "hmac-sha256:" + "0" * 64
CALL = {**BASE, "kind": "call", "method": "GET", "target": HASH, "received": NOW}


def a_call(at: Moment, aborted: Literal[True] | None = None) -> CallRecord:
    """A record that knows nothing but when it was."""
    return CallRecord(
        v=1,
        id="a",
        kind="call",
        tx="t",
        at=at,
        node="n",
        method="GET",
        target="h",
        received=at,
        aborted=aborted,
    )


def rows(document: str) -> list[list[str]]:
    """The cells of every table row of a document."""
    text = (DOCS / document).read_text()
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|")
    ]


def test_every_problem_is_documented_with_its_status() -> None:
    documented = {
        row[1].strip("`"): int(row[0]) for row in rows("gateway.md") if re.fullmatch(r"[45]\d\d", row[0])
    }
    assert documented == {kind.code: kind.status for kind in kinds_raised_in("gateway")}


def test_every_setting_is_documented() -> None:
    variables = [row[0].strip("`") for row in rows("settings.md")]
    documented = {
        name.removeprefix("LIENTHONG_").lower() for name in variables if name.startswith("LIENTHONG_GATEWAY_")
    }
    assert documented == {name for name in GatewaySettings.model_fields if name.startswith("gateway_")}


def test_every_member_is_documented_and_in_the_schema_in_the_order_on_the_wire() -> None:
    text = (DOCS / "journal-record.md").read_text()
    table = text[text.index("## Members") : text.index("All times")]
    documented = [
        name
        for row in re.findall(r"^\| (`[^|]*) \|", table, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", row)
    ]
    assert documented == list(SCHEMA["properties"])
    for record in RECORDS.values():
        fields = [field.name for field in msgspec.structs.fields(record)]
        assert fields == [name for name in documented if name in fields]


def test_the_document_says_which_kinds_have_a_member() -> None:
    text = (DOCS / "journal-record.md").read_text()
    table = text[text.index("## Members") : text.index("All times")]
    documented: dict[str, set[str]] = {
        "call": set(),
        "opening": set(),
        "continuing": set(),
        "intent": set(),
        "refused-sample": set(),
        "admin": set(),
    }
    for names, kinds in re.findall(r"^\| (`[^|]*) \| ([^|]*) \|", table, re.MULTILINE):
        for kind in documented if kinds == "all" else kinds.split(", "):
            documented[kind] |= set(re.findall(r"`(\w+)`", names))
    for kind, record in RECORDS.items():
        assert documented[kind] == {field.name for field in msgspec.structs.fields(record)}


def test_the_example_in_the_document_has_the_members_in_order() -> None:
    text = (DOCS / "journal-record.md").read_text()
    example = json.loads(text[text.index("```json") + 7 :].split("```", 1)[0])
    order = [field.name for field in msgspec.structs.fields(CallRecord)]
    assert list(example) == [name for name in order if name in example]


def test_a_record_leaves_out_what_is_not_known() -> None:
    assert encode(a_call(NOW, aborted=True)) == (
        b'{"v":1,"id":"a","kind":"call","tx":"t","at":"%b","node":"n","method":"GET","target":"h","received":"%b",'
        b'"aborted":true}' % (NOW.encode(), NOW.encode())
    )


def test_times_always_have_microseconds() -> None:
    clock = ManualClock()
    for advance, fraction in ((0.0, "000000"), (0.000001, "000001"), (0.1, "100001"), (0.899999, "000000")):
        clock.advance(advance)
        record = json.loads(encode(a_call(timestamp(clock.now()))))
        assert record["at"].startswith("2026-11-23T06:30:0")
        assert record["at"].endswith(f".{fraction}Z")


@pytest.mark.parametrize(
    "record",
    [
        {**CALL, "status": 200, "answered": NOW},
        {**CALL, "aborted": True},
        {**BASE, "kind": "refused-sample", "status": 401, "error": "no-token", "count": 3, "since": NOW},
        {
            **BASE,
            "kind": "admin",
            "actor": "operator",
            "action": "agreement.approve",
            "object": "Agreement/a",
        },
    ],
)
def test_the_schema_takes_what_is_right(record: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(record)


@pytest.mark.parametrize(
    "record",
    [
        CALL,
        {**CALL, "status": 200},
        {**CALL, "status": 200, "answered": "2026-11-23T06:30:00Z"},
        {**CALL, "status": 200, "answered": NOW, "agreement": "a"},
        {**CALL, "status": 200, "answered": NOW, "user": "079090000001"},
        {**CALL, "status": 200, "answered": NOW, "path": "/x"},
        {**CALL, "aborted": False},
        {**BASE, "kind": "refused-sample", "status": 401, "since": NOW},
        {**BASE, "kind": "other"},
    ],
)
def test_the_schema_refuses_what_is_wrong(record: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(record)
