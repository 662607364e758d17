"""What is checked without a worker: little, where its cost is bounded, and with the same outcome."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.exchange.domain.catalog import EventType
from lienthong.exchange.domain.messages import AT_ONCE_BYTES, EventMessage, prepare, prepare_at_once
from lienthong.exchange.domain.plain_schema import MOST_LETTERS, is_plain
from lienthong.kit.problems import ProblemError

STRUCTURED, BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"
PLAIN = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Parcel",
    "type": "object",
    "required": ["parcel"],
    "properties": {
        "parcel": {"type": "string", "maxLength": 20},
        "area": {"type": "number", "exclusiveMinimum": 0},
        "owners": {"type": "array", "items": {"enum": ["a", "b", None]}, "maxItems": 3},
        "place": {"type": "array", "prefixItems": [{"type": "number"}, True], "items": False},
    },
    "additionalProperties": {"type": ["integer", "boolean"]},
}


def kind(schema: object) -> EventType:
    return EventType("H11.05/land/parcel-changed-v1", "H11.05/land", active=True, schema=json.dumps(schema))


def event(data: object, identifier: str = "1", **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    attributes = {"specversion": "1.0", "id": identifier, "source": "/H11.05/land"}
    return {**attributes, "type": "H11.05/land/parcel-changed-v1", "data": data, **changes}


def outcome(document: object, schema: object = PLAIN, content_type: str = STRUCTURED) -> object:
    """What `prepare_at_once` gives, or the problem that it raises."""
    headers, body = [("content-type", content_type)], json.dumps(document).encode()
    try:
        return prepare_at_once(kind(schema), headers, body)
    except ProblemError as problem:
        return problem.document(None)


def of_a_worker(document: object, schema: object = PLAIN, content_type: str = STRUCTURED) -> object:
    headers, body = [("content-type", content_type)], json.dumps(document).encode()
    try:
        return prepare(kind(schema), headers, body)
    except ProblemError as problem:
        return problem.document(None)


def test_a_small_event_is_checked_at_once() -> None:
    document = event({"parcel": "27-114", "area": 250.5, "owners": ["a", None], "place": [1, "x"], "n": True})
    found = outcome(document)
    assert isinstance(found, list)
    assert [type(one) for one in found] == [EventMessage]
    assert found == of_a_worker(document)


def test_so_is_a_small_batch() -> None:
    batch = [event({"parcel": str(number)}, str(number)) for number in range(10)]
    assert outcome(batch, content_type=BATCH) == of_a_worker(batch, content_type=BATCH)
    assert outcome(batch, content_type=BATCH) is not None


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from(["a", "b", "27"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["parcel", "area", "owners", "place", "x"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(
    data=JSON,
    changes=st.dictionaries(st.sampled_from(["id", "source", "type", "time", "x"]), JSON, max_size=2),
)
def test_nothing_else_is_said_than_by_a_worker(data: object, changes: dict[str, Any]) -> None:
    document = event(data, **changes)
    found = outcome(document)
    if found is not None:
        assert found == of_a_worker(document)


@pytest.mark.parametrize(
    "document",
    [
        event({"parcel": 1}),
        event({"parcel": "1"}, source="/H11.05/other"),
        event({"parcel": "1"}, type="H11.05/land/other-v1"),
        event({"parcel": "x" * AT_ONCE_BYTES}),
    ],
)
def test_what_does_not_match_or_is_large_takes_a_worker(document: object) -> None:
    assert outcome(document) is None


def test_a_payload_with_attributes_in_headers_takes_a_worker() -> None:
    headers = [("content-type", "application/json"), ("ce-specversion", "1.0")]
    assert prepare_at_once(kind(PLAIN), headers, b'{"parcel": "1"}') is None


@pytest.mark.parametrize(
    "part",
    [
        {"pattern": "^(a+)+$"},
        {"patternProperties": {"^x": True}},
        {"propertyNames": {"maxLength": 3}},
        {"uniqueItems": True},
        {"contains": {"const": 1}},
        {"multipleOf": 0.01},
        {"$ref": "#/$defs/x"},
        {"$defs": {"x": {}}},
        {"$dynamicRef": "#x"},
        {"allOf": [{}]},
        {"anyOf": [{}]},
        {"oneOf": [{}]},
        {"not": {}},
        {"if": {}},
        {"dependentSchemas": {"a": {}}},
        {"dependentRequired": {"a": ["b"]}},
        {"dependencies": {"a": ["b"]}},
        {"unevaluatedProperties": False},
        {"unevaluatedItems": False},
        {"contentSchema": {}},
        {"another": 1},
        {"enum": list(range(65))},
        {"required": [str(number) for number in range(65)]},
        {"properties": {str(number): True for number in range(65)}},
        {"prefixItems": [True] * 65},
        {"description": "x" * MOST_LETTERS},
    ],
)
@pytest.mark.parametrize("deep", [False, True])
def test_schemas_that_may_cost_more_are_not_plain(part: dict[str, Any], deep: bool) -> None:
    schema = {"properties": {"a": {"items": {"additionalProperties": part}}}} if deep else part
    assert not is_plain(json.dumps(schema))
    assert outcome(event({"a": []}), schema) is None


@pytest.mark.parametrize("schema", ["", "[]", "1", "{", '"x"', "[" * 5000])
def test_what_is_no_schema_is_not_plain(schema: str) -> None:
    assert not is_plain(schema)


@pytest.mark.parametrize("schema", ["{}", "true", "false"])
def test_the_shortest_schemas_are(schema: str) -> None:
    assert is_plain(schema)
