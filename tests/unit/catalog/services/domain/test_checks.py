"""What bodies are checked against, as an OpenAPI document says it, or why it cannot be."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lienthong.catalog.domain.checks import BodyForms, MediaForm, OperationChecks
from lienthong.catalog.domain.resources import ServiceOperation
from lienthong.catalog.services.domain import openapi
from lienthong.kit.json_pointer import pointer
from lienthong.kit.schema_mismatches import mismatches

JSON = "application/json"
POST = "/paths/~1people/post"


def document(operation: dict[str, Any], version: str = "3.1.0", /, **schemas: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "openapi": version,
        "info": {"title": "T", "version": "1"},
        "paths": {"/people": {"post": {"operationId": "op", **operation}}},
        "components": {"schemas": schemas},
    }


def body(schema: Any, media_type: str = JSON) -> dict[str, Any]:  # noqa: ANN401
    return {"content": {media_type: {"schema": schema}}}


def checks(found: dict[str, Any], *, requests: bool = True, answers: bool = True) -> OperationChecks:
    (operation,), wrong = openapi.read(found, check_requests=requests, check_answers=answers)
    assert wrong == ()
    assert ServiceOperation.read(operation.stored()) == operation
    assert "checks" not in operation.document()
    assert operation.checks is not None
    return operation.checks


def wrong(found: dict[str, Any]) -> list[str]:
    return [pointer(one.path) for one in openapi.read(found, check_requests=True, check_answers=True)[1]]


def schema(found: dict[str, Any]) -> Any:  # noqa: ANN401
    request = checks(found).request
    assert request is not None
    [one] = request.media
    return json.loads(one.schema)


def test_what_is_not_asked_for_is_not_read() -> None:
    found = document(
        {"requestBody": body({"$ref": "#/nowhere"}), "responses": {"200": body({"type": "object"})}}
    )
    assert openapi.read(found)[0][0].checks is None
    assert checks(found, requests=False).request is None
    assert checks(document({"requestBody": body({})}), answers=False).answers == ()


def test_bodies_by_status_and_media_type() -> None:
    found = document(
        {
            "requestBody": {"required": True, "content": {"Application/JSON": {"schema": {}}, "text/*": {}}},
            "responses": {
                "200": body({"type": "array"}, "application/hal+json"),
                "4XX": body({}, "application/pdf"),
                "default": {"description": "nothing"},
                "x-note": {},
            },
        }
    )
    assert checks(found) == OperationChecks(
        BodyForms((MediaForm(JSON, "{}"), MediaForm("text/*")), required=True),
        (
            BodyForms((MediaForm("application/hal+json", '{"type":"array"}'),), status="200"),
            BodyForms((MediaForm("application/pdf"),), status="4XX"),
        ),
    )


def test_a_schema_has_all_that_it_refers_to_and_nothing_else() -> None:
    found = document(
        {"requestBody": body({"$ref": "#/components/schemas/A"})},
        A={"properties": {"b": {"$ref": "#/components/schemas/B~1C/properties/c"}}},
        **{
            "B/C": {"properties": {"c": {"type": "integer"}, "a": {"$ref": "#/components/schemas/A"}}},
            "D": {},
        },
    )
    bundle = schema(found)
    assert bundle["$ref"] == "#/$defs/A"
    assert set(bundle["$defs"]) == {"A", "B/C"}
    text = json.dumps(bundle)
    assert mismatches({"b": 1}, text, 1) == []
    assert [one.pointer for one in mismatches({"b": "x"}, text, 1)] == ["/b"]


def test_bodies_that_components_have_are_followed() -> None:
    found = document({"requestBody": {"$ref": "#/components/requestBodies/P"}})
    found["components"]["requestBodies"] = {"P": body({"type": "object"})}
    assert schema(found) == {"type": "object"}


@pytest.mark.parametrize(
    ("stated", "rewritten"),
    [
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        (
            {"type": "string", "nullable": True, "enum": ["a"]},
            {"type": ["string", "null"], "enum": ["a", None]},
        ),
        ({"nullable": True}, {}),
        ({"minimum": 1, "exclusiveMinimum": True}, {"exclusiveMinimum": 1}),
        ({"maximum": 1, "exclusiveMaximum": False}, {"maximum": 1}),
        ({"items": {"type": "integer", "nullable": True}}, {"items": {"type": ["integer", "null"]}}),
    ],
)
def test_schemas_of_3_0_become_those_of_today(stated: dict[str, Any], rewritten: dict[str, Any]) -> None:
    assert schema(document({"requestBody": body(stated)}, "3.0.3")) == rewritten
    assert schema(document({"requestBody": body(rewritten)})) == rewritten


def test_beside_a_reference_3_0_says_nothing() -> None:
    found = document(
        {"requestBody": body({"$ref": "#/components/schemas/A", "maxLength": 1})},
        "3.0.3",
        A={"type": "string"},
    )
    assert schema(found) == {"$ref": "#/$defs/A", "$defs": {"A": {"type": "string"}}}


@pytest.mark.parametrize(
    ("stated", "version"),
    [
        ({"$ref": "#/components/schemas/None"}, "3.1.0"),
        ({"$ref": "https://elsewhere.example/schema"}, "3.1.0"),
        ({"$ref": "#/components/responses/A"}, "3.1.0"),
        ({"$ref": "#/components/schemas/A/none"}, "3.1.0"),
        ({"type": "strin"}, "3.1.0"),
        ({"pattern": "(?=a)"}, "3.1.0"),
        ({"$defs": {"A": {}}}, "3.1.0"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "3.1.0"),
        ({"allOf": [{"$ref": "#/components/schemas/Round"}]}, "3.1.0"),
        ({"required": ["id"], "properties": {"id": {"readOnly": True}}}, "3.0.3"),
    ],
)
def test_what_cannot_be_checked_is_refused_with_its_place(stated: dict[str, Any], version: str) -> None:
    found = document(
        {"requestBody": body(stated)},
        version,
        A={},
        Round={"allOf": [{"$ref": "#/components/schemas/Round"}]},
    )
    assert wrong(found)[0] == f"{POST}/requestBody/content/application~1json/schema"


@pytest.mark.parametrize(
    ("members", "place"),
    [
        ({"requestBody": {"$ref": "#/components/none"}}, f"{POST}/requestBody"),
        ({"requestBody": body({}, "json")}, f"{POST}/requestBody/content/json"),
        ({"requestBody": body({}, "application/json; charset=utf-8")}, f"{POST}/requestBody/content/"),
        ({"responses": {"2xx": body({})}}, f"{POST}/responses/2xx"),
    ],
)
def test_what_says_nothing_is_refused(members: dict[str, Any], place: str) -> None:
    [found] = wrong(document(members))
    assert found.startswith(place)


def test_another_dialect_is_refused() -> None:
    assert wrong(document({}) | {"jsonSchemaDialect": "http://json-schema.org/draft-07/schema"}) == [
        "/jsonSchemaDialect"
    ]
    assert wrong(document({}) | {"jsonSchemaDialect": "https://spec.openapis.org/oas/3.1/dialect/base"}) == []


def test_schemas_together_have_a_size() -> None:
    large = {"description": "x" * 60_000}
    responses = {f"{status}": body({**large, "title": f"{status}"}) for status in range(200, 209)}
    assert wrong(document({"responses": responses})) == [f"{POST}/responses/208/content/application~1json"]


def test_a_media_type_may_stand_among_the_components_of_3_2() -> None:
    found = document(
        {"requestBody": {"content": {JSON: {"$ref": "#/components/mediaTypes/Person"}}}}, "3.2.0"
    )
    found["components"]["mediaTypes"] = {"Person": {"schema": {"type": "object"}}}
    assert schema(found) == {"type": "object"}
    del found["components"]["mediaTypes"]
    assert wrong(found) == [f"{POST}/requestBody/content/application~1json"]


def test_the_items_of_a_sequence_are_not_looked_into() -> None:
    content = {"application/jsonl": {"itemSchema": {"type": "object"}}}
    found = checks(document({"responses": {"200": {"content": content}}}, "3.2.0"))
    assert found.answers == (BodyForms((MediaForm("application/jsonl", ""),), False, "200"),)
