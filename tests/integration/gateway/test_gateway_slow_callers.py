"""Callers that stall, on real sockets: each ends in time, is recorded, and leaves nothing behind."""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING

import pytest

from lienthong.kit.ids import uuid7
from tests.integration.gateway.test_gateway_streams import MIB, of_case, stream_of
from tests.integration.gateway.world import API, World, service

if TYPE_CHECKING:
    from collections.abc import Iterator

CALLER_TIMEOUT_S = 1.0


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A gateway that waits a second for its callers."""
    world = World(tmp_path_factory.mktemp("gateway"), caller_timeout_s=CALLER_TIMEOUT_S)
    try:
        world.start()
        world.change(service([world.provider.url], timeout_ms=60_000, max_request_bytes=1 << 30))
        yield world
    finally:
        world.close()


def opened(world: World, method: str, path: str, case: str, *fields: str) -> socket.socket:
    """A connection on which the head of a request has been sent."""
    connection = socket.create_connection(("127.0.0.1", world.port), timeout=20)
    head = [
        f"{method} {API}{path} HTTP/1.1",
        "Host: x",
        f"LGSP-Case-Id: {case}",
        f"Authorization: Bearer {world.token()}",
        *fields,
    ]
    connection.sendall("\r\n".join([*head, "", ""]).encode())
    return connection


def response_on(connection: socket.socket) -> bytes:
    """One response of a declared length, after which the connection ends."""
    received = b""
    while True:
        head, found, body = received.partition(b"\r\n\r\n")
        length = re.search(rb"\r\ncontent-length: (\d+)\r\n", head + b"\r\n")
        if found and length is not None and len(body) >= int(length[1]):
            assert connection.recv(1) == b"", "it ends as it was said"
            return received
        part = connection.recv(1 << 16)
        assert part, f"the connection ended after {received!r}"
        received += part


def test_an_answer_that_nobody_reads_is_broken_off_and_recorded(world: World) -> None:
    world.provider.behaviours["/parcels/large"] = stream_of(100, declared=True)
    case = uuid7()
    with opened(world, "GET", "/parcels/large", case) as connection:
        assert connection.recv(12) == b"HTTP/1.1 200"
        world.wait(lambda: of_case(world, case), "the record")
        (record,) = of_case(world, case)
        assert (record["status"], record["error"], record["aborted"]) == (200, "caller-stalled", True)
        assert record["response_bytes"] < 100 * MIB
        size = 0
        try:
            while part := connection.recv(1 << 20):
                size += len(part)
        except ConnectionError:
            pass
        assert size < 100 * MIB, "the connection has ended, the answer has not"


@pytest.mark.parametrize(
    "framing", ["Content-Length: 100", f"Content-Length: {MIB}", "Transfer-Encoding: chunked"]
)
def test_a_body_that_does_not_come_is_answered_with_408(world: World, framing: str) -> None:
    case = uuid7()
    with opened(world, "POST", "/parcels", case, framing) as connection:
        connection.sendall(b"3\r\nabc\r\n")
        answer = response_on(connection)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"\r\nconnection: close\r\n" in answer
    assert b'"request-timeout"' in answer
    (record,) = of_case(world, case)
    assert (record["status"], record["error"]) == (408, "request-timeout")
