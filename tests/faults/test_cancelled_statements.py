"""What is cancelled while it uses PostgreSQL ends, leaves no lock behind, and did all of its work or none.

A client that goes away, a time-out and the end of a process cancel our calls of the database at any moment.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from lienthong.catalog.apply.schemas import read_apply_text
from lienthong.catalog.apply.service.applying import ApplyService
from lienthong.catalog.bootstrap import PACKAGE, REPOSITORIES, SCHEMA
from lienthong.catalog.domain.resources import ResourceKind
from lienthong.catalog.models import OUTBOX, CatalogHead, ChangeRow
from lienthong.catalog.repository import ChangeLogRepository
from lienthong.catalog.search import service as searching
from lienthong.catalog.service.unit_of_work import UnitsOfWork
from lienthong.catalog.service.versions import VersionMonitor
from lienthong.catalog.systems.service.factors import KeyComparison
from lienthong.kit.actors import Actor
from lienthong.kit.addresses import ProviderAddresses
from lienthong.kit.bus import Bus, StreamSpec
from lienthong.kit.clock import SystemClock
from lienthong.kit.database import Database, migrate, new_metadata
from lienthong.kit.ids import uuid7
from lienthong.kit.journal import AdminJournal
from lienthong.kit.messages import OutboxMessage
from lienthong.kit.outbox import Outbox, OutboxRelay, outbox_table
from lienthong.kit.workers import Workers
from lienthong.ledger.settings import LedgerSettings
from tests.integration.catalog.province import agency, name
from tests.integration.ledger.support import STREAM, full_check, leaves, messages, opened, records_of
from tests.support.catalog import USUAL_LIMITS
from tests.support.waiting import eventually

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from lienthong.ledger.events import JournalMessage
    from tests.support.nats import NatsServer

    Work = Callable[[], Awaitable[object]]

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]

ENDS_WITHIN = 20.0
"""Seconds; less than the limits of statements, which may not be what ends the work."""
AGENCIES, RECORDS, MESSAGES = 120, 400, 300
"""Of one piece of work: more than asyncpg sends at once."""
LONG = name("Ủy ban nhân dân tỉnh " * 9)
_LEFT_BEHIND = """
    SELECT state, query FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'
    UNION ALL
    SELECT mode, locktype FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@pytest.fixture(params=[80, pytest.param(700, marks=pytest.mark.long)])
def times(request: pytest.FixtureRequest) -> int:
    """How often each kind of work is cancelled: 240 times in every run, 2,100 in `make faults`."""
    return int(request.param)


async def cancelled_at_random(work: Work, times: int, chance: random.Random) -> int:
    """Begin `work` so many times, cancel it at a random moment of its length; returns how often it ended."""
    began = time.monotonic()
    await work()
    whole = time.monotonic() - began
    finished = 0
    for _ in range(times):
        task = asyncio.ensure_future(_of(work))
        await asyncio.sleep(chance.random() * whole)
        task.cancel()
        ended, _ = await asyncio.wait([task], timeout=ENDS_WITHIN)
        assert ended, "it does not end"
        with contextlib.suppress(asyncio.CancelledError):
            task.result()
            finished += 1
    return finished


async def _of(work: Work) -> None:
    await work()


async def assert_nothing_is_left(database: Database) -> None:
    """No other connection executes anything, is in a transaction, or holds a lock."""
    found: list[object] = []

    async def nothing() -> bool:
        async with database.reading() as session:
            found[:] = (await session.execute(sa.text(_LEFT_BEHIND))).all()
        return not found

    try:
        await eventually(nothing, within=10)
    except AssertionError as error:
        raise AssertionError(found) from error


async def test_a_ledger_that_catches_up(
    tmp_path: Path, postgres_database: str, times: int, chance: random.Random
) -> None:
    settings = LedgerSettings(home=tmp_path / "home", ledger_database_url=postgres_database)
    journal: list[JournalMessage] = []
    async with opened(settings) as core:

        async def catch_up() -> None:
            # What was integrated before may have been cancelled after its commit.
            last = (await core.integrator.position()).last_sequence_of(STREAM)
            if last == len(journal):
                journal.extend(messages(1, each=RECORDS, first=last + 1))
            await core.integrator.integrate(STREAM, journal[last:])

        await cancelled_at_random(catch_up, times, chance)
        await assert_nothing_is_left(core.database)
        await catch_up()
        await catch_up()
        assert await leaves(core) == records_of(journal)
        assert (await full_check(core)).sound


async def test_manifests_that_are_applied(postgres_database: str, times: int, chance: random.Random) -> None:
    await migrate(postgres_database, SCHEMA, PACKAGE)
    database = Database.open(postgres_database, schema=SCHEMA)
    workers = Workers(1, [read_apply_text.__module__])
    await workers.start()
    clock = SystemClock()
    outbox = Outbox(OUTBOX, clock=clock)

    async def read_version() -> int:
        async with database.reading() as session:
            return await ChangeLogRepository(session).version()

    journal = AdminJournal("catalog", outbox, clock)
    units = UnitsOfWork(
        database, REPOSITORIES, outbox, journal, VersionMonitor(read_version), clock, index=searching.put
    )
    keys = KeyComparison(units, workers)
    service = ApplyService(units, workers, keys, ProviderAddresses(), USUAL_LIMITS, 200)
    number = 0

    async def apply() -> None:
        nonlocal number
        number += 1
        manifests = [agency(f"H11.{number}.{each}", name=LONG) for each in range(1, AGENCIES + 1)]
        body = json.dumps({"manifests": manifests}).encode()
        await service.apply(body, Actor("operator", transaction_id=uuid7(), is_operator=True), dry_run=False)

    await cancelled_at_random(apply, times, chance)
    await assert_nothing_is_left(database)
    await apply()
    row = REPOSITORIES[ResourceKind.AGENCY].row
    async with database.reading() as session:
        of_each = sa.select(sa.func.split_part(row.id, ".", 2), sa.func.count()).group_by(sa.text("1"))
        applied: dict[str, int] = {row[0]: row[1] for row in await session.execute(of_each)}
        version = (await session.execute(sa.select(CatalogHead.version))).scalar_one()
        logged = sa.select(sa.func.count(), sa.func.max(ChangeRow.version)).select_from(ChangeRow)
        changes, last = (await session.execute(logged)).one()
        left = (await session.execute(sa.select(sa.func.count()).select_from(OUTBOX))).scalar_one()
    assert set(applied.values()) == {AGENCIES}
    assert (changes, last) == (sum(applied.values()), version)
    # An event and an audit record of each.
    assert left == 2 * changes
    await workers.close()
    await database.close()


async def test_messages_that_leave_with_their_change(
    postgres_database: str, own_nats_server: NatsServer, times: int, chance: random.Random
) -> None:
    metadata = new_metadata()
    table = outbox_table(metadata)
    database = Database.open(postgres_database, schema="public")
    async with database.transaction() as session:
        await session.run_sync(lambda sync: metadata.create_all(sync.connection()))
    bus = await Bus.connect(
        own_nats_server.url, "test", wait=True, streams=[StreamSpec("CHANGES", ["changes.>"])]
    )
    outbox = Outbox(table)
    relay = OutboxRelay(database, table, bus)
    number = 0

    async def change() -> None:
        nonlocal number
        number += 1
        each = [OutboxMessage("changes.n", f"{number} {n} {'x' * 800}".encode()) for n in range(MESSAGES)]
        async with database.transaction() as session:
            await outbox.add_all(session, each)

    async def change_and_publish() -> None:
        # Each is cancelled in the middle of what the other does.
        publishing = asyncio.ensure_future(relay.run())
        try:
            await change()
        finally:
            publishing.cancel()
            await asyncio.wait([publishing])

    await cancelled_at_random(change_and_publish, times, chance)
    await assert_nothing_is_left(database)
    await change()
    publishing = asyncio.ensure_future(relay.run())

    async def none_waits() -> bool:
        return not any((await relay.waiting()).values())

    await eventually(none_waits, within=120)
    publishing.cancel()
    await asyncio.wait([publishing])
    found = await published(bus)
    assert list(found) == sorted(found)
    assert number in found
    assert set(map(tuple, found.values())) == {tuple(range(MESSAGES))}
    await bus.close()
    await database.close()


async def published(bus: Bus) -> dict[int, list[int]]:
    """The numbers of the messages of each change, in the order in which the stream has them."""
    consumer = await bus.consumer("CHANGES", f"reader-{uuid7()}", deliver_from=1)
    last = (await bus.stream_state("CHANGES")).last_sequence
    found: dict[int, list[int]] = {}
    seen = 0
    while seen < last:
        for delivery in await consumer.fetch(500, 5.0):
            change, number, _ = delivery.payload.split()
            found.setdefault(int(change), []).append(int(number))
            seen = delivery.sequence
            await delivery.ack()
    await consumer.close()
    return found
