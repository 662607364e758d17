"""GovStack's Information Mediator: its directory services and calls, under a prefix of their own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import jsonschema
import pytest

from lienthong.contracts.catalog.v1 import directory_pb2, routes_pb2
from tests.integration.gateway.world import CONSUMER, SERVICE, World, assert_in_form, system

if TYPE_CHECKING:
    from collections.abc import Iterator

BASE = "/govstack"
LAND = "VN-BTN/GOV/H11.05/land"
CLIENT = {"Information-Mediator-Client": "VN-BTN/GOV/H11.01/one-stop"}
NEWEST = {"X-GovStack-Client": "VN-BTN/GOV/H11.01/one-stop"}
HTTP = routes_pb2.XRoad(connection=routes_pb2.X_ROAD_CONNECTION_HTTP, networks=["127.0.0.1"])
DOCUMENT = {"openapi": "3.1.0", "info": {"title": "Thửa đất", "version": "1"}, "paths": {}}
TEXT = {"type": "string"}
ENDPOINTS = {
    "type": "object",
    "properties": {
        "member": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"method": TEXT, "path": TEXT},
                "additionalProperties": False,
            },
        }
    },
    "additionalProperties": False,
}
ITEM = {
    "type": "object",
    "properties": {
        "serviceType": TEXT,
        "GovStackInstance": TEXT,
        "memberClass": TEXT,
        "memberCode": TEXT,
        "applicationCode": TEXT,
        "serviceCode": TEXT,
        "serviceVersion": TEXT,
        "endpointList": ENDPOINTS,
    },
    "additionalProperties": False,
}
LIST = {
    "type": "object",
    "properties": {"member": {"type": "array", "items": ITEM}},
    "required": ["member"],
    "additionalProperties": False,
}
"""What the building block allows in an answer, and nothing else."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A gateway whose operator trusts this machine."""
    world = World(tmp_path_factory.mktemp("govstack"), xroad_networks="127.0.0.0/8", refused_burst=1000)
    world.directory.clients = [
        directory_pb2.Client(agency_code="H11.05", member_class="GOV", name="Sở"),
        directory_pb2.Client(agency_code="H11.05", system_code="land", member_class="GOV", name="Đất đai"),
    ]
    world.directory.documents = {SERVICE: json.dumps(DOCUMENT)}
    try:
        world.change(system(CONSUMER, xroad=HTTP))
        world.start()
        yield world
    finally:
        world.close()


def ask(
    world: World, path: str, headers: dict[str, str] | None = None, method: str = "GET"
) -> httpx.Response:
    """A request as GovStack's clients make it."""
    return httpx.request(
        method,
        world.url + BASE + path,
        headers=CLIENT if headers is None else headers,
        trust_env=False,
        timeout=30,
    )


def listed(answer: httpx.Response) -> list[dict[str, Any]]:
    """The items of an answer, which has the form that the building block allows."""
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    jsonschema.validate(answer.json(), LIST)
    found: list[dict[str, Any]] = answer.json()["member"]
    return found


def test_the_directory_speaks_in_its_own_words(world: World) -> None:
    [service] = listed(ask(world, f"/{LAND}/listMethods?serviceId=parcels-v1"))
    assert (service["GovStackInstance"], service["applicationCode"]) == ("VN-BTN", "land")
    assert (service["serviceCode"], service["serviceVersion"]) == ("parcels-v1", "v1")
    assert {"method": "GET", "path": "/secrets"} in service["endpointList"]["member"]
    [allowed] = listed(ask(world, f"/{LAND}/allowedMethods"))
    assert {"method": "GET", "path": "/secrets"} not in allowed["endpointList"]["member"]
    clients = listed(ask(world, "/listClients", {}))
    assert clients == [
        {"GovStackInstance": "VN-BTN", "memberClass": "GOV", "memberCode": "H11.05"},
        {
            "GovStackInstance": "VN-BTN",
            "memberClass": "GOV",
            "memberCode": "H11.05",
            "applicationCode": "land",
        },
    ]
    assert listed(ask(world, "/listClients?instanceId=other", {})) == []


def test_the_newest_api_is_answered_in_its_words(world: World) -> None:
    [service] = ask(world, f"/r1/{LAND}/listMethods", NEWEST).json()["member"]
    assert (service["objectType"], service["instanceId"]) == ("SERVICE", "VN-BTN")
    member, application = ask(world, "/r1/listClients", NEWEST).json()["member"]
    assert member["id"]["objectType"] == "MEMBER"
    assert application == {
        "name": "Đất đai",
        "id": {
            "objectType": "APPLICATION",
            "instanceId": "VN-BTN",
            "memberClass": "GOV",
            "memberCode": "H11.05",
            "applicationCode": "land",
        },
    }


def test_a_document_is_a_json_string(world: World) -> None:
    answer = ask(world, f"/{LAND}/getOpenAPI?serviceCode=parcels-v1")
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    document = json.loads(answer.json())
    assert document["info"] == DOCUMENT["info"]
    assert document["servers"] == [{"url": f"{BASE}/{LAND}/parcels-v1"}]


@pytest.mark.parametrize(
    "path",
    [
        f"/{LAND}/getOpenAPI",
        f"/{LAND}/getOpenAPI?serviceCode=",
        f"/{LAND}/getOpenAPI?serviceCode=_invalid",
        "/1nval1d/GOV/H11.05/land/getOpenAPI?serviceCode=parcels-v1",
        "/VN-BTN/1nval1d/H11.05/land/listMethods",
        "/VN-BTN/GOV/_invalid/land/allowedMethods",
        "/VN-BTN/GOV/H11.05/_invalid/listMethods",
        "/VN-BTN/GOV",
        f"/{LAND}/parcels-v1/secrets",
    ],
)
def test_what_is_wrong_is_told_in_a_string(world: World, path: str) -> None:
    answer = ask(world, path)
    assert answer.status_code == 400
    assert isinstance(answer.json(), str)
    assert "x-road-error" not in answer.headers
    assert "lgsp-error" in answer.headers


def test_the_client_has_to_prove_itself(world: World) -> None:
    assert ask(world, f"/{LAND}/listMethods", {}).status_code == 400
    other = {"Information-Mediator-Client": "VN-BTN/GOV/H11.36.01/portal"}
    assert ask(world, f"/{LAND}/listMethods", other).status_code == 400


def test_a_service_is_called_with_either_name_of_the_field(world: World) -> None:
    for base, client in (("", CLIENT), ("/r1", NEWEST), ("/r1", CLIENT)):
        answer = ask(world, f"{base}/{LAND}/parcels-v1/parcels/7?a=b", client)
        assert (answer.status_code, answer.json()) == (200, {"ok": True})
        exchange = world.provider.seen[-1]
        assert exchange.request_line == "GET /parcels/7?a=b HTTP/1.1"
        assert exchange.header("lgsp-client") == CONSUMER
        assert exchange.header("information-mediator-client") == CLIENT["Information-Mediator-Client"]
        assert exchange.header("x-forwarded-prefix") == f"{BASE}{base}/{LAND}/parcels-v1"
        record = world.record(answer.headers["lgsp-transaction-id"])
        assert_in_form([record])
        assert (record["door"], record["client"], record["service"]) == ("govstack", CONSUMER, SERVICE)


def test_a_provider_that_is_away_is_no_fault_of_the_caller(world: World) -> None:
    world.loop.run(world.provider.stop())
    try:
        answer = ask(world, f"/{LAND}/parcels-v1/parcels/7")
        assert (answer.status_code, isinstance(answer.json(), str)) == (500, True)
    finally:
        world.loop.run(world.provider.start())
