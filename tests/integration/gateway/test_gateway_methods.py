"""HEAD where GET is declared, and OPTIONS, which the gateway answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.gateway.world import AGREEMENT, API, CONSUMER, SERVICE, service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.gateway.peers import Exchange
    from tests.integration.gateway.world import World

DECLARED = [
    ("getParcel", "GET", "/parcels/{parcelId}"),
    ("removeParcel", "DELETE", "/parcels/{parcelId}"),
    ("registerParcel", "POST", "/parcels"),
    ("secretParcel", "GET", "/secrets"),
]


@pytest.fixture(scope="module", autouse=True)
def _only_get(world: World) -> None:
    world.change(service([world.provider.url], operations=DECLARED))


@pytest.fixture
def _own_options(world: World) -> Iterator[None]:
    world.change(service([world.provider.url], operations=[*DECLARED, ("ask", "OPTIONS", "/parcels")]))
    yield
    world.change(service([world.provider.url], operations=DECLARED))


def test_head_is_a_call_of_the_operation_of_get(world: World) -> None:
    with world.client() as client:
        answer = client.head(f"{API}/parcels/1")
    assert (answer.status_code, answer.headers["content-length"], answer.content) == (200, "11", b"")
    assert world.provider.seen[-1].request_line == "HEAD /parcels/1 HTTP/1.1"
    record = world.record(answer.headers["lgsp-transaction-id"])
    assert {name: record[name] for name in ("method", "operation", "agreement", "client", "status")} == {
        "method": "HEAD",
        "operation": "getParcel",
        "agreement": AGREEMENT,
        "client": CONSUMER,
        "status": 200,
    }
    assert record["response_bytes"] == 0


def test_head_needs_what_get_needs(world: World) -> None:
    seen = len(world.provider.seen)
    with world.client() as client:
        outside = client.head(f"{API}/secrets")
    with world.client("") as nobody:
        unknown = nobody.head(f"{API}/parcels/1")
    assert (outside.status_code, outside.headers["lgsp-error"]) == (403, "operation-not-in-agreement")
    assert (unknown.status_code, unknown.headers["lgsp-error"]) == (401, "no-token")
    assert world.record(outside.headers["lgsp-transaction-id"])["operation"] == "secretParcel"
    assert len(world.provider.seen) == seen


def test_there_is_no_head_where_there_is_no_get(world: World) -> None:
    with world.client() as client:
        answer = client.head(f"{API}/parcels")
    assert (answer.status_code, answer.headers["lgsp-error"]) == (405, "method-not-allowed")
    assert answer.headers["allow"] == "OPTIONS, POST"


def test_a_provider_that_knows_no_head_says_so_itself(world: World) -> None:
    async def only_get(exchange: Exchange) -> None:
        await exchange.answer(status="405 Method Not Allowed", headers="Allow: GET\r\n")

    world.provider.behaviours["/parcels/old"] = only_get
    with world.client() as client:
        answer = client.head(f"{API}/parcels/old")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
    assert "lgsp-error" not in answer.headers
    record = world.record(answer.headers["lgsp-transaction-id"])
    assert (record["upstream_status"], record.get("error")) == (405, None)


@pytest.mark.parametrize(
    ("path", "allow"),
    [("/parcels/1", "DELETE, GET, HEAD, OPTIONS"), ("/parcels", "OPTIONS, POST")],
)
def test_options_are_told_to_whoever_asks(world: World, path: str, allow: str) -> None:
    seen = len(world.provider.seen)
    with world.client("") as nobody:
        answer = nobody.options(f"{API}{path}")
    assert (answer.status_code, answer.headers["allow"], answer.content) == (204, allow, b"")
    assert len(world.provider.seen) == seen
    record = world.record(answer.headers["lgsp-transaction-id"])
    assert (record["method"], record["status"], record["service"]) == ("OPTIONS", 204, SERVICE)
    assert record.keys().isdisjoint({"client", "operation", "agreement", "error", "upstream_status"})


def test_a_path_that_there_is_not_has_no_options(world: World) -> None:
    with world.client("") as nobody:
        answer = nobody.options(f"{API}/nothing")
    assert (answer.status_code, answer.headers["lgsp-error"]) == (404, "unknown-operation")


@pytest.mark.usefixtures("_own_options")
def test_options_that_a_service_declares_are_an_operation_like_any_other(world: World) -> None:
    with world.client("") as nobody:
        unknown = nobody.options(f"{API}/parcels")
    with world.client() as client:
        outside = client.options(f"{API}/parcels")
        wrong = client.put(f"{API}/parcels")
    assert (unknown.status_code, unknown.headers["lgsp-error"]) == (401, "no-token")
    assert (outside.status_code, outside.headers["lgsp-error"]) == (403, "operation-not-in-agreement")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "OPTIONS, POST")


@pytest.fixture
def _query_and_copy(world: World) -> Iterator[None]:
    operations = [
        *DECLARED,
        ("listParcels", "QUERY", "/parcels"),
        ("getParcel", "COPY", "/parcels/{id}/copy"),
    ]
    world.change(service([world.provider.url], operations=operations))
    yield
    world.change(service([world.provider.url], operations=DECLARED))


@pytest.mark.usefixtures("_query_and_copy")
def test_query_and_further_methods_of_openapi_3_2_are_called(world: World) -> None:
    with world.client() as client:
        asked = client.request("QUERY", f"{API}/parcels", content=b'{"commune": "59301"}')
        empty = client.request("QUERY", f"{API}/parcels")
        copied = client.request("COPY", f"{API}/parcels/1/copy")
        other = client.put(f"{API}/parcels")
    assert [one.status_code for one in (asked, empty, copied, other)] == [200, 200, 200, 405]
    first, second, third = world.provider.seen[-3:]
    assert (first.request_line, first.body) == ("QUERY /parcels HTTP/1.1", b'{"commune": "59301"}')
    assert second.request_line == "QUERY /parcels HTTP/1.1"
    assert third.request_line == "COPY /parcels/1/copy HTTP/1.1"
    assert other.headers["allow"] == "OPTIONS, POST, QUERY"
    record = world.record(asked.headers["lgsp-transaction-id"])
    assert (record["method"], record["operation"], record["request_bytes"]) == ("QUERY", "listParcels", 20)
