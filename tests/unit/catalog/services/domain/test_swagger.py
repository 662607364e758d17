"""From OpenAPI 2.0 to 3.0, with nothing silently lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openapi_spec_validator import validate

from lienthong.catalog.services.domain import swagger_schemas
from lienthong.catalog.services.domain.documents import described
from lienthong.catalog.services.domain.swagger import convert, is_swagger
from lienthong.kit.json_pointer import pointer

OK = {"200": {"description": "Được"}}


def _document(paths: dict[str, Any], **members: object) -> dict[str, Any]:
    return {"swagger": "2.0", "info": {"title": "T", "version": "1"}, "paths": paths, **members}


def _converted(document: dict[str, Any]) -> dict[str, Any]:
    """The converted document, which a validator takes, as it took the given one."""
    before = json.dumps(document)
    validate(document)
    found = convert(document)
    assert found.violations == ()
    validate(found.document)
    assert json.dumps(document) == before
    return found.document


def _operation(
    parameters: list[Any], document: dict[str, Any] | None = None, **members: object
) -> dict[str, Any]:
    operation = {"parameters": parameters, "responses": OK, **members}
    whole = _document({"/a": {"post": operation}}, **(document or {}))
    found: dict[str, Any] = _converted(whole)["paths"]["/a"]["post"]
    return found


def _wrong(document: dict[str, Any]) -> list[str]:
    return [pointer(found.path) for found in described(document).violations]


def test_a_document_is_converted_as_a_whole() -> None:
    document = _document(
        {
            "/parcels/{id}": {
                "parameters": [{"$ref": "#/parameters/Id"}],
                "get": {
                    "operationId": "getParcel",
                    "tags": ["land"],
                    "x-own": {"a": 1},
                    "responses": {"200": {"$ref": "#/responses/Parcel"}, "x-more": 1},
                },
            }
        },
        host="api.land.example.vn",
        basePath="/v1/",
        schemes=["https", "http"],
        produces=["application/json"],
        tags=[{"name": "land"}],
        **{"x-root": True},
        parameters={"Id": {"name": "id", "in": "path", "required": True, "type": "string", "maxLength": 9}},
        responses={"Parcel": {"description": "Thửa đất", "schema": {"$ref": "#/definitions/Parcel"}}},
        definitions={"Parcel": {"type": "object", "properties": {"next": {"$ref": "#/definitions/Parcel"}}}},
    )
    assert _converted(document) == {
        "openapi": "3.0.4",
        "info": {"title": "T", "version": "1"},
        "tags": [{"name": "land"}],
        "x-root": True,
        "servers": [
            {"url": "https://api.land.example.vn/v1"},
            {"url": "http://api.land.example.vn/v1"},
        ],
        "paths": {
            "/parcels/{id}": {
                "parameters": [{"$ref": "#/components/parameters/Id"}],
                "get": {
                    "operationId": "getParcel",
                    "tags": ["land"],
                    "x-own": {"a": 1},
                    "responses": {"200": {"$ref": "#/components/responses/Parcel"}, "x-more": 1},
                },
            }
        },
        "components": {
            "schemas": {
                "Parcel": {
                    "type": "object",
                    "properties": {"next": {"$ref": "#/components/schemas/Parcel"}},
                }
            },
            "parameters": {
                "Id": {
                    "name": "id",
                    "in": "path",
                    "required": True,
                    "schema": {"type": "string", "maxLength": 9},
                }
            },
            "responses": {
                "Parcel": {
                    "description": "Thửa đất",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Parcel"}}},
                }
            },
        },
    }


@pytest.mark.parametrize(
    ("members", "servers"),
    [
        ({}, None),
        ({"basePath": "/"}, None),
        ({"basePath": "/v1"}, [{"url": "/v1"}]),
        ({"host": "a.vn:8080"}, [{"url": "//a.vn:8080"}]),
        ({"host": "a.vn", "schemes": ["wss"], "basePath": "/v1"}, [{"url": "wss://a.vn/v1"}]),
    ],
)
def test_host_and_base_path_become_servers(
    members: dict[str, Any], servers: list[dict[str, str]] | None
) -> None:
    assert _converted(_document({}, **members)).get("servers") == servers


@pytest.mark.parametrize(
    ("location", "collection", "style"),
    [
        ("query", None, {"style": "form", "explode": False}),
        ("query", "csv", {"style": "form", "explode": False}),
        ("query", "ssv", {"style": "spaceDelimited", "explode": False}),
        ("query", "pipes", {"style": "pipeDelimited", "explode": False}),
        ("query", "multi", {"style": "form", "explode": True}),
        ("header", "csv", {"style": "simple", "explode": False}),
    ],
)
def test_lists_keep_how_they_are_written(
    location: str, collection: str | None, style: dict[str, Any]
) -> None:
    written = {"name": "ids", "in": location, "type": "array", "items": {"type": "integer", "minimum": 1}}
    parameter = written if collection is None else written | {"collectionFormat": collection}
    assert _operation([parameter])["parameters"] == [
        {"name": "ids", "in": location, **style}
        | {"schema": {"type": "array", "items": {"type": "integer", "minimum": 1}}}
    ]


@pytest.mark.parametrize(
    ("parameter", "place"),
    [
        ({"in": "query", "type": "array", "items": {}, "collectionFormat": "tsv"}, "/collectionFormat"),
        ({"in": "header", "type": "array", "items": {}, "collectionFormat": "pipes"}, "/collectionFormat"),
        (
            {
                "in": "query",
                "type": "array",
                "items": {"type": "array", "items": {}, "collectionFormat": "ssv"},
            },
            "/items/collectionFormat",
        ),
        ({"in": "formData", "type": "array", "items": {}, "collectionFormat": "tsv"}, "/collectionFormat"),
    ],
)
def test_a_list_that_3_0_cannot_write_is_told_with_its_place(parameter: dict[str, Any], place: str) -> None:
    parameters = [{"name": "b", "in": "body", "schema": {}}] if parameter["in"] != "formData" else []
    parameters.append({"name": "ids", **parameter})
    document = _document({"/a": {"post": {"parameters": parameters, "responses": OK}}})
    assert _wrong(document) == [f"/paths/~1a/post/parameters/{len(parameters) - 1}{place}"]


def test_a_body_becomes_that_of_the_request_in_each_type_that_is_consumed() -> None:
    body = {"name": "parcel", "in": "body", "required": True, "description": "D", "x-a": 1, "schema": {}}
    query = {"name": "q", "in": "query", "type": "string"}
    operation = _operation([body, query], consumes=["application/json", "text/xml"])
    assert operation["requestBody"] == {
        "required": True,
        "description": "D",
        "x-a": 1,
        "x-body-name": "parcel",
        "content": {"application/json": {"schema": {}}, "text/xml": {"schema": {}}},
    }
    assert operation["parameters"] == [{"name": "q", "in": "query", "schema": {"type": "string"}}]
    assert _operation([body])["requestBody"]["content"] == {"*/*": {"schema": {}}}
    of_all = {"consumes": ["application/json"]}
    assert _operation([body], of_all)["requestBody"]["content"] == {"application/json": {"schema": {}}}
    assert _operation([body], of_all, consumes=[])["requestBody"]["content"] == {"*/*": {"schema": {}}}


def test_fields_of_a_form_become_one_body() -> None:
    fields = [
        {"name": "file", "in": "formData", "type": "file", "required": True},
        {"name": "ids", "in": "formData", "type": "array", "items": {"type": "string"}, "description": "Mã"},
        {"name": "note", "in": "formData", "type": "string", "allowEmptyValue": True},
    ]
    assert _operation(fields, {"consumes": ["application/json"]})["requestBody"] == {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "ids": {"type": "array", "items": {"type": "string"}, "description": "Mã"},
                        "note": {"type": "string", "x-allowEmptyValue": True},
                    },
                    "required": ["file"],
                },
                "encoding": {"ids": {"style": "form", "explode": False}},
            }
        },
    }
    assert list(_operation(fields[1:])["requestBody"]["content"]) == ["application/x-www-form-urlencoded"]


def test_what_several_operations_share_stays_shared_where_it_is_the_same() -> None:
    reference = {"$ref": "#/parameters/Body"}
    body = {"name": "b", "in": "body", "schema": {"type": "object"}}
    document = _document(
        {
            "/a": {
                "parameters": [{"name": "f", "in": "header", "type": "string"}, reference],
                "post": {"responses": OK},
                "put": {"responses": OK, "parameters": [{"name": "own", "in": "body", "schema": {}}]},
            },
            "/b": {"post": {"responses": OK, "parameters": [reference]}},
            "/c": {
                "post": {
                    "responses": {"200": {"$ref": "#/responses/R"}},
                    "parameters": [reference],
                    "consumes": ["text/a"],
                    "produces": ["text/b"],
                }
            },
        },
        parameters={"Body": body},
        responses={"R": {"description": "R", "schema": {"type": "string", "maxLength": 9}}},
    )
    paths = _converted(document)["paths"]
    schema = {"type": "object"}
    assert paths["/a"]["parameters"] == [{"name": "f", "in": "header", "schema": {"type": "string"}}]
    assert paths["/a"]["post"]["requestBody"]["content"] == {"*/*": {"schema": schema}}
    assert paths["/a"]["put"]["requestBody"]["x-body-name"] == "own"
    assert paths["/b"]["post"]["requestBody"] == {"$ref": "#/components/requestBodies/Body"}
    assert paths["/c"]["post"]["requestBody"]["content"] == {"text/a": {"schema": schema}}
    assert paths["/c"]["post"]["responses"]["200"]["content"] == {
        "text/b": {"schema": {"type": "string", "maxLength": 9}}
    }


def test_a_file_is_binary_text() -> None:
    response = {"description": "R", "schema": {"type": "file"}}
    found = convert(_document({"/a": {"get": {"responses": {"200": response}}}}))
    assert found.document["paths"]["/a"]["get"]["responses"]["200"]["content"] == {
        "*/*": {"schema": {"type": "string", "format": "binary"}}
    }


def test_headers_and_examples_of_answers_stay() -> None:
    response = {
        "description": "D",
        "headers": {"X-Rate": {"type": "integer", "description": "H"}},
        "schema": {"type": "string"},
        "examples": {"text/plain": "a", "application/json": {"b": 1}},
    }
    operation = {"produces": ["text/plain"], "responses": {"200": response}}
    document = _converted(_document({"/a": {"get": operation}}))
    assert document["paths"]["/a"]["get"]["responses"]["200"] == {
        "description": "D",
        "headers": {"X-Rate": {"description": "H", "schema": {"type": "integer"}}},
        "content": {
            "text/plain": {"schema": {"type": "string"}, "example": "a"},
            "application/json": {"schema": {"type": "string"}, "example": {"b": 1}},
        },
    }


def test_schemas_with_names_that_3_0_has_not_get_others_and_every_reference_follows() -> None:
    document = _document(
        {
            "/a": {
                "get": {
                    "responses": {
                        "200": {"description": "D", "schema": {"$ref": "#/definitions/P%C2%ABA%C2%BB"}}
                    }
                }
            }
        },
        definitions={
            "P«A»": {
                "type": "object",
                "discriminator": "kind",
                "properties": {"kind": {"type": "string"}, "a/b": {"$ref": "#/definitions/P_A_"}},
                "required": ["kind"],
                "example": {"$ref": "#/definitions/none"},
                "x-nullable": True,
            },
            "P_A_": {"type": "string"},
        },
    )
    converted = _converted(document)
    schemas = converted["components"]["schemas"]
    assert converted["paths"]["/a"]["get"]["responses"]["200"]["content"]["*/*"]["schema"] == {
        "$ref": "#/components/schemas/P_A__2"
    }
    assert schemas["P_A_"] == {"type": "string"}
    assert schemas["P_A__2"] == {
        "type": "object",
        "discriminator": {"propertyName": "kind", "mapping": {"P«A»": "#/components/schemas/P_A__2"}},
        "properties": {"kind": {"type": "string"}, "a/b": {"$ref": "#/components/schemas/P_A_"}},
        "required": ["kind"],
        "example": {"$ref": "#/definitions/none"},
        "x-nullable": True,
        "nullable": True,
    }


def test_security_is_converted() -> None:
    document = _document(
        {"/a": {"get": {"responses": OK, "security": [{"người dùng": []}]}}},
        security=[{"người dùng": []}],
        securityDefinitions={
            "người dùng": {"type": "basic", "description": "B"},
            "key": {"type": "apiKey", "name": "X-Key", "in": "header"},
            "code": {
                "type": "oauth2",
                "flow": "accessCode",
                "authorizationUrl": "https://a.vn/a",
                "tokenUrl": "https://a.vn/t",
                "scopes": {"read": "đọc"},
            },
        },
    )
    converted = _converted(document)
    assert converted["components"]["securitySchemes"] == {
        "ng__i_d_ng": {"type": "http", "scheme": "basic", "description": "B"},
        "key": {"type": "apiKey", "name": "X-Key", "in": "header"},
        "code": {
            "type": "oauth2",
            "flows": {
                "authorizationCode": {
                    "scopes": {"read": "đọc"},
                    "authorizationUrl": "https://a.vn/a",
                    "tokenUrl": "https://a.vn/t",
                }
            },
        },
    }
    assert converted["security"] == converted["paths"]["/a"]["get"]["security"] == [{"ng__i_d_ng": []}]


@pytest.mark.parametrize(
    ("item", "place"),
    [
        ({"trace": {}}, "/paths/~1a/trace"),
        ({"$ref": "#/definitions/A"}, "/paths/~1a/$ref"),
        ({"get": {"parameters": [{"$ref": "other.yaml#/Id"}]}}, "/paths/~1a/get/parameters/0/$ref"),
        ({"get": {"responses": {"200": {"$ref": "#/paths/~1b"}}}}, "/paths/~1a/get/responses/200/$ref"),
        (
            {"post": {"parameters": [{"in": "body", "name": "a"}, {"in": "formData", "name": "b"}]}},
            "/paths/~1a/post/parameters",
        ),
        (
            {"post": {"parameters": [{"in": "body", "name": "a"}], "requestBody": {}}},
            "/paths/~1a/post/requestBody",
        ),
        ({"get": {"operationId": "a\nb"}}, "/paths/~1a/get/operationId"),
        (
            {
                "post": {
                    "parameters": [
                        {"in": "body", "name": "a"},
                        {"in": "query", "name": "b", "x-lgsp-person": 1},
                    ]
                }
            },
            "/paths/~1a/post/parameters/1/x-lgsp-person",
        ),
    ],
)
def test_what_cannot_be_converted_or_read_is_told_where_it_was_given(
    item: dict[str, Any], place: str
) -> None:
    assert _wrong(_document({"/a": item})) == [place]


def test_members_of_3_0_are_not_mixed_with_those_of_2_0() -> None:
    assert _wrong(_document({}, components={})) == ["/components"]


def test_what_is_shared_does_not_make_a_document_boundless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(swagger_schemas, "MAX_GROWTH", 10_000)
    response = {"description": "D", "schema": {"description": "d" * 900}}
    produced = [f"text/{number}" for number in range(20)]
    document = _document({"/a": {"get": {"responses": {"200": response}}}}, produces=produced)
    assert _wrong(document) == ["/paths/~1a/get/responses/200"]
    assert _wrong(_document({"/a": {"get": {"responses": {"200": response}}}}, produces=produced[:9])) == []


@pytest.mark.parametrize("version", ["2.0", 2.0, 2])
def test_the_version_may_be_a_number(version: object) -> None:
    assert is_swagger({"swagger": version})
    assert not is_swagger({"swagger": version, "openapi": "3.0.0"})


@given(st.recursive(st.none() | st.text(), lambda inner: st.dictionaries(st.text(), inner) | st.lists(inner)))
def test_any_json_is_converted_without_failing(value: object) -> None:
    for member in (
        "paths",
        "definitions",
        "parameters",
        "responses",
        "securityDefinitions",
        "security",
        "host",
    ):
        described({"swagger": "2.0", member: value})
        described({"swagger": "2.0", member: {"a": value}, "paths": {"/a": {"get": value}}})
    for member in ("parameters", "responses", "consumes", "produces", "schemes"):
        described(_document({"/a": {member: value, "get": {member: value, "parameters": [value]}}}))
