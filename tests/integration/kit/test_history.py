"""A service notices that its database is older than the ledger, and nothing else makes it say so."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from lienthong.contracts.audit.v1 import sealing_pb2
from lienthong.contracts.audit.v1.sealing_pb2_grpc import SealingServicer, add_SealingServicer_to_server
from lienthong.kit.database import Database, new_metadata
from lienthong.kit.health import State
from lienthong.kit.history import History, HistoryTables, accept, history_table
from lienthong.kit.outbox import Outbox, outbox_table
from lienthong.kit.retained_records import retained_table
from lienthong.kit.rpc import open_channel, serve_rpc
from tests.support.ports import take_free_port
from tests.support.rpc import rpc_trust

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable
    from typing import NoReturn

    import grpc.aio

    Context = grpc.aio.ServicerContext[sealing_pb2.ListActsRequest, Awaitable[sealing_pb2.ListActsResponse]]

SCHEMA, SERVICE = "history_test", "catalog"
metadata = new_metadata()
OUTBOX, RETAINED = outbox_table(metadata), retained_table(metadata)
TABLES = HistoryTables(history_table(metadata), OUTBOX, RETAINED)
NOW = datetime(2026, 11, 28, 8, tzinfo=UTC)
PORTION = 3


@dataclass
class LedgerPeer(SealingServicer):
    """A log of acts, one each second; an entry that is None is something else."""

    entries: list[str | None] = field(default_factory=list)
    key: str = "key"
    asked_from: list[int] = field(default_factory=list)

    async def Check(self, request: object, context: object) -> NoReturn:  # noqa: N802
        """Nobody asks."""
        raise NotImplementedError

    async def ListActs(  # noqa: N802  the contract's name
        self, request: sealing_pb2.ListActsRequest, context: Context
    ) -> sealing_pb2.ListActsResponse:
        assert request.node == SERVICE
        self.asked_from.append(request.from_index)
        through = min(request.from_index + PORTION, len(self.entries))
        answer = sealing_pb2.ListActsResponse(
            looked_through=max(through, 0) if through > request.from_index else len(self.entries),
            size=len(self.entries),
            verifier_key=self.key,
        )
        for index in range(request.from_index, through):
            record = self.entries[index]
            if record is not None:
                answer.acts.add(record_id=record).at.FromDatetime(NOW + timedelta(seconds=index))
        return answer


class World:
    """A service's database, and a ledger."""

    def __init__(self, url: str, ledger: LedgerPeer, channel: grpc.aio.Channel) -> None:
        self.url, self.ledger, self.channel = url, ledger, channel
        self.database = Database.open(url, schema=SCHEMA)
        self.outbox = Outbox(OUTBOX)
        self.history = self.restarted()

    def restarted(self) -> History:
        """As the service, or another replica of it, has it after a start."""
        return History(self.database, TABLES, self.channel, service=SERVICE)

    async def act(self, *records: str, recorded: bool = True) -> None:
        """Acts are committed; the ledger has their records."""
        async with self.database.transaction() as session:
            for record in records:
                await self.outbox.add(session, "journal.catalog", b"{}", message_id=record)
        if recorded:
            self.ledger.entries += records

    async def go_back(self, *records: str) -> None:
        """These acts are not in the database any more: it is an older copy."""
        async with self.database.transaction() as session:
            await session.execute(sa.delete(OUTBOX).where(OUTBOX.c.message_id.in_(records)))

    async def missing(self) -> int:
        """How many are missing, as another replica is told too."""
        await self.history.compare()
        other = self.restarted()
        await other.look()
        assert other.condition() == self.history.condition()
        return int(str(self.history.condition().figures.get("missing", 0)))


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    ledger, port = LedgerPeer(), take_free_port()
    server = await serve_rpc(
        f"127.0.0.1:{port}", lambda server: add_SealingServicer_to_server(ledger, server), rpc_trust()
    )
    channel = open_channel(f"127.0.0.1:{port}", rpc_trust())
    made = World(database_url, ledger, channel)
    async with made.database.transaction() as session:
        if made.database.dialect == "postgresql":
            await session.execute(sa.text(f"CREATE SCHEMA {SCHEMA}"))
        await session.run_sync(lambda sync: metadata.create_all(sync.connection()))
    yield made
    await channel.close()
    await made.database.close()
    await server.stop()


async def test_what_the_database_knows_is_not_missing(world: World) -> None:
    await world.act("a", "b")
    world.ledger.entries += [None, None]
    await world.act("c", "d", "e")
    await world.act("in flight", recorded=False)
    assert await world.missing() == 0
    assert world.history.condition().state is State.OK


async def test_records_that_are_gone_a_day_after_they_were_compared_are_not_missing(world: World) -> None:
    await world.act("a", "b", "c", "d")
    assert await world.missing() == 0
    await world.go_back("a", "b", "c", "d")
    assert await world.missing() == 0


async def test_an_older_copy_is_noticed_and_says_what_since_when_and_what_to_do(world: World) -> None:
    await world.act("a")
    assert await world.missing() == 0
    await world.act("b", "c", "d", "e")
    await world.go_back("b", "c", "d", "e")
    assert await world.missing() == 4
    found = world.history.condition()
    assert found.state is State.DEGRADED
    assert found.reason is not None
    assert found.reason.startswith("database-rolled-back: ")
    assert "4 acknowledged changes" in found.reason
    assert (
        "lienthong audit search --kind admin --from 2026-11-28T08:00:01Z --to 2026-11-28T08:00:05Z"
        in found.reason
    )
    assert "python -m lienthong.catalog accept-rolled-back --reason WHY" in found.reason


async def test_what_comes_after_it_adds_nothing_and_a_second_older_copy_does(world: World) -> None:
    await world.act("a", "b")
    await world.go_back("b")
    assert await world.missing() == 1
    await world.act("c")
    assert await world.missing() == 1
    await world.act("d")
    await world.go_back("d")
    assert await world.missing() == 2


async def test_a_new_database_misses_everything(world: World) -> None:
    world.ledger.entries += ["a", None, "b", "c", None, "d"]
    assert await world.missing() == 4


async def test_a_database_that_was_in_use_before_is_compared_from_now_on(world: World) -> None:
    world.ledger.entries += ["a", "b", "c", "d", "e"]
    async with world.database.transaction() as session:
        await session.execute(sa.insert(TABLES.history).values(id=1, missing=0))
    assert await world.missing() == 0
    world.ledger.entries.append("f")
    assert await world.missing() == 1


async def test_accepted_is_accepted_with_the_reason_in_the_journal(world: World) -> None:
    await world.act("a")
    await world.go_back("a")
    assert await world.missing() == 1
    told = await accept(world.url, SCHEMA, TABLES, "the disk broke", service=SERVICE)
    assert "1 changes" in told.en
    assert await world.missing() == 0
    assert world.history.condition().state is State.OK
    async with world.database.reading() as session:
        (payload,) = await session.scalars(sa.select(OUTBOX.c.payload))
    assert b'"action":"database.accept"' in payload
    assert b'"reason":"the disk broke"' in payload
    assert (await accept(world.url, SCHEMA, TABLES, "again", service=SERVICE)).en == "Nothing is missing."


async def test_a_log_that_is_shorter_than_it_was_is_no_loss_but_is_told(world: World) -> None:
    await world.act("a", "b", "c")
    assert await world.missing() == 0
    lost = world.ledger.entries[1:]
    del world.ledger.entries[1:]
    await world.history.compare()
    assert world.history.condition().state is State.DEGRADED
    assert "whether the database is as new as the log is not known" in str(world.history.condition().reason)
    # It reads the journal again, when the service does not keep these records any more.
    await world.go_back("a", "b", "c")
    world.ledger.entries += lost
    assert await world.missing() == 0
    assert world.history.condition().state is State.OK


async def test_another_log_is_compared_from_its_present_end(world: World) -> None:
    await world.act("a")
    assert await world.missing() == 0
    await world.go_back("a")
    world.ledger.key, world.ledger.entries = "another", ["x", "a"]
    assert await world.missing() == 0
    world.ledger.entries.append("y")
    assert await world.missing() == 1


async def test_what_was_looked_at_is_not_asked_about_again(world: World) -> None:
    await world.act("a", "b", "c", "d")
    await world.history.compare()
    assert world.ledger.asked_from == [0, PORTION]
    await world.history.compare()
    assert world.ledger.asked_from == [0, PORTION, 4]


async def test_the_slower_of_two_replicas_finds_nothing_where_the_faster_deleted(world: World) -> None:
    """The faster one has compared, and forgotten what lay long enough."""
    await world.act("a", "b")
    slower = world.restarted()
    known = None
    answer = await slower._ledger.ListActs(sealing_pb2.ListActsRequest(node=SERVICE))
    assert await world.missing() == 0
    await world.go_back("a", "b")
    assert not await slower._take(known, answer)
    assert await world.missing() == 0
