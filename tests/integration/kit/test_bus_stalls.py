"""A server that stops reading: nothing waits for it without end, and its late end harms no new connection."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from typing import TYPE_CHECKING

import pytest

from lienthong.kit.bus import Bus, BusUnavailableError, StreamSpec
from tests.support.promises import allowed_s
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import Self

    from lienthong.kit.bus import PublishAck
    from tests.support.nats import NatsServer

pytestmark = pytest.mark.timeout(60)
MESSAGE = bytes(1_000_000)
UNREAD = 12
"""Messages that together are more than the kernel keeps for a connection, and more than nats-py does."""


class Passage:
    """A way to the server, on a port of its own, that can stop reading what the clients send."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._reads = asyncio.Event()
        self._reads.set()
        self._clients: list[asyncio.StreamWriter] = []
        self._stalled: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        listening = socket.create_server(("127.0.0.1", 0))
        # Connections inherit it: the kernel takes little that is not read.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._listener = await asyncio.start_server(self._pass, sock=listening, limit=4096)
        self.url = f"nats://127.0.0.1:{listening.getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._listener.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def stall(self) -> None:
        """Read no more from the connections that there are."""
        self._reads.clear()

    def refresh(self) -> None:
        """Read from the connections to come; those that there are see the server's end and are not read."""
        self._stalled, self._clients = self._clients, []
        self._reads = asyncio.Event()
        self._reads.set()
        for client in self._stalled:
            client.write_eof()

    def drop(self) -> None:
        """End the connections that are not read."""
        for client in self._stalled:
            client.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        self._clients.append(client)
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self._server_port)
        both = [
            asyncio.create_task(_copy(reader, to_server, self._reads)),
            asyncio.create_task(_copy(from_server, client, None)),
        ]
        self._tasks.update(both)
        try:
            await asyncio.wait(both)
        finally:
            client.close()
            to_server.close()


async def _copy(
    source: asyncio.StreamReader, target: asyncio.StreamWriter, reads: asyncio.Event | None
) -> None:
    with contextlib.suppress(OSError):
        while True:
            if reads is not None:
                await reads.wait()
            if not (data := await source.read(4096)):
                return
            target.write(data)
            await target.drain()


@pytest.fixture
async def passage(own_nats_server: NatsServer) -> AsyncIterator[Passage]:
    async with Passage(own_nats_server.port) as passage:
        yield passage


@contextlib.asynccontextmanager
async def connected_through(passage: Passage) -> AsyncIterator[Bus]:
    bus = await Bus.connect(passage.url, "test", streams=[StreamSpec("S", ["s.>"])], wait=True)
    try:
        yield bus
    finally:
        await bus.close()


async def publish_unread(bus: Bus, patience: float) -> list[PublishAck | BaseException]:
    return await asyncio.gather(
        *(
            bus.publish("s.a", MESSAGE, message_id=f"unread {number}", timeout=patience)
            for number in range(UNREAD)
        ),
        return_exceptions=True,
    )


async def test_a_publish_to_a_server_that_does_not_read_ends_in_time(passage: Passage) -> None:
    async with connected_through(passage) as bus:
        passage.stall()
        begun = time.monotonic()
        for outcome in await publish_unread(bus, 0.5):
            assert isinstance(outcome, BusUnavailableError)
            assert "no answer within 0.5 s" in str(outcome)
        assert time.monotonic() - begun < allowed_s(2)


async def test_what_is_sent_without_an_answer_waits_no_longer_than_that(passage: Passage) -> None:
    async with connected_through(passage) as bus:
        passage.stall()
        begun = time.monotonic()
        await publish_unread(bus, 0.1)
        with contextlib.suppress(BusUnavailableError):
            await bus.send("s.a", b"")
        with contextlib.suppress(BusUnavailableError):
            await bus.last_sequence("S")
        assert time.monotonic() - begun < allowed_s(10)


@pytest.mark.parametrize("unread", [False, True], ids=["nothing unread", "much unread"])
async def test_closing_ends_though_the_server_does_not_read(passage: Passage, *, unread: bool) -> None:
    bus = await Bus.connect(passage.url, "test", streams=[StreamSpec("S", ["s.>"])], wait=True)
    passage.stall()
    if unread:
        await publish_unread(bus, 0.1)
    begun = time.monotonic()
    await bus.close()
    assert time.monotonic() - begun < allowed_s(4.5)


async def test_the_late_end_of_a_connection_leaves_the_next_one_alone(passage: Passage) -> None:
    async with connected_through(passage) as bus:
        passage.stall()
        await publish_unread(bus, 0.1)
        passage.refresh()
        await eventually(lambda: not bus.connected)
        await eventually(lambda: bus.connected)
        for number in range(20):
            if number == 10:
                passage.drop()
            await bus.publish("s.a", b"", message_id=f"after {number}")
            await asyncio.sleep(0.05)
        assert bus.connected
