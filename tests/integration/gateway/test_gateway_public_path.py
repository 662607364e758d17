"""A provider is told under which path it is called, and its own address leads callers through the gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.gateway.world import API, service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.gateway.peers import Exchange
    from tests.integration.gateway.world import World


@pytest.fixture(scope="module", autouse=True)
def _base_path(world: World) -> None:
    world.change(service([f"{world.provider.url}/base"]))


@pytest.fixture
def _two_addresses(world: World) -> Iterator[None]:
    world.change(service([world.provider.url, world.second_provider.url]))
    yield
    world.change(service([f"{world.provider.url}/base"]))


def test_the_provider_is_told_the_path_and_by_nobody_else(world: World) -> None:
    forged = {
        "X-Forwarded-Prefix": "/evil",
        "X_Forwarded_Prefix": "/evil",
        "X-Forwarded-Host": "evil.example",
    }
    with world.client() as client:
        answer = client.get(f"{API}/parcels/1", headers=forged)
    sent = world.provider.seen[-1]
    assert sent.request_line == "GET /base/parcels/1 HTTP/1.1"
    assert [value for name, value in sent.headers if "forwarded" in name] == [API]
    assert sent.header("x-forwarded-prefix") == API
    assert "x-forwarded-prefix" not in answer.headers


def test_the_platforms_own_services_know_their_paths(world: World) -> None:
    async def elsewhere(exchange: Exchange) -> None:
        await exchange.answer(status="303 See Other", headers="Location: /catalog/v1/services\r\n")

    world.platform.behaviours["/catalog/v1/elsewhere"] = elsewhere
    with world.client() as client:
        answer = client.get("/catalog/v1/elsewhere")
    assert world.platform.seen[-1].header("x-forwarded-prefix") is None
    assert answer.headers["location"] == "/catalog/v1/services"


@pytest.mark.parametrize("told", [False, True], ids=["by its address", "by the prefix"])
def test_what_was_created_is_found_through_the_gateway(world: World, told: bool) -> None:
    async def created(exchange: Exchange) -> None:
        prefix = exchange.header("x-forwarded-prefix") if told else ""
        place = f"http://{exchange.header('host')}{prefix}/base/parcels/new"
        fields = (
            f"Location: {place}\r\nContent-Location: {prefix}/base/parcels/new?full\r\nX-Place: {place}\r\n"
        )
        await exchange.answer(status="201 Created", headers=fields)

    world.provider.behaviours["/base/parcels"] = created
    with world.client() as client:
        answer = client.post(f"{API}/parcels", json={})
        found = client.get(answer.headers["location"])
    assert (answer.status_code, answer.headers["location"]) == (201, f"{API}/parcels/new")
    assert answer.headers["content-location"] == f"{API}/parcels/new?full"
    assert str(world.provider.port) in answer.headers["x-place"], "no other field is touched"
    assert found.status_code == 200
    assert world.provider.seen[-1].request_line == "GET /base/parcels/new HTTP/1.1"


def test_a_redirect_leads_through_the_gateway_whatever_host_the_caller_names(world: World) -> None:
    async def moved(exchange: Exchange) -> None:
        await exchange.answer(b"x" * 600_000, "308 Permanent Redirect", f"Location: {place}\r\n")

    place = f"{world.provider.url}/base/parcels/1"
    world.provider.behaviours["/base/parcels/moved"] = moved
    with world.client() as client:
        answer = client.get(f"{API}/parcels/moved", headers={"Host": "evil.example"})
    assert (answer.headers["location"], len(answer.content)) == (f"{API}/parcels/1", 600_000)


def test_a_redirect_to_others_passes(world: World) -> None:
    async def away(exchange: Exchange) -> None:
        await exchange.answer(status="302 Found", headers="Location: https://portal.example.vn/base/?a\r\n")

    world.provider.behaviours["/base/parcels/away"] = away
    with world.client() as client:
        answer = client.get(f"{API}/parcels/away")
    assert answer.headers["location"] == "https://portal.example.vn/base/?a"


@pytest.mark.usefixtures("_two_addresses")
def test_the_address_is_that_to_which_the_call_went(world: World) -> None:
    async def own(exchange: Exchange) -> None:
        await exchange.answer(status="302 Found", headers=f"Location: {world.provider.url}/parcels/1\r\n")

    for provider in (world.provider, world.second_provider):
        provider.behaviours["/parcels/own"] = own
    with world.client() as client:
        found = {client.get(f"{API}/parcels/own").headers["location"] for _ in range(4)}
    assert found == {f"{API}/parcels/1", f"{world.provider.url}/parcels/1"}
