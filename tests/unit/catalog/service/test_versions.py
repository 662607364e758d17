"""Waiting for versions."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from lienthong.catalog.service.versions import CERTAIN_SECONDS, VersionMonitor
from lienthong.kit.clock import ManualClock
from tests.support.waiting import at_rest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class _Database:
    """A version that a test sets."""

    def __init__(self) -> None:
        self.version = 0
        self.broken = False
        self._looks = asyncio.Semaphore(0)

    async def looked_at(self, times: int = 1) -> None:
        """Wait until the monitor has looked so many times more."""
        for _ in range(times):
            await self._looks.acquire()

    async def read(self) -> int:
        self._looks.release()
        if self.broken:
            raise OSError("database away")
        return self.version


@asynccontextmanager
async def _running(database: _Database) -> AsyncIterator[VersionMonitor]:
    monitor = VersionMonitor(database.read, poll_seconds=0.001)
    running = asyncio.create_task(monitor.run())
    yield monitor
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_commit_of_this_process_wakes_at_once() -> None:
    monitor = VersionMonitor(_Database().read)
    waiting = asyncio.create_task(monitor.wait_beyond(4, monitor.epoch, 30))
    await at_rest(waiting)
    monitor.announce(5)
    assert await waiting


async def test_an_older_version_wakes_nobody() -> None:
    monitor = VersionMonitor(_Database().read)
    monitor.announce(5)
    assert not await monitor.wait_beyond(5, monitor.epoch, 0.01)
    monitor.announce(4)
    assert not await monitor.wait_beyond(5, monitor.epoch, 0.01)


async def test_a_commit_of_another_replica_is_found_in_the_database() -> None:
    database = _Database()
    async with _running(database) as monitor:
        waiting = asyncio.create_task(monitor.wait_beyond(0, monitor.epoch, 30))
        database.version = 1
        assert await waiting


async def test_a_hint_makes_the_feed_look_now() -> None:
    database = _Database()
    monitor = VersionMonitor(database.read, poll_seconds=3600)
    running = asyncio.create_task(monitor.run())
    await database.looked_at()
    database.version = 1
    monitor.hint()
    assert await monitor.wait_beyond(0, monitor.epoch, 30)
    running.cancel()


async def test_a_database_that_went_back_begins_another_epoch() -> None:
    database = _Database()
    database.version = 9
    async with _running(database) as monitor:
        assert await monitor.wait_beyond(8, monitor.epoch, 30)
        epoch = monitor.epoch
        database.version = 7
        assert await monitor.wait_beyond(9, epoch, 30)
        assert monitor.epoch == epoch + 1


async def test_a_look_that_began_before_a_commit_does_not_take_it_back() -> None:
    database = _Database()
    monitor = VersionMonitor(database.read, poll_seconds=0.001)

    async def slow_read() -> int:
        found = await database.read()
        monitor.announce(6)
        return found

    database.version = 5
    monitor._read_version = slow_read
    monitor.announce(5)
    running = asyncio.create_task(monitor.run())
    assert await monitor.wait_beyond(5, monitor.epoch, 30)
    assert monitor.epoch == 0
    running.cancel()


async def test_a_version_is_certain_for_some_seconds_after_a_reading_began() -> None:
    database, clock = _Database(), ManualClock()
    monitor = VersionMonitor(database.read, poll_seconds=0.001, monotonic=clock.monotonic)
    certain = [monitor.certain]
    monitor.announce(3)  # Another replica may have committed more.
    certain.append(monitor.certain)
    running = asyncio.create_task(monitor.run())
    await database.looked_at(2)
    certain.append(monitor.certain)
    database.broken = True
    await database.looked_at(2)
    for seconds in (CERTAIN_SECONDS, 0.001):
        clock.advance(seconds)
        await database.looked_at(2)
        certain.append(monitor.certain)
    database.broken = False
    await database.looked_at(2)
    certain.append(monitor.certain)
    running.cancel()
    assert certain == [False, False, True, True, False, True]


async def test_a_reading_is_as_old_as_its_beginning() -> None:
    database, clock = _Database(), ManualClock()

    async def slow() -> int:
        clock.advance(CERTAIN_SECONDS + 1)
        return await database.read()

    monitor = VersionMonitor(slow, poll_seconds=0.001, monotonic=clock.monotonic)
    running = asyncio.create_task(monitor.run())
    await database.looked_at(2)
    assert not monitor.certain
    running.cancel()


async def test_a_database_that_is_away_does_not_end_the_feed() -> None:
    database = _Database()
    database.broken = True
    async with _running(database) as monitor:
        await database.looked_at(3)
        database.broken = False
        database.version = 2
        assert await monitor.wait_beyond(1, monitor.epoch, 30)


async def test_a_change_waits_until_the_watches_were_sent_it() -> None:
    monitor = VersionMonitor(never)
    assert await monitor.wait_told(5, 0)
    with monitor.watching() as first, monitor.watching() as second, monitor.watching():
        first(4)
        second(4)
        told = asyncio.create_task(monitor.wait_told(5, 60))
        await at_rest(told)
        first(5)
        # Whoever was woken has ended a turn later.
        await asyncio.sleep(0)
        assert not told.done()
        second(6)
        assert await told


async def test_a_watch_that_leaves_or_takes_nothing_holds_no_change_up() -> None:
    monitor = VersionMonitor(never)
    with monitor.watching() as stuck:
        stuck(4)
        with monitor.watching() as leaving:
            leaving(4)
            assert not await monitor.wait_told(5, 0.001)
            stuck(5)
            told = asyncio.create_task(monitor.wait_told(5, 60))
            await at_rest(told)
        assert await told


async def never() -> int:
    """A version that nobody asks for."""
    raise AssertionError
