"""Ordinary schemas accept and refuse what they did with the reference implementation in Python."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from lienthong.exchange.domain.payload_schema import MAX_VIOLATIONS, schema_violations
from lienthong.kit.json_pointer import pointer
from lienthong.kit.schema_mismatches import KeptSchemas, compiled
from lienthong.kit.workers import Workers
from tests.support.growth import grows_at_most

if TYPE_CHECKING:
    from collections.abc import Callable

    from lienthong.exchange.errors import EventViolation

NAMES = st.sampled_from(["a", "b", "area", "đất"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-10, 10)
    | st.sampled_from([0.5, 1.0, -2.0, 1e30, 10**25])
    | st.sampled_from(["", "a", "ab", "Đất 12", "2026-11-28", "27-114", "x" * 12])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=10,
)
NUMBER = st.integers(-5, 10)
SIZE = st.integers(0, 4)
PATTERN = st.sampled_from(["^a", "b$", "^[0-9]+-[0-9]+$", "^[a-zĐ ]+", "^.{2,10}$", "1|a"])
TYPE = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])
KEYWORDS: dict[str, st.SearchStrategy[Any]] = {
    "type": TYPE | st.lists(TYPE, min_size=1, max_size=3, unique=True),
    "enum": st.lists(VALUES, min_size=1, max_size=3),
    "const": VALUES,
    **dict.fromkeys(["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"], NUMBER),
    "multipleOf": st.integers(1, 5),
    **dict.fromkeys(
        ["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"], SIZE
    ),
    "pattern": PATTERN,
    "format": st.sampled_from(["date", "date-time", "email", "uri"]),
    "uniqueItems": st.booleans(),
    "required": st.lists(NAMES, max_size=2, unique=True),
    "dependentRequired": st.dictionaries(NAMES, st.lists(NAMES, max_size=2, unique=True), max_size=2),
}


def _with_parts(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    some = st.lists(inner, min_size=1, max_size=3)
    named = st.dictionaries(NAMES, inner, max_size=3)
    parts: dict[str, st.SearchStrategy[Any]] = {
        **dict.fromkeys(["allOf", "anyOf", "oneOf", "prefixItems"], some),
        **dict.fromkeys(["not", "if", "then", "else", "items", "contains", "propertyNames"], inner),
        **dict.fromkeys(["additionalProperties", "unevaluatedProperties", "unevaluatedItems"], inner),
        **dict.fromkeys(["properties", "dependentSchemas"], named),
        "patternProperties": st.dictionaries(PATTERN, inner, max_size=2),
        "minContains": SIZE,
        "maxContains": SIZE,
        "$ref": st.just("#/$defs/named"),
    }
    return st.fixed_dictionaries({}, optional={**KEYWORDS, **parts})


SCHEMAS = st.recursive(
    st.booleans() | st.fixed_dictionaries({}, optional=KEYWORDS), _with_parts, max_leaves=6
).filter(lambda schema: isinstance(schema, dict))
NAMED = st.fixed_dictionaries({}, optional=KEYWORDS)


@settings(max_examples=150, deadline=None)
@given(SCHEMAS, NAMED, st.lists(VALUES, min_size=1, max_size=5))
def test_it_accepts_and_refuses_the_same(
    schema: dict[str, Any], named: dict[str, Any], values: list[Any]
) -> None:
    whole = {**schema, "$defs": {"named": named}}
    reference = Draft202012Validator(whole)
    text = json.dumps(whole)
    for value in values:
        assert bool(schema_violations(value, text, at="")) == (not reference.is_valid(value))


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"required": ["a", "b"], "properties": {"c": {"minimum": 3}}}, {"c": 1}),
        ({"items": {"properties": {"a": {"type": "string"}}}}, [{"a": 1}, {"a": "x"}, {"a": None}]),
        ({"additionalProperties": False, "properties": {"a": {}}}, {"a": 1, "b": 2}),
        ({"dependentRequired": {"a": ["b"]}}, {"a": 1}),
        ({"$ref": "#/$defs/x", "$defs": {"x": {"properties": {"a/b": {"maxLength": 1}}}}}, {"a/b": "xy"}),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, 5),
    ],
)
def test_it_names_the_same_places(schema: dict[str, Any], value: object) -> None:
    expected = sorted(
        pointer(error.absolute_path) for error in Draft202012Validator(schema).iter_errors(value)
    )
    assert [
        violation.pointer for violation in schema_violations(value, json.dumps(schema), at="")
    ] == expected


@pytest.mark.parametrize(
    ("schema", "value", "valid"),
    [
        ({"pattern": r"^\d+$"}, "١٢", False),
        ({"pattern": r"^\w+$"}, "Đất", False),
        ({"pattern": r"^\p{L}+$"}, "Đất", True),
        ({"pattern": "a$"}, "a\n", False),
        ({"multipleOf": 0.1}, 0.3, True),
        ({"multipleOf": 0.01}, 4.35, True),
    ],
)
def test_where_it_differs_it_does_what_ecma_262_and_arithmetic_say(
    schema: dict[str, Any], value: object, valid: bool
) -> None:
    assert (schema_violations(value, json.dumps(schema), at="") == []) is valid


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"pattern": "^(a+)+$"}, lambda size: "a" * size + "!"),
        ({"pattern": r"^(\w+\s?)*$"}, lambda size: "a" * size + "!"),
        ({"uniqueItems": True}, lambda size: list(range(size))),
        ({"uniqueItems": True}, lambda size: [{"a": [number]} for number in range(size)]),
        ({"items": {"enum": list(range(1_000))}}, lambda size: [999] * size),
    ],
)
async def test_time_grows_with_the_size_of_an_event(
    schema: dict[str, Any], value: Callable[[int], object]
) -> None:
    text = json.dumps(schema)

    def check(size: int) -> None:
        given = value(size)
        for _ in range(5):
            schema_violations(given, text, at="")

    # Eight times the size: no more than forty times the time, sixty-four would be quadratic.
    assert await grows_at_most(check, 2_000, 16_000, times=40)


def test_mistakes_are_told_without_repeating_what_was_sent() -> None:
    schema = {"properties": {"name": {"maxLength": 3}}, "required": ["id"]}
    found = schema_violations({"name": "Nguyễn"}, json.dumps(schema), at="/data")
    assert [(one.pointer, one.detail) for one in found] == [
        ("/data", "'id' is a required property"),
        ("/data/name", "breaks maxLength: 3"),
    ]
    many = {f"p{number}": 1 for number in range(1_000)}
    refused = schema_violations(many, '{"properties": {"a": {}}, "additionalProperties": false}', at="")
    assert len(refused) <= MAX_VIOLATIONS
    assert all(len(one.detail) < 300 for one in refused)


def costly_to_keep(number: int) -> str:
    """A schema whose pattern takes nearly all the room that patterns may have."""
    return json.dumps({"type": "string", "pattern": f"^{number}\\p{{L}}{{255}}$"})


async def test_schemas_of_many_providers_leave_a_worker_the_memory_for_the_next_ones() -> None:
    workers = Workers(1, [schema_violations.__module__])
    await workers.start()
    try:
        for number in range(66):
            value = f"{number}{'đ' * 255}"
            assert await workers.run("a", 20, violations_of, value, costly_to_keep(number)) == []
    finally:
        await workers.close()


def violations_of(value: str, schema: str) -> list[EventViolation]:
    return schema_violations(value, schema, at="")


def test_schemas_are_kept_as_long_as_they_fit_and_those_that_are_used_stay() -> None:
    kept = KeptSchemas(100)
    small = compiled('{"type": "object"}')
    for number in range(10):
        kept.put(f"small {number}", small, 10)
    assert len(kept) == 10
    assert kept.get("small 0") is small
    kept.put("large", small, 85)
    assert (kept.size, kept.get("small 1"), kept.get("small 0"), kept.get("large")) == (
        95,
        None,
        small,
        small,
    )
    kept.put("too large", small, 500)
    assert (len(kept), kept.get("too large")) == (1, small), "the one that is needed now is kept"
    kept.put("next", small, 1)
    assert (len(kept), kept.size) == (1, 1)
