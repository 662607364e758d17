"""What the exchange concludes from a look at the stream, whatever others do between its steps."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from lienthong.exchange.domain.numbering import STEP
from lienthong.kit.bus import BusUnavailableError
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
