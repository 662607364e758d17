"""A bus can be closed at every moment of its connecting.

nats-py may take the cancellation of the task that connects for an error of the connection, and try again.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from lienthong.kit.bus import Bus

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

STEPS = range(30)
"""Turns of the loop before the bus is closed; connecting takes fewer."""
_INFO = (
    b'INFO {"server_id":"x","version":"2.15.1","proto":1,"headers":true,"max_payload":1048576,'
    b'"jetstream":true}\r\n'
)


@asynccontextmanager
async def nobody_listens() -> AsyncIterator[str]:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"nats://127.0.0.1:{bound.getsockname()[1]}"


@asynccontextmanager
async def a_server_answers() -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(_INFO)
        try:
            while line := await reader.readline():
                if line.startswith(b"PING"):
                    writer.write(b"PONG\r\n")
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


@pytest.mark.parametrize("place", [nobody_listens, a_server_answers], ids=["nobody", "server"])
async def test_closing_ends_at_every_step_of_connecting(
    place: Callable[[], AbstractAsyncContextManager[str]],
) -> None:
    hung = []
    async with place() as address:
        for steps in STEPS:
            bus = await Bus.connect(address, "test")
            for _ in range(steps):
                await asyncio.sleep(0)
            closing = asyncio.create_task(bus.close())
            done, _ = await asyncio.wait([closing], timeout=8)
            if not done:
                hung.append(steps)
                closing.cancel()
                await asyncio.wait([closing], timeout=8)
    assert hung == []
