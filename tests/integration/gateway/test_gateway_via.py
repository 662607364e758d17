"""Each request that is forwarded names this installation, and one that comes back ends at once."""

from __future__ import annotations

import socket
from contextlib import closing
from typing import TYPE_CHECKING

import httpx

from tests.integration.gateway.world import API

if TYPE_CHECKING:
    from tests.integration.gateway.peers import Exchange
    from tests.integration.gateway.world import World

OWN = "1.1 lgsp-VN-BTN"


def vias(exchange: Exchange) -> list[str]:
    return [value for name, value in exchange.headers if name == "via"]


def test_the_way_of_a_request_is_told_to_whoever_it_is_forwarded_to(world: World) -> None:
    with world.client() as client:
        client.get(f"{API}/parcels/1")
        assert vias(world.provider.seen[-1]) == [OWN]
        client.get(f"{API}/parcels/1", headers={"Via": "1.1 proxy.example, 1.1 lgsp-VN-HN"})
        assert vias(world.provider.seen[-1]) == ["1.1 proxy.example, 1.1 lgsp-VN-HN", OWN]
        client.get("/catalog/v1/services")
        assert vias(world.platform.seen[-1]) == [OWN]


def test_a_request_that_came_as_http_1_0_says_so(world: World) -> None:
    request = f"GET {API}/parcels/1 HTTP/1.0\r\nAuthorization: Bearer {world.token()}\r\n\r\n"
    with closing(socket.create_connection(("127.0.0.1", world.port), timeout=20)) as connection:
        connection.sendall(request.encode())
        assert b" 200 " in connection.recv(65536)
    assert vias(world.provider.seen[-1]) == ["1.0 lgsp-VN-BTN"]


def test_a_service_whose_address_leads_back_to_the_gateway_ends_at_once(world: World) -> None:
    """A proxy of the provider's passes its calls on to the gateway, with a token of its own."""
    answers: list[httpx.Response] = []

    async def back_to_the_gateway(exchange: Exchange) -> None:
        headers = [*exchange.headers, ("authorization", f"Bearer {world.token()}")]
        async with httpx.AsyncClient(trust_env=False) as proxy:
            answers.append(await proxy.get(f"{world.url}{API}/parcels/around", headers=headers))
        await exchange.answer(answers[-1].content, "508 Loop Detected")

    world.provider.behaviours["/parcels/around"] = back_to_the_gateway
    seen = len(world.provider.seen)
    with world.client() as client:
        answer = client.get(f"{API}/parcels/around")
    assert len(world.provider.seen) == seen + 1
    (loop,) = answers
    assert (loop.status_code, loop.headers["lgsp-error"]) == (508, "loop-detected")
    assert (answer.status_code, answer.json()["code"]) == (508, "loop-detected")
    # To the first call it is the provider's own answer.
    assert "lgsp-error" not in answer.headers
    record = world.record(loop.headers["lgsp-transaction-id"])
    assert (record["status"], record["error"]) == (508, "loop-detected")
    assert "service" not in record
