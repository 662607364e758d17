"""What runs beside requests outlives every fault: the process would end with it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest

from lienthong.exchange.background import deduplication, upkeep
from lienthong.exchange.background.deduplication import StreamIndexer
from lienthong.exchange.background.upkeep import ConsumerUpkeep
from lienthong.exchange.service.deduplication import DeduplicationIndex
from lienthong.kit.clock import SystemClock
from tests.integration.exchange.memory_bus import MemoryBus

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Failing:
    """Whatever is asked of it, the database is away."""

    def __init__(self) -> None:
        self.asked = 0
        self.asked_again = asyncio.Event()

    async def reconcile(self) -> None:
        """As `SubscriptionConsumers`."""
        await self.current()

    async def current(self) -> None:
        """As `EventStream`."""
        self.asked += 1
        if self.asked > 1:
            self.asked_again.set()
        raise TimeoutError("the statement took too long")


def upkeep_of(failing: Any) -> Callable[[], Awaitable[None]]:  # noqa: ANN401
    return ConsumerUpkeep(cast("Any", MemoryBus()), failing).run


def indexer(failing: Any) -> StreamIndexer:  # noqa: ANN401
    bus, database = cast("Any", MemoryBus()), cast("Any", None)
    index = DeduplicationIndex(database, SystemClock())
    return StreamIndexer(bus, failing, cast("Any", None), index, SystemClock())


@pytest.mark.parametrize(
    "run", [upkeep_of, lambda failing: indexer(failing).run, lambda failing: indexer(failing).measure]
)
async def test_a_fault_of_the_database_ends_no_background_task(
    run: Callable[[Failing], Callable[[], Awaitable[None]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "_INTERVAL_SECONDS", 0.0)
    monkeypatch.setattr(deduplication, "_AFTER_A_FAULT", 0.0)
    failing = Failing()
    task = asyncio.ensure_future(run(failing)())
    again = asyncio.ensure_future(failing.asked_again.wait())
    async with asyncio.timeout(10):
        await asyncio.wait([task, again], return_when=asyncio.FIRST_COMPLETED)
    assert again.done(), "it has ended"
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
