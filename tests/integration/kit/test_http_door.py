"""A service's HTTP server: so many connections, each for so long, and a problem for what is not HTTP."""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn

from lienthong.kit.http_door import MOST_HEAD, HttpDoor
from lienthong.kit.open_files import connections_within
from lienthong.kit.ports import listen
from tests.support.ports import take_free_port
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MOST, IDLE_S = 10, 1.5
WITHIN_S = 30
"""What nothing here takes, on whatever machine."""


async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401  ASGI's own
    """Answer at once, or after longer than a connection may be idle."""
    if scope["path"] == "/slow":
        await asyncio.sleep(3 * IDLE_S)
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
async def door() -> HttpDoor:
    return HttpDoor(MOST, IDLE_S)


@pytest.fixture
async def port(door: HttpDoor) -> AsyncIterator[int]:
    port = take_free_port()
    config = uvicorn.Config(app, http=door.protocol, lifespan="off", log_config=None, timeout_keep_alive=60)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve([listen("127.0.0.1", port)]))
    await eventually(lambda: server.started)
    yield port
    server.should_exit = True
    await serving


class Connections:
    """Connections to one port, all of which are closed at the end."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._writers: list[asyncio.StreamWriter] = []

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        streams = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers.append(streams[1])
        return streams

    async def close(self) -> None:
        for writer in self._writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in self._writers), return_exceptions=True)


@pytest.fixture
async def connections(port: int) -> AsyncIterator[Connections]:
    connections = Connections(port)
    yield connections
    await connections.close()


async def get(
    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter], request: bytes = b"GET / HTTP/1.1\r\n"
) -> bytes:
    reader, writer = streams
    writer.write(request + b"Host: x\r\n\r\n")
    async with asyncio.timeout(WITHIN_S):
        return await reader.readuntil(b"ok")


async def test_idle_strangers_leave_room_and_are_closed(connections: Connections, door: HttpDoor) -> None:
    strangers = [await connections.open() for _ in range(MOST - 1)]
    mine = await connections.open()
    assert (await get(mine)).startswith(b"HTTP/1.1 200")
    reader, _ = await connections.open()
    async with asyncio.timeout(WITHIN_S):
        assert await reader.read() == b"", "one too many"
        assert door.dropped["full"] == 1
        assert [await reader.read() for reader, _ in strangers] == [b""] * (MOST - 1)
    assert door.dropped["idle"] >= MOST - 1
    assert (await get(await connections.open())).startswith(b"HTTP/1.1 200")


async def test_half_a_head_keeps_no_connection_and_a_slow_answer_does(
    connections: Connections,
) -> None:
    reader, writer = await connections.open()
    writer.write(b"GET / HTTP/1.1\r\n")
    async with asyncio.timeout(WITHIN_S):
        assert await reader.read() == b""
    slow = await connections.open()
    assert (await get(slow, b"GET /slow HTTP/1.1\r\n")).startswith(b"HTTP/1.1 200")
    assert (await get(slow)).lstrip(b"ok").startswith(b"HTTP/1.1 200"), "it is kept for the next request"
    async with asyncio.timeout(WITHIN_S):
        assert await slow[0].read() == b"", "and closed when none comes"


async def test_what_is_not_http_gets_a_problem_document(connections: Connections, door: HttpDoor) -> None:
    reader, writer = await connections.open()
    writer.write(b"\x16\x03\x01 hello\r\n\r\n")
    async with asyncio.timeout(WITHIN_S):
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"content-type: application/problem+json" in head
    document = json.loads(body)
    assert (document["status"], document["code"]) == (400, "malformed-request")
    assert document["detail_vi"]
    assert door.dropped["malformed"] == 1


POST = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
MUCH = b"a" * (3 * MOST_HEAD)


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /" + MUCH,
        b"GET / HTTP/1.1\r\n" + MUCH,
        b"GET / HTTP/1.1\r\nx: " + MUCH,
        b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * (MOST_HEAD // 2),
        b"GET / HTTP/1.1\r\nhost: x\r\nx: " + b"a" * MOST_HEAD + b"\r\n\r\n",
        POST + b"0\r\nx: " + MUCH,
        POST + b"0\r\n" + b"x: y\r\n" * (MOST_HEAD // 2),
        POST + b"1;" + MUCH,
    ],
    ids=["address", "name", "value", "fields", "complete", "trailer", "trailers", "extension"],
)
async def test_of_a_head_so_much_is_kept_and_no_more(
    connections: Connections, door: HttpDoor, request_bytes: bytes
) -> None:
    reader, writer = await connections.open()
    writer.write(request_bytes)
    async with asyncio.timeout(WITHIN_S):
        answer = await reader.read(65_536)
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b"lgsp-error: headers-too-large" in answer
    assert door.dropped == {"head": 1}


async def test_large_bodies_and_many_requests_at_once_are_no_large_head(connections: Connections) -> None:
    body = POST + b"1\r\na\r\n" * 50_000 + b"0\r\nx: y\r\n\r\n"
    assert (await get(await connections.open(), body + b"GET / HTTP/1.1\r\n")).startswith(b"HTTP/1.1 200")
    fields = b"x: " + b"a" * (MOST_HEAD - 100) + b"\r\n"
    streams = await connections.open()
    for _ in range(3):
        assert (await get(streams, b"GET / HTTP/1.1\r\n" + fields)).lstrip(b"ok").startswith(b"HTTP/1.1 200")
    reader, writer = await connections.open()
    writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n" * 10_000)
    async with asyncio.timeout(2 * WITHIN_S):
        for _ in range(10_000):
            await reader.readuntil(b"\r\n\r\nok")


@pytest.mark.parametrize(
    ("limit", "wanted", "each", "fit"),
    [(1024, 100, 1, 100), (1024, 4096, 1, 896), (328, 999, 2, 100), (10, 5, 1, 1)],
)
def test_connections_stay_below_the_limit_of_open_files(limit: int, wanted: int, each: int, fit: int) -> None:
    assert connections_within(limit, wanted, files_each=each) == fit


def test_the_soft_limit_is_raised_to_the_hard_one() -> None:
    program = (
        "import resource; from lienthong.kit.open_files import raise_open_files as up\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (100, 300))\n"
        "print(up(), up(), *resource.getrlimit(resource.RLIMIT_NOFILE))"
    )
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] >= 300
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["300"] * 4
