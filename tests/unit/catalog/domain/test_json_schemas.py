"""JSON Schemas of events."""

from __future__ import annotations

from typing import Any

import pytest

from lienthong.catalog.domain.json_schemas import MAX_BYTES, violations
from lienthong.kit.json_pointer import pointer
from lienthong.kit.json_schema import DIALECT


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


@pytest.mark.parametrize(
    ("reference", "rest"),
    [
        *(("#/title/x", {"title": "a"}), ("#/title", {"title": "a"}), ("#/title/0", {"title": "a"})),
        *(("#/allOf/a", {"allOf": [{}]}), ("#/allOf/7", {"allOf": [{}]})),
        *(("#/maximum/a", {"maximum": 5}), ("#/const/a", {"const": None}), ("#/enum/not", {"enum": [1]})),
        *(("#/allOf/" + "9" * 5_000, {"allOf": [{}]}), ("#/allOf", {"allOf": [{}]})),
    ],
)
def test_a_reference_that_is_no_place_of_a_schema_is_named(reference: str, rest: dict[str, Any]) -> None:
    assert _wrong({"$ref": reference, **rest}) == ["/$ref"]
    assert _wrong({"properties": {"a": {"$ref": reference}}, **rest}) == ["/properties/a/$ref"]


HIDDEN: list[dict[str, Any]] = [
    {"prefixItems": [{}] * 2_000},
    {"patternProperties": {f"^{n}$": {} for n in range(101)}},
    {"pattern": "a" * 501},
]


@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("place", ["x", "const", "default", "examples"])
def test_a_reference_leads_to_no_schema_that_is_not_counted(hidden: dict[str, Any], place: str) -> None:
    found = [violation.text.en for violation in violations({"$ref": f"#/{place}/0", place: [hidden]})]
    assert "'$defs'" in found[0]


@pytest.mark.parametrize("hidden", HIDDEN)
def test_what_the_engine_still_applies_of_older_drafts_is_counted(hidden: dict[str, Any]) -> None:
    assert _wrong({"dependencies": {"a": hidden}}) != []
    assert _wrong({"dependencies": {"a": ["b"], "c": {"required": ["d"]}}}) == []


def test_references_may_lead_to_every_place_of_a_schema() -> None:
    schema: dict[str, Any] = {
        "properties": {
            "a": {"$ref": "#/$defs/a%20b"},
            "b": {"$ref": "#/properties/a/items"},
            "c": {"$ref": "#/$defs/~1c"},
            "d": {"$ref": "#here"},
            "e": {"$ref": "#/allOf/0"},
            "f": {"$ref": "#/$defs/all"},
        },
        "allOf": [{"type": "object"}],
        "$defs": {"a b": {}, "/c": {"$anchor": "here"}, "all": True},
    }
    schema["properties"]["a"] = {"items": {"$ref": "#/$defs/a%20b"}}
    assert _wrong(schema) == []


def test_parts_cannot_change_what_references_mean() -> None:
    assert _wrong({"$defs": {"a": {"$id": "http://other.example/"}}}) == ["/$defs/a/$id"]


def test_examples_may_say_anything() -> None:
    assert _wrong({"examples": [{"$ref": "http://x.example"}], "const": {"$ref": "y"}}) == []


def test_a_schema_larger_than_the_limit_is_refused() -> None:
    assert _wrong({"description": "a" * MAX_BYTES}) == [""]


def _reasons(schema: dict[str, Any]) -> dict[str, str]:
    found = list(violations(schema))
    assert all(violation.text.vi != violation.text.en for violation in found)
    return {pointer(violation.path): violation.text.en for violation in found}


@pytest.mark.parametrize(
    "pattern",
    [
        *(r"^[0-9]{12}$", r"^\d{4}-\d{2}$", r"^[\p{L}\s.-]{1,255}$", r"^[A-Z0-9_]{1,100}$", r"^\S+@\S+\.vn$"),
        # Slow for an engine that tries one way after the other, not for this one.
        *(r"^(a+)+$", r"^(a|a)*$", r"(x+x+)+y", r"^(\w+\s?)*$"),
    ],
)
def test_patterns_that_one_pass_can_match_are_accepted(pattern: str) -> None:
    assert _wrong({"properties": {"a": {"pattern": pattern}}}) == []
    assert _wrong({"patternProperties": {pattern: {}}}) == []


@pytest.mark.parametrize(
    "pattern", [r"^(?=a)a", r"(?<!a)b", r"^(a)\1$", r"\p{L}{1,2000}", r"(\p{L}{1,99}){1,99}", "a" * 501]
)
def test_other_patterns_are_named(pattern: str) -> None:
    reasons = _reasons({"properties": {"a": {"pattern": pattern}, "b": {"pattern": "b"}}})
    assert list(reasons) == ["/properties/a/pattern"]
    assert "pattern" in reasons["/properties/a/pattern"]


def test_a_schema_has_a_number_of_patterns() -> None:
    assert _wrong({"properties": {f"p{n}": {"pattern": f"^{n}$"} for n in range(100)}}) == []
    assert "101 patterns" in _reasons({"patternProperties": {f"^{n}$": {} for n in range(101)}})[""]


def test_a_name_is_no_pattern() -> None:
    assert _wrong({"properties": {"pattern": {"const": {"pattern": "("}, "type": "object"}}}) == []


def _doubling(levels: int) -> dict[str, Any]:
    defs: dict[str, Any] = {
        f"d{level}": {"allOf": [{"$ref": f"#/$defs/d{level + 1}"}] * 2} for level in range(levels)
    }
    return {"$ref": "#/$defs/d0", "$defs": {**defs, f"d{levels}": {"type": "integer"}}}


def test_references_that_double_are_counted_out() -> None:
    assert _wrong(_doubling(10)) == []
    assert "when each reference counts" in _reasons(_doubling(12))[""]
    assert "when each reference counts" in _reasons(_doubling(400))[""]


def test_a_long_chain_of_references_is_no_doubling() -> None:
    defs: dict[str, Any] = {f"d{level}": {"$ref": f"#/$defs/d{level + 1}"} for level in range(1_500)}
    assert _wrong({"$ref": "#/$defs/d0", "$defs": {**defs, "d1500": {"type": "integer"}}}) == []


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"allOf": [{"$ref": "#"}]},
        {"properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": {"not": {"$ref": "#/$defs/x"}}}},
        {
            "properties": {"b": {"$ref": "#/$defs/b"}},
            "allOf": [{"$ref": "#/$defs/b"}],
            "$defs": {"b": {"$ref": "#"}},
        },
        {"$ref": "#/$defs/a", "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/b"}]}, "b": {"$ref": "#/$defs/a"}}},
    ],
)
def test_a_schema_that_refers_to_itself_for_the_same_value_is_refused(schema: dict[str, Any]) -> None:
    [reason] = _reasons(schema).values()
    assert "without end" in reason


def test_a_schema_may_refer_to_itself_for_parts_of_a_value() -> None:
    tree = {"properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}, "all": {"items": {"$ref": "#"}}}}
    assert _wrong(tree) == []
    assert _wrong({"properties": {"a": {"allOf": [{"$ref": "#"}, {"type": "object"}]}}}) == []


def test_a_schema_has_a_number_of_parts() -> None:
    assert "2001 schemas" in _reasons({"prefixItems": [{}] * 2_000})[""]
    assert _wrong({"prefixItems": [{}] * 1_999}) == []
