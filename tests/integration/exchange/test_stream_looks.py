"""What the exchange concludes from a look at the stream, whatever others do between its steps."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from lienthong.exchange.domain.numbering import STEP
from lienthong.exchange.events import message_id_in
from lienthong.exchange.models import KeptEvent
from lienthong.exchange.service.event_stream import EventStream
from lienthong.kit.bus import BusUnavailableError
from lienthong.kit.clock import SystemClock
from tests.integration.exchange.memory_bus import Exchange, event, exchange_on

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def exchange(tmp_path: Path) -> AsyncIterator[Exchange]:
    async with exchange_on(f"sqlite+aiosqlite:///{tmp_path}/exchange.db") as running:
        yield running


async def test_what_is_recorded_during_a_look_is_no_loss(exchange: Exchange) -> None:
    numbering = await exchange.stream.current()
    await exchange.accept(numbering, event("1"))
    others = iter(range(2, 100))

    async def another_replica_accepts() -> None:
        await exchange.accept(numbering, event(str(next(others))))

    exchange.memory.on_look = another_replica_accepts
    assert (await exchange.stream.look()).generation == 0
    assert exchange.stream.condition().reason is None


async def test_a_loss_counts_when_a_second_look_agrees(exchange: Exchange) -> None:
    numbering = await exchange.stream.current()
    await exchange.accept(numbering, event("1"), event("2"))
    there, looks = exchange.memory.messages, 0

    async def for_a_moment_another_one_answers() -> None:
        nonlocal looks
        looks += 1
        # As a member of a cluster that has not caught up yet, until the second look of the mending.
        exchange.memory.messages = {1: there[1]} if looks < 3 and there else there

    exchange.memory.on_look = for_a_moment_another_one_answers
    exchange.memory.messages = {1: there[1]} if there else None
    assert (await exchange.mend()).generation == 0
    exchange.memory.on_look = None

    exchange.memory.lose()
    again = await exchange.mend()
    assert again.generation == 1
    assert [again.number_of(one) for one in exchange.memory.messages or {}] == [STEP + 1, STEP + 2]


async def test_no_request_mends_or_waits_until_it_is_mended(exchange: Exchange) -> None:
    await exchange.accept(await exchange.stream.current(), event("1"))
    exchange.memory.lose()
    with pytest.raises(BusUnavailableError):
        await exchange.stream.look()
    assert exchange.memory.messages is None, "that is left to the background"

    mending, go_on = asyncio.Event(), asyncio.Event()

    async def held_up() -> None:
        mending.set()
        await go_on.wait()

    exchange.memory.on_publish = held_up
    mended = asyncio.create_task(exchange.mend())
    await mending.wait()
    with pytest.raises(BusUnavailableError, match="being mended"):
        await exchange.stream.current()
    go_on.set()
    assert (await mended).generation == 1
    assert (await exchange.stream.current()).generation == 1


async def kept(exchange: Exchange) -> dict[str, int]:
    """The numbers of what is kept."""
    async with exchange.database.reading() as session:
        rows = await session.execute(select(KeptEvent.message_id, KeptEvent.sequence))
        return {row.message_id: row.sequence for row in rows}


async def test_what_follows_a_hole_comes_again_after_what_was_lost(exchange: Exchange) -> None:
    await exchange.accept(await exchange.stream.current(), *(event(one) for one in "12345"))
    messages = exchange.memory.messages
    assert messages is not None
    del messages[3], exchange.memory.ids["3"]
    with pytest.raises(BusUnavailableError):
        await exchange.stream.look()

    now = await exchange.mend()
    assert now.generation == 1
    assert {one: message_id_in(messages[one].headers) for one in messages} == dict(
        zip((1, 2, 4, 5, 6, 7, 8), "1245345", strict=True)
    )
    again = {"3": STEP + 6, "4": STEP + 7, "5": STEP + 8}
    assert await kept(exchange) == {"1": 1, "2": 2, **again}
    assert await exchange.mend() == now, "the same hole is mended once"
    # A publisher that sends the last one again is told its new number.
    assert await exchange.accept(now, event("6")) == [STEP + 9]
    assert "lost events 1 times" in (exchange.stream.condition().reason or "")


async def test_a_hole_that_nobody_waits_for_is_no_reason_to_begin_anew(exchange: Exchange) -> None:
    await exchange.accept(await exchange.stream.current(), *(event(one) for one in "123"))
    async with exchange.database.transaction() as session:
        found = await session.get(KeptEvent, "2")
        await session.delete(found)
    del (exchange.memory.messages or {})[2]
    assert (await exchange.mend()).generation == 0


@pytest.mark.parametrize(("hours", "generation"), [(2, 0), (0, 1)])
async def test_what_is_gone_before_its_time_is_lost(exchange: Exchange, hours: int, generation: int) -> None:
    """The oldest events are gone: the stream drops them after an hour, or their block is damaged."""
    stored_at = SystemClock().now() - timedelta(hours=hours)
    await exchange.accept(await exchange.stream.current(), event("1"), event("2"), stored_at=stored_at)
    await exchange.accept(await exchange.stream.current(), event("3"))
    for old in (1, 2):
        del (exchange.memory.messages or {})[old]
    spec = replace(exchange.spec, max_age=3600.0)
    stream = EventStream(exchange.database, exchange.bus, exchange.register, spec, SystemClock())
    assert (await stream.mend()).generation == generation
