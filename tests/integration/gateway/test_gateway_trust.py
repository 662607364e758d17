"""Neither a provider nor a caller can speak for somebody else through the gateway."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tests.integration.gateway.world import API

if TYPE_CHECKING:
    from tests.integration.gateway.peers import Behaviour, Exchange
    from tests.integration.gateway.world import World

FORGED = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged"


def _raw(answer: bytes) -> Behaviour:
    async def behave(exchange: Exchange) -> None:
        exchange.writer.write(answer)
        await exchange.writer.drain()

    return behave


def _behave(world: World, path: str, answer: bytes) -> None:
    world.provider.behaviours[path] = _raw(answer)


@pytest.mark.parametrize("declared", [1, 5000])
def test_an_answer_with_two_lengths_cannot_become_two_answers(world: World, declared: int) -> None:
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(FORGED), FORGED)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n" % declared
    _behave(world, "/parcels/smuggled", head + chunked)
    with world.client() as client:
        first = client.get(f"{API}/parcels/smuggled")
        second = client.get(f"{API}/parcels/1")
    assert (first.status_code, first.json()["code"]) == (502, "provider-broken")
    assert (second.status_code, second.content) == (200, b'{"ok":true}')
    assert world.record(first.headers["lgsp-transaction-id"])["error"] == "provider-broken"


def test_a_chunked_answer_gets_its_length_from_the_gateway(world: World) -> None:
    _behave(
        world,
        "/parcels/chunked",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
    )
    with world.client() as client:
        answer = client.get(f"{API}/parcels/chunked")
    assert (answer.content, answer.headers["content-length"]) == (b"hello world", "11")


@pytest.mark.parametrize(("method", "status"), [("HEAD", "200 OK"), ("GET", "304 Not Modified")])
def test_a_length_without_a_body_leaves_the_connection_whole(world: World, method: str, status: str) -> None:
    _behave(world, "/parcels/bare", f"HTTP/1.1 {status}\r\ncontent-length: 11\r\n\r\n".encode())
    with world.client() as client:
        bare = client.request(method, f"{API}/parcels/bare")
        after = client.get(f"{API}/parcels/1")
    assert (bare.status_code, bare.content) == (int(status[:3]), b"")
    # A 304 may leave its length out (RFC 9110 section 15.4.5), and the server does.
    assert bare.headers.get("content-length") == ("11" if method == "HEAD" else None)
    assert after.content == b'{"ok":true}'


def test_cookies_of_one_provider_never_reach_another(world: World) -> None:
    origin = b"set-cookie: session=1; Path=/\r\nstrict-transport-security: max-age=1\r\n"
    _behave(world, "/parcels/cookie", b"HTTP/1.1 200 OK\r\n%scontent-length: 2\r\n\r\nok" % origin)
    with world.client() as client:
        answer = client.get(f"{API}/parcels/cookie", headers={"Cookie": "session=2"})
    assert "set-cookie" not in answer.headers
    assert "strict-transport-security" not in answer.headers
    assert world.provider.seen[-1].header("cookie") is None


@pytest.mark.parametrize("path", ["/secrets;a", "/parcels;a=b", "/parcels;/1"])
def test_a_path_that_is_another_operation_without_its_parameters_is_refused(world: World, path: str) -> None:
    with world.client() as client:
        answer = client.get(API + path)
    assert (answer.status_code, answer.json()["code"]) == (400, "path-not-normal")
    assert world.record(answer.headers["lgsp-transaction-id"])["error"] == "path-not-normal"


def test_a_path_that_means_the_same_either_way_passes(world: World) -> None:
    with world.client() as client:
        assert client.get(f"{API}/parcels/1;v=2").status_code == 200
    assert world.provider.seen[-1].request_line == "GET /parcels/1;v=2 HTTP/1.1"


def test_a_body_that_is_coded_twice_is_refused(world: World) -> None:
    request = (
        f"POST {API}/parcels HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {world.token()}\r\n"
        "Transfer-Encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", world.port), timeout=10) as connection:
        connection.sendall(request.encode())
        answer = connection.recv(65_536)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"malformed-request" in answer
