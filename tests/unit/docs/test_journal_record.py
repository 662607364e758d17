"""The journal record's reference and JSON schema say the same as the types that write records."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest
from jsonschema import Draft202012Validator

from lienthong.gateway.journal.records import (
    CallRecord,
    ContinuingRecord,
    IntentRecord,
    OpeningRecord,
    SampleRecord,
)
from lienthong.kit.journal import AdminAct, AdminRecord

DOCS = Path(__file__).parents[3] / "docs" / "reference"
SCHEMA: dict[str, Any] = json.loads((DOCS / "journal-record.schema.json").read_text())
RECORDS: dict[str, type[msgspec.Struct]] = {
    "call": CallRecord,
    "opening": OpeningRecord,
    "continuing": ContinuingRecord,
    "intent": IntentRecord,
    "refused-sample": SampleRecord,
    "admin": AdminRecord,
}
BRANCHES = {branch["properties"]["kind"]["const"]: branch for branch in SCHEMA["oneOf"]}
JSON_TYPES: dict[Any, str] = {
    bool: "boolean",
    int: "integer",
    str: "string",
    datetime: "string",
    dict: "object",
    list: "array",
}
UUID = "01a20761-9f0c-7c4e-bd5e-8d1f5e3ac001"


def members(kind: str) -> list[str]:
    return [field.name for field in msgspec.structs.fields(RECORDS[kind])]


def stated(schema: dict[str, Any]) -> set[str]:
    """The JSON types that a schema allows."""
    if "$ref" in schema:
        return stated(SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]])
    if values := schema.get("enum", [schema["const"]] if "const" in schema else None):
        return {JSON_TYPES[type(value)] for value in values}
    return {schema["type"]}


def written(annotation: Any) -> set[str]:  # noqa: ANN401 - any annotation
    """The JSON types that a member of this type is written as; None and UNSET are left out."""
    if get_origin(annotation) is Literal:
        return {JSON_TYPES[type(value)] for value in get_args(annotation)}
    if get_origin(annotation) in {Union, UnionType}:
        return set().union(*map(written, get_args(annotation)))
    if annotation in {type(None), msgspec.UnsetType}:
        return set()
    return {JSON_TYPES[get_origin(annotation) or annotation]}


def test_the_schema_is_a_schema_and_has_every_kind() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert set(BRANCHES) == set(RECORDS) == set(SCHEMA["properties"]["kind"]["enum"])


@pytest.mark.parametrize("kind", RECORDS)
def test_a_kind_has_the_members_of_its_type(kind: str) -> None:
    assert BRANCHES[kind]["propertyNames"]["enum"] == members(kind)


@pytest.mark.parametrize("kind", RECORDS)
def test_members_that_the_type_always_has_are_required(kind: str) -> None:
    always = {
        field.name
        for field in msgspec.structs.fields(RECORDS[kind])
        # Written though it has a default: a type without `omit_defaults`.
        if field.required or (kind == "admin" and field.name in {"v", "kind"})
    }
    assert {*SCHEMA["required"], *BRANCHES[kind]["required"]} == always


@pytest.mark.parametrize("kind", RECORDS)
def test_members_have_the_json_types_of_the_type(kind: str) -> None:
    for name, annotation in get_type_hints(RECORDS[kind]).items():
        assert written(annotation) == stated(SCHEMA["properties"][name]), name


def test_the_reference_says_which_kinds_have_a_member() -> None:
    text = (DOCS / "journal-record.md").read_text()
    table = text[text.index("## Members") : text.index("All times")]
    documented: dict[str, list[str]] = {kind: [] for kind in RECORDS}
    for names, kinds in re.findall(r"^\| (`[^|]*) \| ([^|]*) \|", table, re.MULTILINE):
        for kind in documented if kinds == "all" else kinds.split(", "):
            documented[kind] += re.findall(r"`(\w+)`", names)
    assert documented == {kind: members(kind) for kind in RECORDS}


def test_an_administrative_record_follows_the_schema_and_others_members_do_not() -> None:
    act = AdminAct("operator", "agreement.approve", "Agreement/a", {"purposes": ["land-procedure"]}, UUID)
    record = json.loads(
        act.record(node="catalog", at=datetime(2026, 11, 23, tzinfo=UTC), record_id=UUID).encode()
    )
    validator = Draft202012Validator(SCHEMA)
    validator.validate(record)
    for name in set(SCHEMA["properties"]) - set(members("admin")):
        sample = {"status": 200, "upstream_status": 200, "aborted": True, "count": 1}.get(name, "GET")
        assert not validator.is_valid({**record, name: sample}), name
    for name in ("actor", "action", "object", "tx"):
        assert not validator.is_valid({key: value for key, value in record.items() if key != name}), name
