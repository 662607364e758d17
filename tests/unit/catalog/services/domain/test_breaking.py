"""What breaks callers between two versions of a document is found, and named with its place."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lienthong.catalog.services.domain import openapi
from lienthong.catalog.services.domain.breaking import MOST_NAMED, breaking_changes
from lienthong.kit.json_pointer import pointer

PARCEL: dict[str, Any] = {
    "type": "object",
    "required": ["id", "state"],
    "properties": {
        "id": {"type": "string", "maxLength": 20},
        "state": {"type": "string", "enum": ["free", "taken"]},
        "area": {"type": "number"},
        "parent": {"$ref": "#/components/schemas/Parcel"},
    },
}
NEW = copy.deepcopy(PARCEL)
NEW["properties"]["parent"] = {"$ref": "#/components/schemas/New"}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "T", "version": "1"},
    "paths": {
        "/parcels": {
            "get": {
                "operationId": "listParcels",
                "parameters": [{"name": "q", "in": "query", "schema": {"type": "string"}}],
                "responses": {
                    "200": {
                        "content": {
                            "application/json": {
                                "schema": {"type": "array", "items": {"$ref": "#/components/schemas/Parcel"}}
                            },
                            "text/csv": {},
                        }
                    },
                    "404": {},
                },
            },
            "post": {
                "operationId": "addParcel",
                "requestBody": {
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/New"}}}
                },
                "responses": {"201": {}},
            },
        },
        "/parcels/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
            "get": {"operationId": "getParcel", "responses": {"200": {}}},
        },
    },
    "components": {"schemas": {"Parcel": PARCEL, "New": NEW}},
}
LIST, ADD = "/paths/~1parcels/get", "/paths/~1parcels/post"
BODY = f"{ADD}/requestBody/content/application~1json/schema"
ANSWER = f"{LIST}/responses/200/content/application~1json/schema/items"


def found(new: dict[str, Any], old: dict[str, Any] = DOCUMENT) -> list[tuple[str, str]]:
    """What breaks, as operations and places."""
    before, after = openapi.read(old), openapi.read(new)
    assert (before[1], after[1]) == ((), ())
    breaks = breaking_changes(old, new, before[0], after[0])
    assert all(one.text.vi for one in breaks)
    return [(one.operation, pointer(one.path)) for one in breaks]


def changed(change: Any) -> dict[str, Any]:  # noqa: ANN401 - a function of a test
    """The document with a change."""
    new = copy.deepcopy(DOCUMENT)
    change(new, new["paths"]["/parcels"], new["components"]["schemas"])
    return new


def put(target: dict[str, Any], **members: object) -> None:
    """Write members into an object."""
    target.update(members)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda d, p, s: d["paths"].pop("/parcels/{id}"), [("getParcel", "/paths")]),
        (
            lambda d, p, s: p["get"]["parameters"].append(
                {"name": "page", "in": "query", "required": True, "schema": {}}
            ),
            [("listParcels", f"{LIST}/parameters")],
        ),
        (
            lambda d, p, s: put(p["get"]["parameters"][0], required=True),
            [("listParcels", f"{LIST}/parameters")],
        ),
        (
            lambda d, p, s: put(p["get"]["parameters"][0]["schema"], maxLength=5),
            [("listParcels", f"{LIST}/parameters/q/schema/maxLength")],
        ),
        (lambda d, p, s: p["get"]["responses"].pop("200"), [("listParcels", f"{LIST}/responses")]),
        (
            lambda d, p, s: p["get"]["responses"]["200"]["content"].pop("text/csv"),
            [("listParcels", f"{LIST}/responses/200/content")],
        ),
        (lambda d, p, s: put(p["post"]["requestBody"], required=True), [("addParcel", f"{ADD}/requestBody")]),
        (lambda d, p, s: p["post"].pop("requestBody"), [("addParcel", ADD)]),
        (
            lambda d, p, s: put(s["New"], required=["id", "state", "area"]),
            [("addParcel", f"{BODY}/required")],
        ),
        (
            lambda d, p, s: put(s["New"]["properties"]["area"], type="integer"),
            [("addParcel", f"{BODY}/properties/area/type")],
        ),
        (
            lambda d, p, s: put(s["New"]["properties"]["state"], enum=["free"]),
            [("addParcel", f"{BODY}/properties/state/enum")],
        ),
        (
            lambda d, p, s: put(s["New"], additionalProperties=False),
            [("addParcel", f"{BODY}/additionalProperties")],
        ),
        (
            lambda d, p, s: put(s["New"]["properties"]["id"], maxLength=10),
            [("addParcel", f"{BODY}/properties/id/maxLength")],
        ),
        (lambda d, p, s: s["Parcel"]["properties"].pop("area"), [("listParcels", f"{ANSWER}/properties")]),
        (
            lambda d, p, s: put(s["Parcel"], required=["id"]),
            [("listParcels", f"{ANSWER}/properties/state")],
        ),
        (
            lambda d, p, s: put(s["Parcel"]["properties"]["state"], enum=["free", "taken", "sold"]),
            [("listParcels", f"{ANSWER}/properties/state/enum")],
        ),
        (
            lambda d, p, s: put(s["Parcel"]["properties"]["area"], type=["number", "null"]),
            [("listParcels", f"{ANSWER}/properties/area/type")],
        ),
        (
            lambda d, p, s: put(
                s["Parcel"]["properties"], area={"oneOf": [{"type": "number"}], "type": "string"}
            ),
            [("listParcels", f"{ANSWER}/properties/area/type")],
        ),
    ],
)
def test_each_change_that_breaks_is_named(change: Any, expected: list[tuple[str, str]]) -> None:  # noqa: ANN401
    assert found(changed(change)) == expected


@pytest.mark.parametrize(
    "change",
    [
        lambda d, p, s: None,
        lambda d, p, s: p["get"].pop("parameters"),
        lambda d, p, s: p["get"]["responses"].pop("404"),
        lambda d, p, s: p["get"]["responses"].update({"206": {}}),
        lambda d, p, s: put(p["get"], operationId="list", description="Another"),
        lambda d, p, s: d["paths"].update(
            {
                "/parcels/{number}": {
                    "parameters": [
                        {"name": "number", "in": "path", "required": True, "schema": {"type": "string"}}
                    ],
                    "get": d["paths"].pop("/parcels/{id}")["get"],
                }
            }
        ),
        lambda d, p, s: put(s["New"], required=["id"]),
        lambda d, p, s: put(s["New"]["properties"]["state"], enum=["free", "taken", "sold"]),
        lambda d, p, s: put(s["New"]["properties"]["id"], maxLength=40),
        lambda d, p, s: put(s["New"]["properties"]["area"], type=["number", "null"], description="m²"),
        lambda d, p, s: put(s["New"]["properties"]["id"], format="uuid"),
        lambda d, p, s: put(s["Parcel"]["properties"], owner={"type": "string"}),
        lambda d, p, s: put(s["Parcel"], required=["id", "state", "area"]),
        lambda d, p, s: put(s["Parcel"]["properties"]["area"], type="integer"),
        lambda d, p, s: put(s["Parcel"]["properties"]["id"], maxLength=10),
        lambda d, p, s: s.update(
            Parcel={"allOf": [{k: v for k, v in PARCEL.items() if k != "type"}], "type": "object"}
        ),
    ],
)
def test_what_is_only_more_generous_breaks_nobody(change: Any) -> None:  # noqa: ANN401
    assert found(changed(change)) == []


_schemas = st.recursive(
    st.one_of(
        st.booleans(),
        st.fixed_dictionaries(
            {},
            optional={
                "type": st.sampled_from(["string", "number", "integer", ["string", "null"], 3]),
                "enum": st.lists(st.sampled_from(["a", 1, None]), min_size=1),
                "maxLength": st.integers(0, 9),
                "pattern": st.sampled_from(["a", "b"]),
                "$ref": st.sampled_from(["#/components/schemas/Parcel", "#/nowhere", "else.yaml"]),
            },
        ),
    ),
    lambda inner: st.one_of(
        st.fixed_dictionaries(
            {"properties": st.dictionaries(st.sampled_from("xyz"), inner)},
            optional={"required": st.lists(st.sampled_from("xyz")), "additionalProperties": inner},
        ),
        st.fixed_dictionaries({"items": inner}),
        st.fixed_dictionaries({"oneOf": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"allOf": st.lists(inner, min_size=1, max_size=3)}),
    ),
    max_leaves=8,
)


@example({"type": 3}, {"type": {"a": 1}})
@given(_schemas, _schemas)
def test_any_two_schemas_are_compared_and_the_same_one_breaks_nobody(old: Any, new: Any) -> None:  # noqa: ANN401
    def documents(schema: object) -> dict[str, Any]:
        document = copy.deepcopy(DOCUMENT)
        document["components"]["schemas"] = {"New": schema, "Parcel": schema}
        return document

    operations = openapi.read(DOCUMENT)[0]
    one, other = documents(old), documents(new)
    assert breaking_changes(one, copy.deepcopy(one), operations, operations) == []
    breaking_changes(one, other, operations, operations)


def test_schemas_that_refer_to_each_other_a_thousand_times_are_looked_at_once() -> None:
    names = [f"S{number}" for number in range(1000)]
    members = {name: {"$ref": f"#/components/schemas/{name}"} for name in names}
    document = copy.deepcopy(DOCUMENT)
    document["components"]["schemas"] |= {name: {"properties": members} for name in names}
    document["components"]["schemas"]["New"] = {"properties": members}
    document["components"]["schemas"]["Parcel"] = {"properties": members}
    new = copy.deepcopy(document)
    operations = openapi.read(DOCUMENT)[0]
    assert len(breaking_changes(document, new, operations, operations)) <= 1


def test_so_many_changes_are_named_and_no_more() -> None:
    old, new = copy.deepcopy(DOCUMENT), copy.deepcopy(DOCUMENT)
    old["components"]["schemas"]["Parcel"] = {"properties": {f"m{number}": {} for number in range(500)}}
    new["components"]["schemas"]["Parcel"] = {}
    assert len(found(new, old)) == MOST_NAMED
