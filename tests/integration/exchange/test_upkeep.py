"""Upkeep after losses: each subscription for itself, in portions, from what the database says now."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from lienthong.exchange.events import consumer_of
from lienthong.exchange.models import KeptEvent, Subscription
from lienthong.exchange.repository import (
    AcknowledgementRepository,
    KeptEventRepository,
    SubscriptionRepository,
)
from lienthong.exchange.service import consumers as consumers_module
from lienthong.exchange.service.consumers import SubscriptionConsumers
from lienthong.exchange.service.event_register import StreamWentBackError
from lienthong.kit.bus import BusRefusedError, BusUnavailableError
from lienthong.kit.clock import SystemClock
from tests.integration.exchange.memory_bus import EVENT_TYPE, Exchange, event, exchange_on

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Sequence

    from lienthong.exchange.domain.numbering import Numbering


@pytest.fixture
async def exchange(database_url: str) -> AsyncIterator[Exchange]:
    async with exchange_on(database_url) as running:
        yield running


@pytest.fixture
def consumers(exchange: Exchange) -> SubscriptionConsumers:
    return consumers_of(exchange)


def consumers_of(exchange: Exchange) -> SubscriptionConsumers:
    wait = timedelta(seconds=30)
    return SubscriptionConsumers(
        exchange.database, exchange.bus, exchange.stream, SystemClock(), ack_wait=wait
    )


async def subscribe(exchange: Exchange, name: str, begin: int = 1) -> Subscription:
    made = Subscription(
        id=name,
        owner="H11.01/one-stop",
        name=name,
        event_type=EVENT_TYPE,
        ordered=True,
        start_sequence=begin,
        resume_sequence=begin,
        acknowledged_through=0,
        known_from=(await exchange.stream.current()).spans[-1].first_number,
        created_at=SystemClock().now(),
    )
    async with exchange.database.transaction() as session:
        session.add(made)
    return made


async def acknowledge_through(exchange: Exchange, name: str, number: int) -> None:
    async with exchange.database.transaction() as session:
        await SubscriptionRepository(session).note_acknowledged(name, number)


async def lose(exchange: Exchange) -> Numbering:
    exchange.memory.lose()
    return await exchange.mend()


async def kept(exchange: Exchange) -> int:
    async with exchange.database.reading() as session:
        return await session.scalar(select(func.count()).select_from(KeptEvent)) or 0


async def acknowledged(exchange: Exchange, name: str, *events: str) -> set[str]:
    async with exchange.database.reading() as session:
        return await AcknowledgementRepository(session).among(name, events)


async def release_all(exchange: Exchange) -> None:
    async with exchange.database.transaction() as session:
        await KeptEventRepository(session).release(EVENT_TYPE, 10**15, 1000)


async def test_a_pull_from_before_a_loss_makes_the_consumer_that_all_others_make(
    exchange: Exchange, consumers: SubscriptionConsumers
) -> None:
    before = await subscribe(exchange, "waits")
    await exchange.accept(await exchange.stream.current(), *(event(one) for one in "1234"))
    await acknowledge_through(exchange, "waits", 2)
    # An older copy of the stream, without the last of them.
    del (exchange.memory.messages or {})[4], exchange.memory.ids["4"]
    numbering = await exchange.mend()

    await consumers.of(before)
    async with exchange.database.reading() as session:
        now = await SubscriptionRepository(session).by_id("waits")
    assert now is not None
    assert now.resume_sequence == 3
    assert exchange.memory.begun == {consumer_of("waits", numbering.generation): 3}


async def test_a_consumer_that_begins_elsewhere_is_made_anew(
    exchange: Exchange, consumers: SubscriptionConsumers
) -> None:
    exchange.memory.begun["subscription-one"] = 77
    await consumers.of(await subscribe(exchange, "one"))
    assert exchange.memory.begun == {"subscription-one": 1}


async def test_one_subscription_holds_up_neither_the_others_nor_the_release(
    exchange: Exchange, consumers: SubscriptionConsumers
) -> None:
    await exchange.accept(await exchange.stream.current(), event("1"), event("2"))
    for name in "abc":
        await subscribe(exchange, name, begin=1 if name != "b" else 3)
    exchange.memory.acknowledged = {
        "subscription-a": 2,
        "subscription-b": BusUnavailableError("the server says no more"),
        "subscription-c": 2,
    }
    await consumers.reconcile()
    async with exchange.database.reading() as session:
        through = {one.id: one.acknowledged_through for one in await SubscriptionRepository(session).every()}
    assert through == {"a": 2, "b": 0, "c": 2}
    assert await kept(exchange) == 0


async def test_a_bus_that_is_away_ends_the_round(
    exchange: Exchange, consumers: SubscriptionConsumers
) -> None:
    await subscribe(exchange, "a")
    exchange.memory.acknowledged = {"subscription-a": BusRefusedError("closed")}
    exchange.memory.connected = False
    with pytest.raises(BusRefusedError):
        await consumers.reconcile()


async def test_what_is_kept_no_longer_is_deleted_in_portions(
    exchange: Exchange, consumers: SubscriptionConsumers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers_module, "_PORTION", 3)
    portions: list[int] = []
    delete_some = KeptEventRepository._delete_first

    async def counted(repository: KeptEventRepository, rule: object, most: int) -> int:
        portions.append(await delete_some(repository, rule, most))  # type: ignore[arg-type]
        return portions[-1]

    monkeypatch.setattr(KeptEventRepository, "_delete_first", counted)
    await exchange.accept(await exchange.stream.current(), *(event(str(one)) for one in range(8)))
    await consumers.reconcile()
    assert await kept(exchange) == 0
    assert portions == [3, 3, 2]


async def test_a_subscription_made_after_a_loss_gets_what_is_sent_again(exchange: Exchange) -> None:
    numbering = await exchange.stream.current()
    await subscribe(exchange, "old")
    numbers = await exchange.accept(numbering, event("h"), event("later"))
    await acknowledge_through(exchange, "old", numbers[-1])
    await release_all(exchange)

    numbering = await lose(exchange)
    await subscribe(exchange, "young")
    await acknowledge_through(exchange, "young", numbering.number_of(9))
    await exchange.accept(numbering, event("h"))
    assert await acknowledged(exchange, "young", "h") == set()
    assert await acknowledged(exchange, "old", "h") == {"h"}

    await release_all(exchange)
    await exchange.accept(await lose(exchange), event("later"), event("h"))
    assert await acknowledged(exchange, "young", "h", "later") == {"h"}, "later it has never seen"
    assert await acknowledged(exchange, "old", "h", "later") == {"h", "later"}


async def test_what_is_sent_again_came_before_a_subscription_to_new_events(exchange: Exchange) -> None:
    await exchange.accept(await exchange.stream.current(), event("1"))
    await subscribe(exchange, "young", begin=2)
    numbering = await lose(exchange)
    assert numbering == replace(numbering, generation=1)
    assert await acknowledged(exchange, "young", "1") == {"1"}, "the exchange published it, nobody else"


async def test_nothing_is_released_that_came_after_the_subscriptions_were_read(
    postgres_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with exchange_on(postgres_database) as exchange:
        numbering = await exchange.stream.current()
        await exchange.accept(numbering, event("before"))
        read = SubscriptionRepository.of_event_types

        async def then_one_is_made(
            repository: SubscriptionRepository, event_types: Collection[str]
        ) -> Sequence[Subscription]:
            found = await read(repository, event_types)
            monkeypatch.undo()
            await subscribe(exchange, "young", begin=2)
            await exchange.accept(numbering, event("after"))
            return found

        monkeypatch.setattr(SubscriptionRepository, "of_event_types", then_one_is_made)
        await consumers_of(exchange).reconcile()
        async with exchange.database.reading() as session:
            left = await KeptEventRepository(session).among(["before", "after"])
        assert left == {"after"}


async def test_what_the_bus_passed_over_is_not_taken_for_acknowledged(
    exchange: Exchange, consumers: SubscriptionConsumers
) -> None:
    numbering = await exchange.stream.current()
    made = await subscribe(exchange, "waits")
    await exchange.accept(numbering, *(event(one) for one in "1234"))
    exchange.memory.unreadable.add(2)
    async with exchange.database.transaction() as session:
        now = SystemClock().now()
        await AcknowledgementRepository(session).add(made.id, {"1": 1, "3": 3}, now)
    exchange.memory.acknowledged = {"subscription-waits": 3}
    with pytest.raises(StreamWentBackError):
        await consumers.reconcile()
    assert await kept(exchange) == 4

    again = await exchange.mend()
    assert again.generation == 1
    async with exchange.database.reading() as session:
        known = (await SubscriptionRepository(session).every())[0]
        rows = await session.scalars(select(KeptEvent.message_id).order_by(KeptEvent.sequence))
        assert rows.all() == ["1", "2", "3", "4"]
    assert known.acknowledged_through == 0
    assert await acknowledged(exchange, "waits", "1", "2", "3", "4") == {"1", "3"}
