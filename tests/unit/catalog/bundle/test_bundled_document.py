"""Several documents become one that is valid, in which nothing means another thing than before."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from lienthong.catalog.bundle.domain.document import Bundled, document
from lienthong.catalog.domain.resources import ServiceOperation
from lienthong.catalog.services.domain.service import ServiceResource

NOW = datetime(2026, 12, 1, tzinfo=UTC)
GATEWAY = "https://gateway.example"
OLD: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Thửa đất", "version": "1.0.0"},
    "servers": [{"url": "https://land.example"}],
    "security": [{"key": []}],
    "paths": {
        "/parcels/{id}": {
            "parameters": [{"$ref": "#/components/parameters/Id"}],
            "get": {
                "operationId": "getParcel",
                "security": [{"key": []}],
                "tags": ["land"],
                "responses": {
                    "200": {
                        "description": "OK",
                        "content": {
                            "application/json": {
                                "schema": {"$ref": "#/components/schemas/Parcel", "description": "ignored"},
                                "examples": {"one": {"$ref": "#/components/examples/One"}},
                            }
                        },
                        "links": {"again": {"operationId": "getParcel"}},
                    },
                    "default": {"$ref": "#/components/responses/Wrong"},
                },
            },
            "delete": {"operationId": "dropParcel", "responses": {"204": {"description": "OK"}}},
        }
    },
    "components": {
        "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}},
        "parameters": {"Id": {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}},
        "responses": {"Wrong": {"description": "x", "headers": {"schema": {"schema": {"type": "string"}}}}},
        "examples": {"One": {"value": {"$ref": "#/components/schemas/Parcel", "nullable": True}}},
        "schemas": {
            "Parcel": {
                "type": "object",
                "properties": {
                    "area": {"type": "number", "minimum": 0, "exclusiveMinimum": True},
                    "owner": {"type": "string", "nullable": True, "enum": ["a", "b"]},
                    "next": {"nullable": True, "allOf": [{"$ref": "#/components/schemas/Parcel"}]},
                    "schema": {"type": "string", "example": {"nullable": True}},
                },
                "discriminator": {
                    "propertyName": "kind",
                    "mapping": {"a": "Parcel", "b": "#/components/schemas/Parcel"},
                },
            }
        },
    },
}
NEW: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Khảo sát", "version": "1"},
    "paths": {
        "/parcels/{id}": {"$ref": "#/components/pathItems/Item"},
        "/shared": {
            "get": {
                "operationId": "getParcel",
                "responses": {
                    "200": {"$ref": "#/paths/~1shared/get/responses/201"},
                    "201": {"description": "x"},
                },
            }
        },
    },
    "components": {
        "schemas": {"Parcel": {"type": ["object", "null"], "const": None}},
        "pathItems": {
            "Item": {
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "get": {"responses": {"200": {"description": "OK"}}},
            }
        },
    },
}


def service(code: str, given: dict[str, Any] | None, *operations: ServiceOperation) -> ServiceResource:
    return ServiceResource(
        id=f"H11.05/{code}",
        spec={"name": {"vi": code, "en": code}},
        status="active",
        version=7,
        created_at=NOW,
        updated_at=NOW,
        openapi=given,
        wsdl=None if given is not None else "<wsdl/>",
        operations=operations,
    )


def bundled(*services: Bundled) -> Any:  # noqa: ANN401 - JSON
    return json.loads(json.dumps(document("H11.05", {"vi": "Sở", "en": "Department"}, services, GATEWAY)))


def test_documents_with_the_same_names_become_one_that_is_valid() -> None:
    before = json.dumps([OLD, NEW])
    found = bundled(Bundled(service("land/parcels-v1", OLD)), Bundled(service("survey/parcels-v1", NEW)))
    validate(found, cls=OpenAPIV31SpecValidator)
    assert json.dumps([OLD, NEW]) == before
    assert sorted(found["paths"]) == [
        "/H11.05/land/parcels-v1/parcels/{id}",
        "/H11.05/survey/parcels-v1/parcels/{id}",
        "/H11.05/survey/parcels-v1/shared",
    ]
    assert found["servers"] == [{"url": f"{GATEWAY}/api"}]
    flow = found["components"]["securitySchemes"]["lgsp"]["flows"]["clientCredentials"]
    assert flow["tokenUrl"] == f"{GATEWAY}/oauth2/token"
    assert sorted(found["components"]["schemas"]) == ["land.parcels-v1.Parcel", "survey.parcels-v1.Parcel"]
    get = found["paths"]["/H11.05/land/parcels-v1/parcels/{id}"]["get"]
    assert (get["operationId"], get["tags"], "security" in get) == (
        "land_parcels-v1_getParcel",
        ["H11.05/land/parcels-v1"],
        False,
    )
    answer = get["responses"]["200"]
    assert answer["links"]["again"]["operationId"] == "land_parcels-v1_getParcel"
    media = answer["content"]["application/json"]
    assert media["schema"] == {"$ref": "#/components/schemas/land.parcels-v1.Parcel"}
    assert media["examples"]["one"] == {"$ref": "#/components/examples/land.parcels-v1.One"}
    shared = found["paths"]["/H11.05/survey/parcels-v1/shared"]["get"]["responses"]["200"]
    assert shared == {"$ref": "#/paths/~1H11.05~1survey~1parcels-v1~1shared/get/responses/201"}


def test_what_3_0_says_in_words_of_its_own_is_said_in_those_of_3_1() -> None:
    found = bundled(Bundled(service("land/parcels-v1", OLD)))
    parcel = found["components"]["schemas"]["land.parcels-v1.Parcel"]
    own = "#/components/schemas/land.parcels-v1.Parcel"
    assert parcel["properties"] == {
        "area": {"type": "number", "exclusiveMinimum": 0},
        "owner": {"type": ["string", "null"], "enum": ["a", "b", None]},
        "next": {"anyOf": [{"allOf": [{"$ref": own}]}, {"type": "null"}]},
        "schema": {"type": "string", "example": {"nullable": True}},
    }
    assert parcel["discriminator"]["mapping"] == {"a": own, "b": own}
    assert found["components"]["examples"]["land.parcels-v1.One"] == OLD["components"]["examples"]["One"]


def test_only_operations_that_were_agreed_are_shown() -> None:
    operations = (
        ServiceOperation("getParcel", "GET", "/parcels/{id}"),
        ServiceOperation("dropParcel", "DELETE", "/parcels/{id}"),
    )
    found = bundled(Bundled(service("land/parcels-v1", OLD, *operations), {"getParcel"}))
    (item,) = found["paths"].values()
    assert {"get", "delete"} & set(item) == {"get"}
    assert bundled(Bundled(service("land/parcels-v1", OLD, *operations), {"gone"}))["paths"] == {}


def test_what_cannot_be_said_in_it_is_named() -> None:
    newer = {**NEW, "openapi": "3.2.0"}
    found = bundled(Bundled(service("land/soap-v1", None)), Bundled(service("land/new-v1", newer)))
    validate(found, cls=OpenAPIV31SpecValidator)
    assert [one["service"] for one in found["x-lgsp-left-out"]] == [
        "H11.05/land/soap-v1",
        "H11.05/land/new-v1",
    ]
    assert found["paths"] == {}


def test_a_parameter_that_stands_in_the_path_alone_is_declared() -> None:
    answers = {"responses": {"200": {"description": "OK"}}}
    own = {"name": "b", "in": "path", "required": True, "schema": {"type": "integer"}}
    given: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "x", "version": "1"},
        "paths": {"/{a}/{b}/{id}": {"get": {**answers, "parameters": [own]}, "put": answers}},
    }
    given["paths"]["/{a}/{b}/{id}"]["parameters"] = [{"$ref": "#/components/parameters/Id"}]
    given["components"] = {"parameters": OLD["components"]["parameters"]}
    found = bundled(Bundled(service("land/bare-v1", given)))
    validate(found, cls=OpenAPIV31SpecValidator)
    (item,) = found["paths"].values()
    assert [one.get("name") for one in item["parameters"]] == [None, "a", "b", None]
    assert item["get"]["parameters"] == [own]


def test_references_that_only_the_catalog_takes_are_followed() -> None:
    operation = {"operationId": "list", "responses": {"200": {"description": "OK"}}}
    given = {
        "openapi": "3.1.0",
        "info": {"title": "x", "version": "1"},
        "paths": {
            "/a": {"get": {"$ref": "#/components/x-operations/List"}},
            "/b": {"$ref": "#/x-items/Both"},
            "/c": {"$ref": "#/x-items/Both"},
            "/d": {"$ref": "#/nowhere"},
        },
        "components": {"x-operations": {"List": operation}, "pathItems": {"Unused": {"get": operation}}},
        "x-items": {"Both": {"get": {**operation, "operationId": "both"}, "delete": operation}},
    }
    found = bundled(Bundled(service("land/x-v1", given)))
    validate(found, cls=OpenAPIV31SpecValidator)
    paths = found["paths"]
    assert "operationId" not in paths["/H11.05/land/x-v1/b"]["get"]
    assert "pathItems" not in found["components"]
    shown = ServiceOperation("GET /b", "GET", "/b")
    only = bundled(Bundled(service("land/x-v1", given, shown), frozenset({"GET /b"})))["paths"]
    assert {path: [name for name in item if name in ("get", "delete")] for path, item in only.items()} == {
        "/H11.05/land/x-v1/b": ["get"]
    }
