"""What is committed is published, in order, whatever dies in between."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from lienthong.kit.bus import Bus, StreamSpec
from lienthong.kit.clock import ManualClock
from lienthong.kit.database import Database, new_metadata
from lienthong.kit.messages import OutboxMessage
from lienthong.kit.outbox import MAX_PAYLOAD, Outbox, OutboxRelay, outbox_table
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.nats import NatsServer

SCHEMA = "outbox_test"
metadata = new_metadata()
table = outbox_table(metadata)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database.open(database_url, schema=SCHEMA)
    async with opened.transaction() as session:
        if opened.dialect == "postgresql":
            await session.execute(sa.text(f"CREATE SCHEMA {SCHEMA}"))
        await session.run_sync(lambda sync: metadata.create_all(sync.connection()))
    yield opened
    await opened.close()


@pytest.fixture
async def bus(own_nats_server: NatsServer) -> AsyncIterator[Bus]:
    connected = await Bus.connect(
        own_nats_server.url, "test", wait=True, streams=[StreamSpec("CHANGES", ["changes.>"])]
    )
    yield connected
    await connected.close()


async def leave(database: Database, outbox: Outbox, number: int, subject: str = "changes.n") -> None:
    async with database.transaction() as session:
        await outbox.add(session, subject, str(number).encode(), message_id=f"{subject}{number}")


async def left(database: Database) -> int:
    async with database.reading() as session:
        return int((await session.execute(sa.select(sa.func.count()).select_from(table))).scalar_one())


async def until_empty(database: Database) -> None:
    async def is_empty() -> bool:
        return await left(database) == 0

    await eventually(is_empty, within=30)


async def published(bus: Bus, amount: int, stream: str = "CHANGES") -> list[int]:
    consumer = await bus.consumer(stream, "reader")
    taken: list[int] = []
    async with asyncio.timeout(20):
        while len(taken) < amount:
            taken += [int(delivery.payload) for delivery in await consumer.fetch(1000, 2.0)]
    taken += [int(delivery.payload) for delivery in await consumer.fetch(1000, 0.2)]
    return taken


async def test_a_message_leaves_only_with_its_commit(database: Database, bus: Bus) -> None:
    outbox = Outbox(table)

    async def change_my_mind() -> None:
        async with database.transaction() as session:
            await outbox.add(session, "changes.n", b"0", message_id="n0")
            raise RuntimeError("changed my mind")

    with pytest.raises(RuntimeError):
        await change_my_mind()
    await leave(database, outbox, 1)
    relaying = asyncio.create_task(OutboxRelay(database, table, bus, ManualClock()).run())
    await until_empty(database)
    relaying.cancel()
    await asyncio.gather(relaying, return_exceptions=True)
    assert await published(bus, 1) == [1]


async def test_a_commit_wakes_the_relay(
    database: Database, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It does not look by itself.
    monkeypatch.setattr("lienthong.kit.outbox._POLL_SECONDS", 3600.0)
    relay = OutboxRelay(database, table, bus)
    outbox = Outbox(table, on_commit=relay.wake)
    consumer = await bus.consumer("CHANGES", "reader")
    relaying = asyncio.create_task(relay.run())
    await asyncio.sleep(0.3)
    await leave(database, outbox, 1)
    assert len(await consumer.fetch(1, 20.0)) == 1
    relaying.cancel()
    await asyncio.gather(relaying, return_exceptions=True)


async def test_nothing_is_lost_doubled_or_out_of_order_when_nats_is_killed_mid_way(
    database: Database, bus: Bus, own_nats_server: NatsServer
) -> None:
    relay = OutboxRelay(database, table, bus)
    outbox = Outbox(table, on_commit=relay.wake)
    relaying = asyncio.create_task(relay.run())

    async def change() -> None:
        for number in range(200):
            await leave(database, outbox, number)

    changing = asyncio.create_task(change())
    for _ in range(2):
        await asyncio.sleep(0.15)
        own_nats_server.kill()
        await asyncio.sleep(0.1)
        own_nats_server.start()
    await changing
    await until_empty(database)
    relaying.cancel()
    await asyncio.gather(relaying, return_exceptions=True)
    assert await published(bus, 200) == list(range(200))


async def test_a_relay_that_dies_before_it_deletes_publishes_no_duplicate(
    database: Database, bus: Bus
) -> None:
    outbox = Outbox(table)
    for number in range(3):
        await leave(database, outbox, number)
    # What a crash between the acknowledgement and the deletion leaves behind.
    await bus.publish("changes.n", b"0", message_id="changes.n0")
    await bus.publish("changes.n", b"1", message_id="changes.n1")
    relaying = asyncio.create_task(OutboxRelay(database, table, bus).run())
    await until_empty(database)
    relaying.cancel()
    await asyncio.gather(relaying, return_exceptions=True)
    assert await published(bus, 3) == [0, 1, 2]


async def test_two_relays_keep_the_order(database: Database, bus: Bus) -> None:
    outbox = Outbox(table)
    relays = [asyncio.create_task(OutboxRelay(database, table, bus).run()) for _ in range(2)]
    for number in range(100):
        await leave(database, outbox, number)
    await until_empty(database)
    for relaying in relays:
        relaying.cancel()
    await asyncio.gather(*relays, return_exceptions=True)
    assert await published(bus, 100) == list(range(100))


FULL = StreamSpec("FULL", ["full.>"], max_bytes=1)
RECORDS = StreamSpec("RECORDS", ["records.>"])


@pytest.mark.parametrize("relays", [1, 2])
async def test_a_stream_that_takes_no_more_holds_back_its_own_messages_only(
    database: Database, bus: Bus, relays: int
) -> None:
    """One is full, one is not there yet; both go on in their order once they can."""
    await bus.ensure_stream(FULL)
    outbox = Outbox(table)
    async with database.transaction() as session:
        # More than three batches, so that it does not do to look a little further on.
        await outbox.add_all(session, [OutboxMessage("full.n", str(n).encode()) for n in range(350)])
    for number in range(20):
        await leave(database, outbox, number, "records.n")
        await leave(database, outbox, number)
    relaying = [asyncio.create_task(OutboxRelay(database, table, bus).run()) for _ in range(relays)]
    assert await published(bus, 20) == list(range(20))
    assert await left(database) == 350 + 20
    await bus.ensure_stream(RECORDS)
    await leave(database, outbox, 20, "records.n")
    assert await published(bus, 21, "RECORDS") == list(range(21))
    for number in range(350, 353):
        await leave(database, outbox, number, "full.n")
    await bus.ensure_stream(replace(FULL, max_bytes=None))
    await until_empty(database)
    assert await published(bus, 353, "FULL") == list(range(353))
    for task in relaying:
        task.cancel()
    await asyncio.gather(*relaying, return_exceptions=True)


async def test_the_same_rows_are_not_looked_at_again_and_again(database: Database, bus: Bus) -> None:
    await bus.ensure_stream(FULL)
    outbox = Outbox(table)
    async with database.transaction() as session:
        await outbox.add_all(session, [OutboxMessage("full.n", str(n).encode()) for n in range(350)])
    relay = OutboxRelay(database, table, bus)
    while await relay._relay_batch():
        pass
    await leave(database, outbox, 1)
    reads: list[int] = []
    read = relay._read

    async def counted(which: sa.ColumnElement[bool]) -> list[sa.Row[Any]]:
        rows = await read(which)
        reads.append(len(rows))
        return rows

    relay._read = counted  # type: ignore[method-assign]
    assert not await relay._relay_batch()
    assert sum(reads) <= 2, "the new one, and the oldest of those that wait"
    assert await published(bus, 1) == [1]


async def test_the_order_is_that_of_the_commits(database: Database) -> None:
    """A lower id must never become visible after a higher one, or the relay would pass it by."""
    outbox = Outbox(table)
    first_added, second_may_end = asyncio.Event(), asyncio.Event()
    order: list[str] = []

    async def slow() -> None:
        async with database.transaction() as session:
            await outbox.add(session, "changes.n", b"1")
            first_added.set()
            await asyncio.sleep(0.2)
            order.append("slow")

    async def fast() -> None:
        await first_added.wait()
        async with database.transaction() as session:
            await outbox.add(session, "changes.n", b"2")
            order.append("fast")
        second_may_end.set()

    await asyncio.gather(slow(), fast())
    assert order == ["slow", "fast"]


async def test_ids_are_never_given_out_again(database: Database) -> None:
    outbox = Outbox(table)
    ids: list[int] = []
    for number in range(2):
        await leave(database, outbox, number)
        async with database.transaction() as session:
            ids.append((await session.execute(sa.select(table.c.id))).scalar_one())
            await session.execute(sa.delete(table))
    assert ids[0] < ids[1]


async def test_a_message_the_bus_would_never_take_is_refused_at_the_door(database: Database) -> None:
    async with database.transaction() as session:
        with pytest.raises(ValueError, match="too large"):
            await Outbox(table).add(session, "changes.n", bytes(MAX_PAYLOAD + 1))


async def test_headers_travel_with_the_message(database: Database, bus: Bus) -> None:
    async with database.transaction() as session:
        message_id = await Outbox(table, new_id=lambda: "made").add(
            session, "changes.n", b"1", headers={"Lgsp-Count": "1"}
        )
    relaying = asyncio.create_task(OutboxRelay(database, table, bus).run())
    await until_empty(database)
    relaying.cancel()
    await asyncio.gather(relaying, return_exceptions=True)
    [delivery] = await (await bus.consumer("CHANGES", "reader")).fetch(1, 5.0)
    assert message_id == "made"
    assert (delivery.headers["Nats-Msg-Id"], delivery.headers["Lgsp-Count"]) == ("made", "1")
