"""X-Road's metadata services, asked as its clients ask them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from lienthong.contracts.catalog.v1 import directory_pb2, routes_pb2
from tests.integration.gateway.world import CONSUMER, PROVIDER, SERVICE, World, agreement, service, system

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LAND = "/r1/VN-BTN/GOV/H11.05/land"
CLIENT = "VN-BTN/GOV/H11.01/one-stop"
HTTP = routes_pb2.XRoad(connection=routes_pb2.X_ROAD_CONNECTION_HTTP, networks=["127.0.0.1"])
MAPS = f"{PROVIDER}/maps-v2"
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Thửa đất", "version": "1"},
    "servers": [{"url": "http://10.0.0.5:8201"}],
    "paths": {
        "/parcels": {
            "servers": [{"url": "http://10.0.0.6"}],
            "get": {"operationId": "listParcels", "servers": [{"url": "http://10.0.0.7"}]},
        },
        "/owners": {"$ref": "#/components/pathItems/Owners"},
    },
    "components": {
        "pathItems": {
            "Owners": {
                "servers": [{"url": "http://10.0.0.8"}],
                "get": {"operationId": "listOwners", "servers": [{"url": "http://10.0.0.9"}]},
            }
        }
    },
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A gateway with two services, and names in the catalog."""
    world = World(tmp_path_factory.mktemp("metadata"), xroad_networks="127.0.0.0/8", refused_burst=1000)
    world.directory.clients = [
        directory_pb2.Client(agency_code="H11.01", member_class="GOV", name="Một cửa <A&B>"),
        directory_pb2.Client(agency_code="H11.05", member_class="GOV", name="Sở"),
        directory_pb2.Client(agency_code="H11.05", system_code="land", member_class="GOV", name="Đất đai"),
    ]
    world.directory.documents = {SERVICE: json.dumps(DOCUMENT)}
    maps = service(
        [world.provider.url], service_id=MAPS, operations=[("getTile", "GET", "/tiles/{x}-{y}.png/*")]
    )
    try:
        world.change(system(CONSUMER, xroad=HTTP), maps)
        world.start()
        yield world
    finally:
        world.close()


def ask(world: World, path: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
    """A request as X-Road's clients make it."""
    named = {"X-Road-Client": CLIENT, "Accept": "application/json", **(headers or {})}
    return httpx.get(world.url + path, headers=named, trust_env=False, timeout=30)


def listed(answer: httpx.Response) -> dict[str, list[str]]:
    """The services of an answer, each with its endpoints; the rest of it is as it has to be."""
    assert answer.status_code == 200
    document: dict[str, Any] = answer.json()
    assert list(document) == ["service"]
    for one in document["service"]:
        assert {name: one[name] for name in one if name not in ("service_code", "endpoint_list")} == {
            "object_type": "SERVICE",
            "xroad_instance": "VN-BTN",
            "member_class": "GOV",
            "member_code": "H11.05",
            "subsystem_code": "land",
            "service_type": "OPENAPI",
        }
    return {
        one["service_code"]: [f"{endpoint['method']} {endpoint['path']}" for endpoint in one["endpoint_list"]]
        for one in document["service"]
    }


def test_list_methods_has_every_service_and_endpoint(world: World) -> None:
    answer = ask(world, f"{LAND}/listMethods")
    assert listed(answer) == {
        "maps-v2": ["GET /tiles/*-*.png/\\*"],
        "parcels-v1": [
            "GET /parcels/*",
            "HEAD /parcels/*",
            "GET /parcels",
            "POST /parcels",
            "DELETE /parcels/*",
            "GET /secrets",
        ],
    }
    assert answer.headers["x-road-client"] == CLIENT
    assert answer.headers["x-road-service"] == "VN-BTN/GOV/H11.05/land/listMethods"
    assert len(answer.headers["x-road-request-hash"]) == 88
    record = world.record(answer.headers["x-road-request-id"])
    assert (record["client"], record["service"], record["operation"], record["door"]) == (
        CONSUMER,
        "lienthong/gateway",
        "listMethods",
        "xroad",
    )
    assert list(listed(ask(world, f"{LAND}/listMethods?serviceId=maps-v2"))) == ["maps-v2"]


def test_allowed_methods_has_what_agreements_in_force_allow(world: World) -> None:
    some = {"parcels-v1": ["GET /parcels/*", "HEAD /parcels/*", "GET /parcels", "POST /parcels"]}
    assert listed(ask(world, f"{LAND}/allowedMethods")) == some
    try:
        world.change(agreement("one-stop-maps", service_id=MAPS, operations=()))
        assert listed(ask(world, f"{LAND}/allowedMethods")) == {"maps-v2": ["GET /tiles/*-*.png/\\*"], **some}
    finally:
        world.remove_agreement("one-stop-maps")
    try:
        world.change(agreement(status=routes_pb2.AGREEMENT_STATUS_REVOKED))
        assert listed(ask(world, f"{LAND}/allowedMethods")) == {}
    finally:
        world.change(agreement())


def test_a_suspended_provider_lists_nothing(world: World) -> None:
    try:
        world.change(system(PROVIDER, suspended=True))
        assert listed(ask(world, f"{LAND}/listMethods")) == {}
    finally:
        world.change(system(PROVIDER))


def test_the_document_of_a_service_says_where_it_is_called(world: World) -> None:
    answer = ask(world, f"{LAND}/getOpenAPI?serviceCode=parcels-v1")
    document = answer.json()
    assert document["servers"] == [{"url": f"{LAND}/parcels-v1"}]
    assert "10.0.0" not in answer.text
    assert document["paths"]["/parcels"]["get"]["operationId"] == "listParcels"
    missing = ask(world, f"{LAND}/getOpenAPI?serviceCode=nothing-v1")
    assert (missing.status_code, missing.json()["type"]) == (500, "server.serverproxy.unknown_service")
    unasked = ask(world, f"{LAND}/getOpenAPI")
    assert (unasked.status_code, unasked.json()["type"]) == (400, "client.bad_request")


def test_metadata_services_want_to_know_their_client(world: World) -> None:
    for path in ("listMethods", "allowedMethods", "getOpenAPI?serviceCode=parcels-v1"):
        answer = ask(world, f"{LAND}/{path}", {"X-Road-Client": "VN-BTN/GOV/H11.36.01/portal"})
        assert answer.json()["type"] == "server.clientproxy.ssl_authentication_failed"


def test_list_clients_names_everyone_as_json_or_xml(world: World) -> None:
    answer = ask(world, "/listClients")
    assert answer.json() == {
        "member": [
            {"id": member("H11.01"), "name": "Một cửa <A&B>"},
            {"id": member("H11.05"), "name": "Sở"},
            {
                "id": {**member("H11.05"), "object_type": "SUBSYSTEM", "subsystem_code": "land"},
                "name": "Sở",
                "subsystem_name": "Đất đai",
            },
        ]
    }
    xml = ask(world, "/listClients?xRoadInstance=VN-BTN", {"Accept": "*/*"})
    assert xml.headers["content-type"] == "text/xml;charset=utf-8"
    assert "<xrd:name>Một cửa &lt;A&amp;B&gt;</xrd:name>" in xml.text
    assert '<xrd:id id:objectType="SUBSYSTEM"><id:xRoadInstance>VN-BTN</id:xRoadInstance>' in xml.text
    assert ask(world, "/listClients?xRoadInstance=EE").json() == {"member": []}
    assert world.directory.asked == 1, "the list is kept for a while"


def member(code: str) -> dict[str, str]:
    """A member's identifier."""
    return {
        "object_type": "MEMBER",
        "xroad_instance": "VN-BTN",
        "member_class": "GOV",
        "member_code": code,
    }


def test_while_the_catalog_is_away_they_say_so_and_calls_go_on(world: World) -> None:
    world.loop.run(world.catalog_peer.stop())
    try:
        answer = ask(world, f"{LAND}/listMethods")
        assert (answer.status_code, answer.json()["type"]) == (500, "server.clientproxy.network_error")
        assert ask(world, f"{LAND}/parcels-v1/parcels/7").status_code == 200
    finally:
        world.loop.run(world.catalog_peer.start())
