"""A gateway that is told to stop finishes what it has begun, and drops no call."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from lienthong.kit.ids import uuid7
from tests.integration.gateway.test_gateway_streams import arrived, of_case
from tests.integration.gateway.world import API, World, service
from tests.support.promises import allowed_s

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.gateway.peers import Exchange

    NewWorld = Callable[..., World]

GET = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"


def read_to_end(connection: socket.socket) -> bytes:
    """Everything until the gateway ends the connection."""
    received = b""
    while part := connection.recv(1 << 16):
        received += part
    return received


@pytest.mark.parametrize("workers", [1, 2])
def test_calls_under_way_are_finished_and_idle_connections_closed(new_world: NewWorld, workers: int) -> None:
    world = new_world(workers=workers)
    world.start()

    may_answer = threading.Event()

    async def slow(exchange: Exchange) -> None:
        await asyncio.to_thread(may_answer.wait, 60)
        await exchange.answer()

    world.provider.behaviours["/parcels/slow"] = slow
    case = uuid7()
    request = (
        f"GET {API}/parcels/slow HTTP/1.1\r\nHost: x\r\nLGSP-Case-Id: {case}\r\n"
        f"Authorization: Bearer {world.token()}\r\n\r\n"
    ).encode()
    address = ("127.0.0.1", world.port)
    with (
        socket.create_connection(address, timeout=20) as idle,
        socket.create_connection(address, timeout=20) as busy,
    ):
        idle.sendall(GET)
        assert idle.recv(1 << 20).startswith(b"HTTP/1.1 200")
        busy.sendall(request)
        world.wait(lambda: arrived(world, case), "the call is under way")
        stopping = threading.Thread(target=lambda: ended.append(world.stop_gateway()))
        ended: list[int] = []
        stopping.start()
        while idle.recv(1 << 20):
            pass
        # The other worker may have been told later.
        time.sleep(1)
        may_answer.set()
        answer = read_to_end(busy)
        stopping.join(30)
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"\r\nconnection: close\r\n" in answer
    assert ended == [0]
    (record,) = of_case(world, case)
    assert (record["status"], record.get("aborted")) == (200, None)


def test_who_has_just_connected_is_still_served(new_world: NewWorld) -> None:
    world = new_world()
    world.start()
    address = ("127.0.0.1", world.port)
    connections = [socket.create_connection(address, timeout=20) for _ in range(50)]
    stopping = threading.Thread(target=world.stop_gateway)
    stopping.start()
    for connection in connections:
        connection.sendall(GET)
    answers = [read_to_end(connection) for connection in connections]
    stopping.join(30)
    assert [answer[:12] for answer in answers] == [b"HTTP/1.1 200"] * 50
    for connection in connections:
        connection.close()


def test_a_call_that_does_not_end_is_cut_off_and_recorded(new_world: NewWorld) -> None:
    world = new_world()
    world.start()
    world.change(service([world.provider.url], timeout_ms=60_000))

    async def never(exchange: Exchange) -> None:
        await exchange.reader.read()

    world.provider.behaviours["/parcels/never"] = never
    case = uuid7()
    with socket.create_connection(("127.0.0.1", world.port), timeout=40) as connection:
        connection.sendall(
            f"GET {API}/parcels/never HTTP/1.1\r\nHost: x\r\nLGSP-Case-Id: {case}\r\n"
            f"Authorization: Bearer {world.token()}\r\n\r\n".encode()
        )
        world.wait(lambda: arrived(world, case), "the call is under way")
        began = time.monotonic()
        assert world.stop_gateway(signal.SIGTERM) == 0
        assert 14 < time.monotonic() - began < allowed_s(20)
    (record,) = of_case(world, case)
    assert (record["aborted"], record["error"], record["failed"]) == (True, "gateway-stopped", "gateway")
