"""Parameters of real clients' requests are checked against the service's OpenAPI document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.gateway.world import API, SERVICE, World, agreement
from tests.support.checked_service import checked_service

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

BOX = {"type": "object", "properties": {"west": {"type": "number"}}, "required": ["west"]}
IDS = {"type": "array", "maxItems": 3, "items": {"type": "integer"}}
REF = {"$ref": "#/components/schemas/Ids"}
NUMBERS = {"type": "array", "items": {"type": "integer"}}
FILTER = {"application/json": {"schema": {"type": "object", "nullable": True}}}
ID = {"type": "string", "pattern": "^[A-Z]{2}-[0-9]+$"}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Thửa đất", "version": "1"},
    "paths": {
        "/parcels": {
            "get": {
                "operationId": "listParcels",
                "parameters": [
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 100}},
                    {"name": "ids", "in": "query", "explode": False, "schema": REF},
                    {"name": "box", "in": "query", "style": "deepObject", "schema": BOX},
                    {"name": "X-Rows", "in": "header", "schema": NUMBERS},
                    {"name": "filter", "in": "query", "content": FILTER},
                ],
                "responses": {"200": {"description": "Thửa đất"}},
            }
        },
        "/parcels/{parcelId}": {
            "get": {
                "operationId": "getParcel",
                "parameters": [{"name": "parcelId", "in": "path", "required": True, "schema": ID}],
                "responses": {"200": {"description": "Thửa đất"}},
            }
        },
    },
    "components": {"schemas": {"Ids": IDS}},
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A gateway whose one service has requests checked."""
    world = World(tmp_path_factory.mktemp("world"))
    try:
        world.start()
        world.change(checked_service(SERVICE, world.provider.url, DOCUMENT, "enforce"), agreement())
        yield world
    finally:
        world.close()


def called(world: World, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401
    with world.client() as client:
        return client.get(f"{API}{path}", **options)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"params": {"limit": 100, "unknown": "x"}},
        {"params": {"ids": "1,2,3"}, "headers": {"X-Rows": "1, 2"}},
        {"params": {"box[west]": 108.1, "filter": '{"a": 1}'}},
        {"params": {"filter": "null"}},
    ],
)
def test_what_the_document_says_passes(world: World, options: dict[str, Any]) -> None:
    response = called(world, "/parcels", **options)
    assert response.status_code == 200
    record = world.record(response.headers["lgsp-transaction-id"])
    assert record["request_check"] == "valid"


@pytest.mark.parametrize(
    ("options", "places"),
    [
        ({"params": {"limit": 101, "ids": "1,x"}}, ["/query/ids/1", "/query/limit"]),
        ({"params": {"ids": "1,2,3,4"}}, ["/query/ids"]),
        ({"params": {"box[east]": 108.1}}, ["/query/box"]),
        ({"params": {"filter": "{"}}, ["/query/filter"]),
        ({"headers": {"X-Rows": "1, two"}}, ["/header/X-Rows/1"]),
    ],
)
def test_what_it_does_not_say_is_refused_with_its_places(
    world: World, options: dict[str, Any], places: list[str]
) -> None:
    seen = len(world.provider.seen)
    response = called(world, "/parcels", **options)
    assert (response.status_code, response.headers["lgsp-error"]) == (400, "request-not-valid")
    assert [one["parameter"] for one in response.json()["errors"]] == places
    assert len(world.provider.seen) == seen
    record = world.record(response.headers["lgsp-transaction-id"])
    assert (record["request_check"], record["failed"]) == ("invalid", "client")


def test_a_value_is_in_no_answer_and_no_log(world: World) -> None:
    response = called(world, "/parcels/079203001234")
    assert response.status_code == 400
    assert [one["parameter"] for one in response.json()["errors"]] == ["/path/parcelId"]
    assert "079203001234" not in response.text
    assert "079203001234" not in world.log.read_text()
    assert called(world, "/parcels/BT-1").status_code == 200
