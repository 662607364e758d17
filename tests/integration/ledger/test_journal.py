"""Every message of a real journal gets into the log once and in order, whatever happens on the way."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text, update

from lienthong.kit.bus import MESSAGE_ID, Bus, BusError
from lienthong.kit.clock import SystemClock
from lienthong.kit.database import Database
from lienthong.kit.ids import uuid7
from lienthong.kit.journal import STREAM, journal_stream
from lienthong.kit.settings import Settings
from lienthong.ledger.background import consumer
from lienthong.ledger.bootstrap import create_journal_consumer
from lienthong.ledger.domain.journal_place import PlaceState
from lienthong.ledger.errors import JournalChangedError
from lienthong.ledger.events import DURABLE, JournalMessage
from lienthong.ledger.models import tree
from lienthong.ledger.settings import LedgerSettings
from tests.integration.ledger.support import (
    checkpoint,
    following,
    full_check,
    has_at_least,
    integrated,
    leaves,
    messages,
    opened,
    publish,
    quarantined,
    records_of,
)
from tests.support.databases import create_database, drop_database
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from tests.support.nats import NatsServer


@pytest.fixture
async def bus(own_nats_server: NatsServer) -> AsyncIterator[Bus]:
    """A connection to a server with an empty journal."""
    connection = await Bus.connect(own_nats_server.url, "test", wait=True)
    # Not protected: a test takes messages out, as whoever has the disk could.
    await connection.ensure_stream(replace(journal_stream(Settings()), protected=False))
    yield connection
    await connection.close()


async def test_what_is_published_gets_into_the_log_in_order(settings: LedgerSettings, bus: Bus) -> None:
    before, after = messages(20, each=30), messages(20, each=30)
    await publish(bus, before)
    async with opened(settings) as core, following(settings, core, bus) as follower:
        await integrated(core, 600)
        await publish(bus, after)
        await integrated(core, 1200)
        assert await leaves(core) == records_of([*before, *after])
        assert await follower.lag() == 0
        assert await follower.lag_known()

        async def acknowledged() -> bool:
            return await bus.acknowledged_through(STREAM, DURABLE) == 40

        await eventually(acknowledged)


async def test_a_batch_that_is_published_twice_is_in_the_log_once(settings: LedgerSettings, bus: Bus) -> None:
    batch = messages(10, each=10)
    # As when the duplicate window has passed: the stream takes both.
    await publish(bus, batch)
    await publish(bus, batch)
    last = messages(1)
    await publish(bus, last)
    async with opened(settings) as core, following(settings, core, bus):
        await integrated(core, 101)
        assert await leaves(core) == records_of([*batch, *last])


async def test_messages_that_were_fetched_but_never_acknowledged_come_first_again(
    settings: LedgerSettings, bus: Bus
) -> None:
    batch = messages(30, each=5)
    await publish(bus, batch)
    # A ledger that dies with messages in its hands: the server holds them back for half a minute.
    died = await bus.consumer(STREAM, DURABLE, deliver_from=1)
    assert len(await died.fetch(12, 5.0)) == 12
    async with opened(settings) as core, following(settings, core, bus):
        await integrated(core, 150)
        assert await leaves(core) == records_of(batch)


async def test_messages_that_were_integrated_but_never_acknowledged_are_not_integrated_again(
    settings: LedgerSettings, bus: Bus
) -> None:
    batch = messages(30, each=5)
    await publish(bus, batch)
    async with opened(settings) as core:
        stream = (await bus.stream_state(STREAM)).created
        await core.integrator.integrate(stream, batch[:20])
        head = await checkpoint(core)
        async with following(settings, core, bus):
            await integrated(core, 150)
        assert head.size == 100
        assert await leaves(core) == records_of(batch)


async def test_the_consumer_may_be_broken_off_at_any_moment(settings: LedgerSettings, bus: Bus) -> None:
    batch = messages(200, each=5)
    few = settings.model_copy(update={"ledger_batch_messages": 3})
    await publish(bus, batch)
    for attempt in range(12):
        async with opened(few) as core, following(few, core, bus):
            await asyncio.sleep(0.02 * attempt)
    async with opened(few) as core, following(few, core, bus):
        await integrated(core, 1000)
        assert await leaves(core) == records_of(batch)
        assert (await full_check(core)).sound


async def test_two_ledgers_share_a_database_and_only_one_appends(settings: LedgerSettings, bus: Bus) -> None:
    few = settings.model_copy(update={"ledger_batch_messages": 2})
    batch = messages(60, each=5)
    await publish(bus, batch[:30])
    async with opened(few) as first, opened(few) as second:
        async with following(few, second, bus) as standby:
            async with following(few, first, bus):
                await integrated(first, 150)
                assert await standby.lag_known()
            # The other one takes over.
            await publish(bus, batch[30:])
            await integrated(second, 300)
        assert await leaves(first) == records_of(batch)
        assert (await full_check(second)).sound


async def test_the_log_goes_on_after_the_bus_was_killed(
    settings: LedgerSettings, bus: Bus, own_nats_server: NatsServer
) -> None:
    batch = messages(20, each=5)
    async with opened(settings) as core, following(settings, core, bus):
        await publish(bus, batch[:10])
        await integrated(core, 50)
        own_nats_server.kill()
        await asyncio.sleep(0.3)
        own_nats_server.start()
        await bus.wait_connected()

        async def answers() -> bool:
            with contextlib.suppress(Exception):
                return await bus.last_sequence(STREAM) == 10
            return False

        await eventually(answers)
        await publish(bus, batch[10:])
        await integrated(core, 100)
        assert await leaves(core) == records_of(batch)


async def test_a_journal_that_was_made_anew_is_followed_from_its_beginning(
    settings: LedgerSettings, bus: Bus
) -> None:
    old, new = messages(9, each=5), messages(3, each=5)
    async with opened(settings) as core, following(settings, core, bus):
        await publish(bus, old)
        await integrated(core, 45)
        await bus.jetstream().delete_stream(STREAM)
        await bus.ensure_stream(journal_stream(Settings()))
        await publish(bus, new)
        await integrated(core, 60)
        assert await leaves(core) == records_of([*old, *new])
        ((_, _, reason, _),) = await quarantined(core)
    assert "has replaced the one" in reason


async def test_messages_that_somebody_deleted_from_the_journal_are_told(
    settings: LedgerSettings, bus: Bus
) -> None:
    batch = messages(10, each=5)
    await publish(bus, batch)
    for sequence in (4, 5, 8):
        await bus.jetstream().delete_msg(STREAM, sequence)
    async with opened(settings) as core, following(settings, core, bus):
        await integrated(core, 35)
        assert await leaves(core) == records_of([*batch[:3], *batch[5:7], *batch[8:]])
        losses = [(sequence, reason) for sequence, _, reason, _ in await quarantined(core)]
    assert [sequence for sequence, _ in losses] == [4, 8]
    assert "lost its messages 4 to 5" in losses[0][1]
    assert "lost its messages 8 to 8" in losses[1][1]


async def test_the_place_in_the_journal_is_compared_with_the_journal(
    settings: LedgerSettings, bus: Bus
) -> None:
    batch = messages(6, each=5)
    async with opened(settings) as core:
        consumer = create_journal_consumer(settings, core, bus)

        async def state(**columns: object) -> PlaceState:
            async with core.database.transaction() as session:
                if columns:
                    await session.execute(update(tree).values(columns))
            return (await consumer.place()).state

        assert await state() is PlaceState.EMPTY
        async with following(settings, core, bus):
            await publish(bus, batch[:4])
            await integrated(core, 20)
        head = await core.integrator.position()
        assert await state() is PlaceState.AGREES
        await publish(bus, batch[4:])
        assert await state() is PlaceState.AGREES
        assert await state(journal_sequence=3) is PlaceState.OTHER_MESSAGE
        assert await state(journal_sequence=7) is PlaceState.SHORTER
        stored = await bus.message(STREAM, 6)
        assert stored is not None
        mark = JournalMessage(6, stored.payload, stored.headers[MESSAGE_ID]).mark
        assert await state(journal_sequence=6, journal_mark=mark) is PlaceState.NOT_INTEGRATED
        assert await state(journal_stream="2020-01-01 00:00:00+00:00") is PlaceState.REPLACED
        right: dict[str, object] = {"journal_stream": head.journal_stream, "journal_sequence": 4}
        assert await state(**right, journal_mark=None) is PlaceState.AGED_OUT
        await bus.jetstream().delete_msg(STREAM, 4)
        assert await state(journal_mark=head.journal_mark) is PlaceState.AGED_OUT


async def test_poison_blocks_nothing(settings: LedgerSettings, bus: Bus) -> None:
    batch = messages(2, each=5)
    await publish(bus, batch[:1])
    await bus.publish("journal.gateway", b"\xff\x00 poison", message_id=uuid7())
    await bus.publish("journal.gateway", b"", message_id=uuid7())
    await publish(bus, batch[1:])
    async with opened(settings) as core, following(settings, core, bus):
        await integrated(core, 10)
        assert await leaves(core) == records_of(batch)
        assert [data for _, _, _, data in await quarantined(core)] == [b"\xff\x00 poison", b""]


async def test_the_same_journal_always_gives_the_same_log(settings: LedgerSettings, bus: Bus) -> None:
    batch = messages(20, each=5)
    async with opened(settings) as core, following(settings, core, bus):
        await publish(bus, batch)
        await integrated(core, 100)
        genuine = await core.log.checkpoint()
    again = settings.model_copy(
        update={"ledger_database_url": f"sqlite+aiosqlite:///{settings.home}/again.db"}
    )
    async with opened(again) as core, following(again, core, bus):
        await integrated(core, 100)
        assert await core.log.checkpoint() == genuine


async def test_the_log_goes_on_after_its_database_connections_were_cut(
    tmp_path: Path, postgres_url: str, bus: Bus
) -> None:
    name = f"test_{uuid7().replace('-', '')}"
    # Off this loop: making a database runs one of its own.
    url = await asyncio.to_thread(create_database, postgres_url, name)
    settings = LedgerSettings(home=tmp_path, ledger_database_url=url, ledger_batch_messages=2)
    other = Database.open(postgres_url, schema="public")
    batch = messages(100, each=5)
    cut = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name")
    try:
        async with opened(settings) as core, following(settings, core, bus):
            for start in range(0, 100, 20):
                await publish(bus, batch[start : start + 20])
                async with other.transaction() as session:
                    await session.execute(cut, {"name": name})
            await eventually(lambda: has_at_least(core, 500))
            assert await leaves(core) == records_of(batch)
            assert (await full_check(core)).sound
    finally:
        await other.close()
        await asyncio.to_thread(drop_database, postgres_url, name)


async def published(bus: Bus, batch: Sequence[JournalMessage]) -> None:
    """Publish as soon as the server answers."""

    async def done() -> bool:
        with contextlib.suppress(BusError):
            await publish(bus, batch[:1])
            return True
        return False

    await eventually(done)
    await publish(bus, batch[1:])


@pytest.mark.parametrize("ledger_runs", [True, False])
@pytest.mark.parametrize("again", [2, 5, 9])
async def test_numbers_that_a_rolled_back_journal_gives_again_never_count_as_known(
    settings: LedgerSettings, bus: Bus, own_nats_server: NatsServer, again: int, ledger_runs: bool
) -> None:
    """Fewer messages, as many, and more than were lost; while the ledger follows, and before it starts."""
    kept, lost, new = messages(5, each=3), messages(5, each=3), messages(again, each=3)
    store, older = own_nats_server.store, own_nats_server.store.with_name("older")
    async with opened(settings) as core, contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(following(settings, core, bus))
        await publish(bus, kept)
        await integrated(core, 15)
        own_nats_server.stop()
        shutil.copytree(store, older)
        own_nats_server.start()
        await published(bus, lost)
        await integrated(core, 30)
        if not ledger_runs:
            await stack.aclose()
        own_nats_server.stop()
        shutil.rmtree(store)
        older.rename(store)
        own_nats_server.start()
        await published(bus, new)
        if not ledger_runs:
            await stack.enter_async_context(following(settings, core, bus))
        await integrated(core, 30 + 3 * again)
        assert await leaves(core) == records_of([*kept, *lost, *new])
        assert (await full_check(core)).sound
        reasons = [reason for _, _, reason, _ in await quarantined(core)]
    assert ["the journal's history changed" in reason for reason in reasons] == [True]


async def test_a_message_that_came_again_and_is_another_one_changes_nothing(settings: LedgerSettings) -> None:
    batch = messages(3, each=2)
    async with opened(settings) as core:
        await core.integrator.integrate("stream", batch)
        with pytest.raises(JournalChangedError, match="message 2 is in the log already"):
            await core.integrator.integrate("stream", [*messages(1, first=2), *messages(1, first=4)])
        assert await leaves(core) == records_of(batch)


async def test_how_far_the_journal_was_read_is_kept_also_while_nothing_comes(
    settings: LedgerSettings, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "_WAIT", 0.1)
    async with opened(settings) as core, following(settings, core, bus):
        began = SystemClock().now()

        async def read_beyond(moment: datetime) -> bool:
            through = (await core.integrator.position()).journal_read_through
            return through is not None and through > moment

        await publish(bus, messages(1))
        await integrated(core, 1)
        await eventually(lambda: read_beyond(began))
        now = SystemClock().now()
        await eventually(lambda: read_beyond(now))


async def test_a_journal_that_is_deleted_is_made_again(settings: LedgerSettings, bus: Bus) -> None:
    async with opened(settings) as core, following(settings, core, bus):
        await publish(bus, messages(3))
        await integrated(core, 3)
        await bus.jetstream().delete_stream(STREAM)

        async def made() -> bool:
            return await bus.find_stream(STREAM) is not None

        await eventually(made)
        await publish(bus, messages(2))
        await integrated(core, 5)
