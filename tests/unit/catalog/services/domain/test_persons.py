"""`x-lgsp-person`: where an OpenAPI document says that calls name persons, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest

from lienthong.catalog.domain.persons import ParameterLocation, ParameterPlace, PersonPlaces
from lienthong.catalog.domain.resources import ServiceOperation
from lienthong.catalog.services.domain import openapi
from lienthong.kit.json_pointer import pointer

TEXT = {"schema": {"type": "string"}}
LIST = {"schema": {"type": "array", "items": {"type": "string"}}}
PATH, QUERY, HEADER = ParameterLocation.PATH, ParameterLocation.QUERY, ParameterLocation.HEADER


def document(operation: dict[str, Any], path: str = "/people/{id}", **members: Any) -> dict[str, Any]:  # noqa: ANN401
    item = {
        "parameters": members.pop("shared", []),
        "post": {"operationId": "op", "requestBody": {}, **operation},
    }
    return {"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "paths": {path: item}, **members}


def places(found: dict[str, Any]) -> PersonPlaces | None:
    (operation,), wrong = openapi.read(found)
    assert wrong == ()
    assert ServiceOperation.read(operation.document()) == operation
    return operation.persons


def wrong(found: dict[str, Any]) -> list[str]:
    return [pointer(violation.path) for violation in openapi.read(found)[1]]


def person(where: str, **members: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"name": "id", "in": where, "x-lgsp-person": True, **TEXT, **members}


def test_without_the_extension_nothing_is_recorded_and_no_reference_followed() -> None:
    assert places(document({"parameters": [{"$ref": "https://elsewhere.example/x"}]})) is None


@pytest.mark.parametrize(
    ("parameter", "place"),
    [
        (person("path"), ParameterPlace(PATH, "id")),
        (person("path", **LIST), ParameterPlace(PATH, "id", ",")),
        (person("query"), ParameterPlace(QUERY, "id")),
        (person("query", **LIST), ParameterPlace(QUERY, "id")),
        (person("query", **LIST, explode=False), ParameterPlace(QUERY, "id", ",")),
        (person("query", **LIST, style="spaceDelimited"), ParameterPlace(QUERY, "id", " ")),
        (person("query", **LIST, style="pipeDelimited"), ParameterPlace(QUERY, "id", "|")),
        (person("header", name="X-Person", **LIST), ParameterPlace(HEADER, "X-Person", ",")),
        (
            person("query", schema={"type": ["array", "null"]}, explode=False),
            ParameterPlace(QUERY, "id", ","),
        ),
    ],
)
def test_a_parameter_that_names_a_person(parameter: dict[str, Any], place: ParameterPlace) -> None:
    assert places(document({"parameters": [parameter]})) == PersonPlaces((place,))


def test_parameters_of_the_path_item_and_references_count() -> None:
    found = document(
        {"parameters": [{"$ref": "#/components/parameters/P"}]},
        shared=[person("path")],
        components={"parameters": {"P": {"$ref": "#/components/parameters/Q"}, "Q": person("query")}},
    )
    assert places(found) == PersonPlaces((ParameterPlace(QUERY, "id"), ParameterPlace(PATH, "id")))


def test_what_an_operation_says_of_a_parameter_goes_before_its_path_item() -> None:
    found = document({"parameters": [{**person("path"), "x-lgsp-person": False}]}, shared=[person("path")])
    found["paths"]["/people/{id}"]["get"] = {"operationId": "get"}
    operations, violations = openapi.read(found)
    assert violations == ()
    assert {operation.id: operation.persons for operation in operations} == {
        "get": PersonPlaces((ParameterPlace(PATH, "id"),)),
        "op": None,
    }


def test_fields_of_bodies() -> None:
    found = document({"x-lgsp-person": {"request": ["a.id"], "answer": ["owners[*].id", "$"]}})
    assert places(found) == PersonPlaces((), ("a.id",), ("owners[*].id", "$"))


@pytest.mark.parametrize(
    "parameter",
    [
        person("cookie"),
        person("path", name="other"),
        person("path", style="label"),
        person("query", style="deepObject"),
        person("query", schema={"type": "object"}),
        person("query", schema=None),
        person("query", content={"application/json": {}}),
        person("header", name="LGSP-User"),
        person("header", name="Authorization"),
        {**person("query"), "x-lgsp-person": "yes"},
    ],
)
def test_what_the_gateway_cannot_read_is_refused(parameter: dict[str, Any]) -> None:
    assert wrong(document({"parameters": [parameter]})) == [
        "/paths/~1people~1{id}/post/parameters/0/x-lgsp-person"
    ]


@pytest.mark.parametrize(
    "reference", ["#/components/none", "https://x.example/", "#/components/parameters/P", 1]
)
def test_a_reference_that_cannot_be_followed_is_refused(reference: object) -> None:
    found = document(
        {"parameters": [{"$ref": reference}, person("query")]},
        components={"parameters": {"P": {"$ref": "#/components/parameters/P"}}},
    )
    assert "/paths/~1people~1{id}/post/parameters" in wrong(found)


@pytest.mark.parametrize(
    ("stated", "place"),
    [
        (True, ""),
        ({}, ""),
        ({"reply": ["id"]}, ""),
        ({"answer": []}, "/answer"),
        ({"answer": "id"}, "/answer"),
        ({"answer": ["id", "id"]}, "/answer"),
        ({"answer": [1]}, "/answer/0"),
        ({"answer": ["a..b"]}, "/answer"),
        ({"answer": ["a.b", "a.*"]}, "/answer"),
        ({"answer": [f"a{number}" for number in range(33)]}, "/answer"),
    ],
)
def test_paths_that_are_none_are_refused(stated: object, place: str) -> None:
    assert wrong(document({"x-lgsp-person": stated})) == [
        f"/paths/~1people~1{{id}}/post/x-lgsp-person{place}"
    ]


def test_fields_of_a_body_that_there_is_not_are_refused() -> None:
    found = document({"x-lgsp-person": {"request": ["id"]}})
    del found["paths"]["/people/{id}"]["post"]["requestBody"]
    assert wrong(found) == ["/paths/~1people~1{id}/post/x-lgsp-person/request"]


def test_more_parameters_than_are_recorded_are_refused() -> None:
    many = [person("query", name=f"p{number}") for number in range(17)]
    assert wrong(document({"parameters": many})) == ["/paths/~1people~1{id}/post/parameters"]


def test_where_it_says_nothing_it_is_refused() -> None:
    schema = {"type": "object", "properties": {"id": {"type": "string", "x-lgsp-person": True}}}
    found = document({"parameters": [person("path")]}, components={"schemas": {"Person": schema}})
    assert wrong(found) == ["/components/schemas/Person/properties/id/x-lgsp-person"]


def test_data_and_names_of_properties_are_not_taken_for_it() -> None:
    schema = {"properties": {"x-lgsp-person": {"type": "string"}}, "example": {"x-lgsp-person": 1}}
    assert places(document({}, components={"schemas": {"S": schema}})) is None
