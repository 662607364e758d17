"""What odd and hostile providers answer, byte for byte, and what callers, the record and the log are told.

After each of them the next call gets its own answer: nothing is left of the one before.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest

from lienthong.contracts.catalog.v1 import routes_pb2
from tests.integration.gateway.world import API, service

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    import httpx

    from tests.integration.gateway.peers import Exchange
    from tests.integration.gateway.world import World

    Serve = Callable[[Exchange], Awaitable[None]]

OWN: Final = b'{"ok":true}'
_FORGED: Final = b'HTTP/1.1 200 OK\r\ncontent-length: 15\r\n\r\n{"forged":true}'
_UPLOAD: Final = 8 * 1024 * 1024


class Shape(NamedTuple):
    """What a provider does with one request, and what becomes of the call."""

    does: bytes | Serve
    status: int
    error: str | None = None
    cause: str = ""
    """What the log says of it, beside the transaction."""
    method: str = "GET"
    body: bytes | None = OWN
    """What the caller gets where there is no error; None: nothing."""


def _closing(answer: bytes) -> Serve:
    async def serve(exchange: Exchange) -> None:
        exchange.writer.write(answer)
        await exchange.writer.drain()
        exchange.writer.close()

    return serve


def _flood(beginning: bytes, piece: bytes) -> Serve:
    async def serve(exchange: Exchange) -> None:
        exchange.writer.write(beginning)
        for _ in range(2000):
            exchange.writer.write(piece * 1000)
            await exchange.writer.drain()

    return serve


async def _reset(exchange: Exchange) -> None:
    # To linger for no time is to reset.
    at_once = struct.pack("ii", 1, 0)
    exchange.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
    exchange.writer.transport.abort()


async def _byte_by_byte(exchange: Exchange) -> None:
    for byte in b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n" + OWN:
        exchange.writer.write(bytes((byte,)))
        await exchange.writer.drain()
        await asyncio.sleep(0)


async def _trickles(exchange: Exchange) -> None:
    exchange.writer.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(40):
        exchange.writer.write(b"x-%d: x\r\n" % number)
        await exchange.writer.drain()
        await asyncio.sleep(0.1)


async def _stalls(exchange: Exchange) -> None:
    exchange.writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n12345")
    await exchange.writer.drain()
    await asyncio.sleep(20)


def _ok(fields: bytes, body: bytes = OWN) -> bytes:
    return b"HTTP/1.1 200 OK\r\n%b\r\n\r\n%b" % (fields, body)


_BROKEN: Final = (502, "provider-broken")
_SLOW: Final = (504, "provider-timeout")
_CHUNKS: Final = b"b\r\n%b\r\n0\r\n\r\n" % OWN

SHAPES: Final = {
    # It ends too early.
    "closes without an answer": Shape(_closing(b""), *_BROKEN, "closed too early"),
    "resets without an answer": Shape(_reset, *_BROKEN, "ConnectionResetError"),
    "closes in the status line": Shape(_closing(b"HTTP/1.1 2"), *_BROKEN, "closed too early"),
    "closes in the head": Shape(_closing(b"HTTP/1.1 200 OK\r\ncontent-le"), *_BROKEN, "closed too early"),
    "closes in the body": Shape(_closing(_ok(b"content-length: 100")), *_BROKEN, "closed too early"),
    "closes between chunks": Shape(
        _closing(_ok(b"transfer-encoding: chunked", b"b\r\n%b\r\n" % OWN)), *_BROKEN, "closed too early"
    ),
    # It speaks something else.
    "garbage": Shape(_closing(b"\x00\x01\x02 nonsense"), *_BROKEN, "not an HTTP response"),
    "an alert of TLS": Shape(_closing(b"\x15\x03\x01\x00\x02\x02\x46"), *_BROKEN, "not an HTTP response"),
    "frames of HTTP/2": Shape(_closing(b"\0\0\0\x04\0\0\0\0\0" * 2), *_BROKEN, "not an HTTP response"),
    "a request": Shape(_closing(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"), *_BROKEN, "not an HTTP response"),
    "a page without a head": Shape(_closing(b"<html></html>"), *_BROKEN, "not an HTTP response"),
    "a switch of protocols": Shape(
        b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
        *_BROKEN,
        "101",
    ),
    # Its length is ambiguous (RFC 9112 section 6.3).
    "two lengths that differ": Shape(
        _ok(b"content-length: 11\r\ncontent-length: 12"), *_BROKEN, "Content-Length"
    ),
    "one length twice": Shape(_ok(b"content-length: 11\r\ncontent-length: 11"), *_BROKEN, "Content-Length"),
    "a length beside chunks": Shape(
        _ok(b"transfer-encoding: chunked\r\ncontent-length: 11", _CHUNKS), *_BROKEN, "Content-Length"
    ),
    "chunks beside a length": Shape(
        _ok(b"content-length: 11\r\ntransfer-encoding: chunked", _CHUNKS), *_BROKEN, "Transfer-Encoding"
    ),
    "chunked twice": Shape(
        _ok(b"transfer-encoding: chunked\r\ntransfer-encoding: chunked", _CHUNKS),
        *_BROKEN,
        "Transfer-Encoding",
    ),
    "a coding that callers are not told": Shape(
        _ok(b"transfer-encoding: gzip, chunked", _CHUNKS), *_BROKEN, "Transfer-Encoding"
    ),
    "a length below zero": Shape(_ok(b"content-length: -11"), *_BROKEN, "Content-Length"),
    "a chunk of no size": Shape(_ok(b"transfer-encoding: chunked", b"x\r\n"), *_BROKEN, "chunk"),
    # Its head is none.
    "a status above 599": Shape(b"HTTP/1.1 999 No\r\ncontent-length: 0\r\n\r\n", *_BROKEN, "999"),
    "a field over two lines": Shape(
        _ok(b"x: a\r\n b\r\ncontent-length: 11"), *_BROKEN, "not an HTTP response"
    ),
    "a field with a zero byte": Shape(
        _ok(b"x: a\0b\r\ncontent-length: 11"), *_BROKEN, "not an HTTP response"
    ),
    "lines that end in LF": Shape(
        b"HTTP/1.1 200 OK\ncontent-length: 2\n\nok", *_BROKEN, "not an HTTP response"
    ),
    # It has no end.
    "a field without end": Shape(_flood(b"HTTP/1.1 200 OK\r\nx: ", b"x"), *_BROKEN, "bytes"),
    "fields without end": Shape(_flood(b"HTTP/1.1 200 OK\r\n", b"x: x\r\n"), *_BROKEN, "bytes"),
    "interim answers without end": Shape(_flood(b"", b"HTTP/1.1 103 Early\r\n\r\n"), *_BROKEN, "bytes"),
    "an interim answer with a body": Shape(
        b"HTTP/1.1 103 Early\r\ncontent-length: 2\r\n\r\nok" + _ok(b"content-length: 11"), *_BROKEN, "103"
    ),
    # It is slow.
    "trickles its head": Shape(_trickles, *_SLOW, "in time"),
    "stalls in the body": Shape(_stalls, *_SLOW, "in time"),
    # It is odd, but what it answers is plain.
    "byte by byte": Shape(_byte_by_byte, 200),
    "until it closes": Shape(_closing(b"HTTP/1.1 200 OK\r\n\r\n" + OWN), 200),
    "as HTTP/1.0": Shape(_closing(b"HTTP/1.0 200 OK\r\ncontent-length: 11\r\n\r\n" + OWN), 200),
    "more than it declares": Shape(_ok(b"content-length: 11", OWN + b"and more"), 200),
    "another answer behind its own": Shape(_ok(b"content-length: 11") + _FORGED, 200),
    "a body where there is none": Shape(b"HTTP/1.1 204 No Content\r\n\r\n" + _FORGED, 204, body=b""),
    "a body to HEAD": Shape(_ok(b"content-length: 11"), 200, method="HEAD", body=b""),
    "interim answers before its own": Shape(
        b"HTTP/1.1 103 Early\r\nlink: <x>\r\n\r\n" * 20 + _ok(b"content-length: 11"), 200
    ),
}


@pytest.fixture(scope="module", autouse=True)
def _short_limits(world: World) -> None:
    limits = routes_pb2.Timeouts(first_byte_ms=3000, idle_ms=3000)
    world.change(service([world.provider.url], timeouts=limits, max_request_bytes=2 * _UPLOAD))


@pytest.fixture(autouse=True)
def _proper_again(world: World) -> Iterator[None]:
    yield
    world.provider.behaviours.clear()


def _behaviour(shape: Shape) -> Serve:
    does = shape.does
    if not isinstance(does, bytes):
        return does

    async def serve(exchange: Exchange) -> None:
        exchange.writer.write(does)
        await exchange.writer.drain()

    return serve


def assert_serves_on(client: httpx.Client) -> None:
    for _ in range(2):
        after = client.get(f"{API}/parcels/own")
        assert (after.status_code, after.content) == (200, OWN)


@pytest.mark.parametrize("name", SHAPES)
def test_a_provider(world: World, name: str) -> None:
    shape = SHAPES[name]
    world.provider.behaviours["/parcels/odd"] = _behaviour(shape)
    with world.client() as client:
        answer = client.request(shape.method, f"{API}/parcels/odd")
        assert (answer.status_code, answer.headers.get("lgsp-error")) == (shape.status, shape.error)
        if shape.error is None:
            assert answer.content == shape.body
        assert_serves_on(client)
    tx = answer.headers["lgsp-transaction-id"]
    record = world.record(tx)
    assert (record["status"], record.get("error")) == (shape.status, shape.error)
    told = [line for line in world.log.read_text().splitlines() if tx in line and "provider failed" in line]
    if shape.error is None:
        assert told == []
    else:
        assert len(told) == 1
        assert shape.cause in told[0]


@pytest.mark.parametrize("status", ["413 Content Too Large", "401 Unauthorized", "503 Service Unavailable"])
@pytest.mark.parametrize("way", ["closes", "resets", "goes on"])
@pytest.mark.parametrize("declared", [True, False])
def test_a_provider_that_refuses_a_large_upload_early_is_heard(
    world: World, status: str, way: str, declared: bool
) -> None:
    async def refuse(exchange: Exchange) -> None:
        await exchange.answer(b'{"too":"large"}', status, headers="connection: close\r\n")
        if way == "closes":
            exchange.writer.close()
        elif way == "resets":
            await asyncio.sleep(0.05)
            await _reset(exchange)
        else:
            await asyncio.sleep(1)

    refuse.streams = True  # type: ignore[attr-defined]
    world.provider.behaviours["/parcels"] = refuse
    parts = (b"x" * 65_536 for _ in range(_UPLOAD // 65_536))
    headers = {"content-length": str(_UPLOAD)} if declared else {}
    with world.client() as client:
        answer = client.post(f"{API}/parcels", content=parts, headers=headers)
        assert (answer.status_code, answer.json()) == (int(status[:3]), {"too": "large"})
        assert "lgsp-error" not in answer.headers
        assert_serves_on(client)


def test_a_kept_connection_is_not_used_for_longer_than_its_provider_keeps_it(world: World) -> None:
    connections: set[object] = set()

    async def keep_short(exchange: Exchange) -> None:
        connections.add(exchange.writer)
        await exchange.answer(headers="Keep-Alive: timeout=0, max=100\r\n")

    async def keep_long(exchange: Exchange) -> None:
        connections.add(exchange.writer)
        await exchange.answer(headers='keep-alive: max=100, timeout="60"\r\n')

    with world.client() as client:
        for behaviour, used in ((keep_short, 5), (keep_long, 1)):
            connections.clear()
            world.provider.behaviours["/parcels/1"] = behaviour
            assert_serves_on(client)
            assert client.get(f"{API}/parcels/1").status_code == 200
            connections.clear()
            for _ in range(5):
                assert client.get(f"{API}/parcels/1").status_code == 200
            assert len(connections) == used
