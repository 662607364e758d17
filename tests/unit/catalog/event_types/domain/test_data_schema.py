"""JSON Schemas of events."""

from __future__ import annotations

from typing import Any

import pytest

from lienthong.catalog.event_types.domain.data_schema import DIALECT, MAX_BYTES, violations
from lienthong.kit.json_pointer import pointer


def _wrong(schema: dict[str, Any]) -> list[str]:
    return [pointer(found.path) for found in violations(schema)]


def test_a_schema_of_the_one_dialect_is_accepted() -> None:
    schema = {
        "$schema": DIALECT,
        "type": "object",
        "properties": {"parcel": {"$ref": "#/$defs/parcel"}, "$ref": {"type": "string"}},
        "$defs": {"parcel": {"type": "string", "pattern": "^[0-9]+$"}},
    }
    assert _wrong(schema) == []
    assert _wrong({}) == []


@pytest.mark.parametrize("dialect", ["http://json-schema.org/draft-07/schema#", "", 5, None])
def test_other_dialects_are_refused(dialect: object) -> None:
    assert _wrong({"$schema": dialect}) == ["/$schema"]


def test_every_mistake_in_a_schema_is_named() -> None:
    schema = {"type": "objekt", "required": "a", "properties": {"a": {"minLength": -1, "pattern": "("}}}
    assert sorted(_wrong(schema)) == [
        "/properties/a/minLength",
        "/properties/a/pattern",
        "/required",
        "/type",
    ]


def test_nothing_outside_the_document_is_referred_to() -> None:
    assert _wrong({"properties": {"a": {"$ref": "http://attacker.example/x"}}}) == ["/properties/a/$ref"]
    assert _wrong({"allOf": [{"$ref": "other.json#/a"}]}) == ["/allOf/0/$ref"]
    assert _wrong({"allOf": [{"$dynamicRef": "https://x.example/#a"}]}) == ["/allOf/0/$dynamicRef"]


def test_references_inside_the_document_must_point_somewhere() -> None:
    assert _wrong({"allOf": [{"$ref": "#/$defs/gone"}]}) == ["/allOf/0/$ref"]
    assert _wrong({"$id": "urn:a", "allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {}}}) == []


def test_parts_cannot_change_what_references_mean() -> None:
    assert _wrong({"$defs": {"a": {"$id": "http://other.example/"}}}) == ["/$defs/a/$id"]


def test_examples_may_say_anything() -> None:
    assert _wrong({"examples": [{"$ref": "http://x.example"}], "const": {"$ref": "y"}}) == []


def test_a_schema_larger_than_the_limit_is_refused() -> None:
    assert _wrong({"description": "a" * MAX_BYTES}) == [""]
