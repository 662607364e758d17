"""What nats-py says late of a connection that is gone says nothing of the next one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

import pytest

from lienthong.kit.bus import Bus
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Connection:
    """As much of nats-py's client as keeps a bus connected."""

    made: ClassVar[list[Connection]] = []
    _transport = None
    connected_url = None

    def __init__(self) -> None:
        self.is_connected = False

    async def connect(self, *_: object, disconnected_cb: Callable[[], Awaitable[None]], **__: object) -> None:
        self.is_connected = True
        self.tell_disconnected = disconnected_cb
        self.made.append(self)

    async def subscribe(self, *_: object, **__: object) -> None:
        pass

    async def flush(self, *_: object) -> None:
        pass

    async def close(self) -> None:
        self.is_connected = False


@pytest.mark.timeout(30)
async def test_a_connection_that_ends_late_does_not_end_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "made", [])
    monkeypatch.setattr("lienthong.kit.bus.connection.Client", Connection)
    bus = await Bus.connect("nats://127.0.0.1:1", "test", wait=True)
    try:
        Connection.made[0].is_connected = False
        await eventually(lambda: len(Connection.made) == 2 and bus.connected)
        await Connection.made[0].tell_disconnected()
        # Before the bus has its turn: it would never give it back.
        assert bus.connected
        await asyncio.sleep(0.5)
        assert bus.connected
        assert len(Connection.made) == 2
        await Connection.made[1].tell_disconnected()
        await eventually(lambda: len(Connection.made) == 3 and bus.connected)
    finally:
        await bus.close()
