"""A service's audit records come into the log, whatever the bus forgets after it has acknowledged them."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import grpc.aio
import pytest
import sqlalchemy as sa

from lienthong.contracts.audit.v1 import sealing_pb2
from lienthong.contracts.audit.v1.sealing_pb2_grpc import SealingServicer, add_SealingServicer_to_server
from lienthong.kit import retained_records
from lienthong.kit.bus import Bus, StreamSpec
from lienthong.kit.clock import ManualClock
from lienthong.kit.database import Database, new_metadata
from lienthong.kit.health import State
from lienthong.kit.lost_records import LOST_AFTER
from lienthong.kit.outbox import Outbox, OutboxRelay, outbox_table
from lienthong.kit.retained_records import RetainedRecords, retained_table
from lienthong.kit.rpc import open_channel, serve_rpc
from tests.support.ports import take_free_port
from tests.support.rpc import rpc_trust

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable
    from typing import NoReturn

    from tests.support.nats import NatsServer

    Context = grpc.aio.ServicerContext[sealing_pb2.CheckRequest, Awaitable[sealing_pb2.CheckResponse]]

SCHEMA = "retained_test"
metadata = new_metadata()
OUTBOX, RETAINED = outbox_table(metadata), retained_table(metadata)
NOW = datetime(2026, 11, 28, 8, tzinfo=UTC)


class LedgerPeer(SealingServicer):
    """Says that what was read from the journal is in the log, and how far that goes."""

    def __init__(self) -> None:
        self.sealed: dict[str, bytes] = {}
        self.size = 0
        self.read_through = NOW
        self.most_batches = 0
        self.answers: int | None = None
        """How often it answers before it is away."""

    async def ListActs(self, request: object, context: object) -> NoReturn:  # noqa: N802
        """Nobody asks."""
        raise NotImplementedError

    async def Check(  # noqa: N802  the contract's name
        self, request: sealing_pb2.CheckRequest, context: Context
    ) -> sealing_pb2.CheckResponse:
        if self.answers is not None:
            if self.answers == 0:
                await context.abort(grpc.StatusCode.UNAVAILABLE, "away")
            self.answers -= 1
        self.most_batches = max(self.most_batches, len(request.batches))
        answer = sealing_pb2.CheckResponse(
            states=[self._state(batch) for batch in request.batches],
            checkpoint=f"origin\n{self.size}\nroot\n",
        )
        answer.journal_read_through.FromDatetime(self.read_through)
        return answer

    def _state(self, batch: sealing_pb2.Batch) -> sealing_pb2.BatchState.ValueType:
        there = self.sealed.get(batch.first_record_id)
        if there is None:
            return sealing_pb2.BATCH_STATE_MISSING
        same = hashlib.sha256(there).digest() == batch.payload_sha256
        return sealing_pb2.BATCH_STATE_SEALED if same else sealing_pb2.BATCH_STATE_DIFFERENT


class World:
    """A service's outbox, its bus, and a ledger."""

    def __init__(self, database: Database, bus: Bus, ledger: LedgerPeer, port: int) -> None:
        self.database, self.bus, self.ledger = database, bus, ledger
        self.clock = ManualClock(NOW)
        self.channel = open_channel(f"127.0.0.1:{port}", rpc_trust())
        self.outbox = Outbox(OUTBOX, clock=self.clock)
        self.relay = OutboxRelay(database, OUTBOX, bus, self.clock, retained=RETAINED)
        self.records = self.restarted()

    def restarted(self, lost_after: timedelta = LOST_AFTER) -> RetainedRecords:
        """As the service has it after a start."""
        return RetainedRecords(
            self.database,
            RETAINED,
            self.bus,
            self.channel,
            self.clock,
            node="service",
            lost_after=lost_after,
        )

    async def act(self, *records: str) -> None:
        """Acts are committed, and their records acknowledged by the bus."""
        async with self.database.transaction() as session:
            for record in records:
                await self.outbox.add(
                    session, "journal.service", f"record {record}".encode(), message_id=record
                )
            await self.outbox.add(session, "catalog.hint", b"only a hint")
        await self.relay._relay_batch()

    async def journal(self) -> list[bytes]:
        """The records in the journal, in its order."""
        last = await self.bus.last_sequence("JOURNAL")
        found = [await self.bus.message("JOURNAL", sequence) for sequence in range(1, last + 1)]
        return [message.payload for message in found if message is not None]

    async def lose_journal(self) -> None:
        await self.bus.jetstream().delete_stream("JOURNAL")
        await self.bus.ensure_stream(StreamSpec("JOURNAL", ["journal.>"]))

    def read(self, *records: str, beyond: timedelta = timedelta()) -> None:
        """The ledger has read the journal as far as now, or beyond, and found these records."""
        for record in records:
            self.ledger.sealed[record] = f"record {record}".encode()
        self.ledger.size = len(self.ledger.sealed)
        self.ledger.read_through = self.clock.now() + beyond

    async def unsealed(self) -> list[Any]:
        query = sa.select(RETAINED.c.record_id).where(RETAINED.c.sealed_at.is_(None)).order_by(RETAINED.c.id)
        async with self.database.reading() as session:
            return list(await session.scalars(query))

    async def retained(self) -> list[Any]:
        async with self.database.reading() as session:
            return list(await session.scalars(sa.select(RETAINED.c.record_id).order_by(RETAINED.c.id)))


@pytest.fixture
async def ledger() -> AsyncIterator[tuple[LedgerPeer, int]]:
    peer, port = LedgerPeer(), take_free_port()
    server = await serve_rpc(
        f"127.0.0.1:{port}", lambda server: add_SealingServicer_to_server(peer, server), rpc_trust()
    )
    yield peer, port
    await server.stop()


@pytest.fixture
async def world(
    database_url: str, own_nats_server: NatsServer, ledger: tuple[LedgerPeer, int]
) -> AsyncIterator[World]:
    database = Database.open(database_url, schema=SCHEMA)
    async with database.transaction() as session:
        if database.dialect == "postgresql":
            await session.execute(sa.text(f"CREATE SCHEMA {SCHEMA}"))
        await session.run_sync(lambda sync: metadata.create_all(sync.connection()))
    streams = [StreamSpec("JOURNAL", ["journal.>"]), StreamSpec("CATALOG", ["catalog.>"])]
    bus = await Bus.connect(own_nats_server.url, "test", wait=True, streams=streams)
    made = World(database, bus, *ledger)
    yield made
    await made.channel.close()
    await bus.close()
    await database.close()


MINUTE = timedelta(minutes=1)
HALF_A_MINUTE = timedelta(seconds=30)


async def test_a_record_that_the_bus_lost_is_published_again_and_one_that_is_sealed_is_not(
    world: World,
) -> None:
    await world.act("1", "2")
    assert await world.retained() == ["1", "2"], "a hint is not kept"
    await world.lose_journal()
    world.read("1")
    await world.records.round()
    assert await world.journal() == [], "it may simply not have come so far"
    world.clock.advance(HALF_A_MINUTE)
    world.read("1", beyond=MINUTE)
    await world.records.round()
    assert await world.journal() == [b"record 2"]
    await world.records.round()
    world.clock.advance(MINUTE)
    world.read("1", beyond=-timedelta(seconds=30))
    await world.records.round()
    assert await world.journal() == [b"record 2"], "each repeat waits twice as long as the one before"
    world.read("1", "2")
    await world.records.round()
    assert world.records.condition().state is State.OK


async def test_the_operator_says_after_how_long_a_record_counts_as_lost(world: World) -> None:
    world.records = world.restarted(timedelta(seconds=3))
    await world.act("1")
    await world.lose_journal()
    for seconds, expected in ((2, []), (4, [b"record 1"])):
        world.clock.advance(seconds)
        world.read()
        await world.records.round()
        assert await world.journal() == expected


async def test_sealed_records_are_forgotten_after_a_day_and_no_sooner(world: World) -> None:
    await world.act("1", "2")
    world.read("1")
    await world.records.round()
    world.clock.advance(timedelta(hours=23))
    world.read("1")
    world.ledger.read_through = NOW
    await world.records.round()
    assert await world.retained() == ["1", "2"]
    world.clock.advance(timedelta(hours=2))
    await world.records.round()
    assert await world.retained() == ["2"]
    assert world.records.condition().state is State.DEGRADED, "the other one has waited for long"


async def test_a_restart_begins_no_new_day(world: World) -> None:
    await world.act("1", "2")
    world.read("1", "2")
    await world.records.round()
    for _ in range(3):
        world.clock.advance(timedelta(hours=9))
        await world.restarted().round()
    assert await world.retained() == []


async def test_much_is_asked_about_and_forgotten_in_portions(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retained_records, "_TOGETHER", 2)
    names = [str(number) for number in range(5)]
    await world.act(*names)
    world.read(*names)
    await world.records.round()
    del world.ledger.sealed["1"], world.ledger.sealed["3"]
    await world.restarted().round()
    assert await world.unsealed() == ["1", "3"]
    assert world.ledger.most_batches == 2
    world.read(*names)
    await world.records.round()
    world.clock.advance(timedelta(hours=25))
    await world.records.round()
    assert await world.retained() == []


async def test_a_log_that_lost_records_and_grew_beyond_its_old_size_is_noticed(world: World) -> None:
    await world.act("1", "2")
    world.read("1", "2")
    await world.records.round()
    await world.lose_journal()
    world.ledger.sealed = {str(number): b"of others" for number in range(10, 20)}
    world.read(beyond=MINUTE)
    await world.records.round()
    world.clock.advance(HALF_A_MINUTE)
    await world.records.round()
    assert await world.journal() == [b"record 1", b"record 2"]


async def test_asking_again_goes_on_after_a_failure(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retained_records, "_TOGETHER", 1)
    await world.act("1", "2", "3")
    world.read("1", "2", "3")
    await world.records.round()
    world.ledger.sealed.clear()
    world.ledger.answers = 2
    records = world.restarted()
    with pytest.raises(grpc.aio.AioRpcError):
        await records.round()
    assert await world.unsealed() == ["1"]
    world.ledger.answers = None
    await records.round()
    assert await world.unsealed() == ["1", "2", "3"]


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_ledger_and_a_journal_of_yesterday_get_everything_again(
    world: World, restarted: bool
) -> None:
    await world.act("1", "2")
    world.read("1", "2")
    await world.records.round()
    await world.lose_journal()
    world.ledger.sealed.clear()
    world.read(beyond=MINUTE)
    records = world.restarted() if restarted else world.records
    await records.round()
    world.clock.advance(HALF_A_MINUTE)
    await records.round()
    assert await world.journal() == [b"record 1", b"record 2"]


async def test_a_bus_whose_clock_is_ahead_gets_no_flood(world: World) -> None:
    await world.act("1")
    await world.lose_journal()
    for _ in range(60):
        world.read(beyond=timedelta(hours=3))
        await world.records.round()
        world.clock.advance(timedelta(seconds=10))
    assert 3 <= len(await world.journal()) <= 5, "ten minutes, and each wait twice as long as the one before"


async def test_a_clock_that_is_set_forward_forgets_nothing_early(world: World) -> None:
    await world.act("1")
    world.read("1")
    await world.records.round()
    world.clock.jump(timedelta(days=2))
    await world.records.round()
    assert await world.retained() == ["1"]
    world.clock.advance(timedelta(hours=25))
    await world.records.round()
    assert await world.retained() == []


async def test_another_record_under_the_same_id_is_told(world: World) -> None:
    await world.act("1")
    world.ledger.sealed["1"] = b"something else"
    world.ledger.size = 1
    await world.records.round()
    assert world.records.condition().state is State.DEGRADED
    await world.records.round()
    assert await world.journal() == [b"record 1"]


async def test_without_a_ledger_everything_is_kept(world: World) -> None:
    await world.act("1")
    world.records = RetainedRecords(
        world.database,
        RETAINED,
        world.bus,
        open_channel(f"127.0.0.1:{take_free_port()}", rpc_trust()),
        world.clock,
        node="service",
    )
    with pytest.raises(grpc.aio.AioRpcError):
        await world.records.round()
    assert await world.retained() == ["1"]
