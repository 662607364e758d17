"""Callers that go away are noticed, without a timer for each call."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from lienthong.gateway import watch as module
from lienthong.gateway.watch import CallerGoneError, CallerWatch, Watches


class Connection:
    """The receiving side of one request."""

    def __init__(self) -> None:
        self.asked = 0
        self.gone = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        self.asked += 1
        if self.asked == 1:
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}


@pytest.fixture
def watches(monkeypatch: pytest.MonkeyPatch) -> Watches:
    monkeypatch.setattr(module, "WATCH_AFTER_S", 0.01)
    return Watches()


async def test_a_caller_that_goes_away_ends_the_block(watches: Watches) -> None:
    connection = Connection()
    watch = CallerWatch(connection.receive, watches)
    watch.start()
    asyncio.get_running_loop().call_later(0.05, connection.gone.set)
    with pytest.raises(CallerGoneError):
        await _working(watch)
    assert watch.gone
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    watch.stop()


async def _working(watch: CallerWatch) -> None:
    with watch:
        await asyncio.sleep(10)


async def test_outside_the_block_it_is_noted_and_the_next_block_does_not_begin(watches: Watches) -> None:
    connection = Connection()
    connection.gone.set()
    watch = CallerWatch(connection.receive, watches)
    watch.start()
    watch.begin()
    for _ in range(5):
        await asyncio.sleep(0)
    assert watch.gone
    with pytest.raises(CallerGoneError):
        await _working(watch)
    watch.stop()


async def test_a_call_that_ends_soon_is_never_watched(watches: Watches) -> None:
    connections = [Connection() for _ in range(100)]
    for connection in connections:
        watch = CallerWatch(connection.receive, watches)
        watch.start()
        with watch:
            await asyncio.sleep(0)
        watch.stop()
    await asyncio.sleep(0.1)
    assert [connection.asked for connection in connections] == [0] * 100
    assert watches._timer is None, "no timer is left behind"


async def test_nothing_is_received_before_the_body_has_been_read(watches: Watches) -> None:
    connection = Connection()
    watch = CallerWatch(connection.receive, watches)
    watch.begin()
    for _ in range(5):
        await asyncio.sleep(0)
    assert connection.asked == 0
    watch.start()
    await asyncio.sleep(0.1)
    assert connection.asked == 2
    watch.stop()


async def test_a_cancellation_from_elsewhere_passes(watches: Watches) -> None:
    watch = CallerWatch(Connection().receive, watches)
    watch.start()
    task = asyncio.create_task(_working(watch))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    watch.stop()
