"""Nothing waits for PostgreSQL, and PostgreSQL for nobody, without an end."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from lienthong.kit import migrations
from lienthong.kit.database import Database
from lienthong.kit.engines import MIGRATING, Limits, create_engine
from tests.support.promises import allowed_s
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

SCHEMA = "limits_test"
LIMITS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
NOTICING = ("client_connection_check_interval", "tcp_keepalives_idle", "tcp_keepalives_count")


async def shown(session: Any, names: tuple[str, ...]) -> tuple[str, ...]:  # noqa: ANN401 - session or connection
    return tuple([(await session.execute(sa.text(f"SHOW {name}"))).scalar_one() for name in names])


async def execute(database: Database, statement: sa.Executable) -> None:
    async with database.transaction() as session:
        await session.execute(statement)


async def read_with_a_pause(database: Database, seconds: float) -> None:
    async with database.transaction() as session:
        await session.execute(sa.text("SELECT 1"))
        await asyncio.sleep(seconds)
        await session.execute(sa.text("SELECT 1"))


async def test_each_connection_of_a_process_has_limits(postgres_database: str) -> None:
    database = Database.open(postgres_database, schema=SCHEMA)
    for work in (database.transaction, database.reading):
        async with work() as session:
            assert await shown(session, LIMITS) == ("40s", "20s", "1min")
            assert await shown(session, NOTICING) == ("5s", "30", "3")
    await database.close()


def test_a_lock_is_given_up_before_its_statement_and_that_before_the_server_ends_it() -> None:
    limits = Limits()
    assert limits.lock is not None
    assert limits.command is not None
    assert limits.lock < limits.command
    assert Limits(command=1.0).settings()["statement_timeout"] == "11000"
    assert MIGRATING.settings()["statement_timeout"] == "0"


REVISION = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "0001", None

def upgrade():
    shown = [op.get_bind().execute(sa.text(f"SHOW {name}")).scalar_one() for name in %r]
    op.create_table("shown", sa.Column("value", sa.Text))
    for value in shown:
        op.get_bind().execute(sa.text("INSERT INTO shown VALUES (:value)"), {"value": value})
"""


async def test_a_migration_waits_for_locks_for_a_minute_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres_database: str
) -> None:
    folder = tmp_path / "limited_migration"
    (folder / "migrations" / "versions").mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "migrations" / "versions" / "0001.py").write_text(REVISION % (LIMITS,))
    monkeypatch.syspath_prepend(tmp_path)
    await migrations.migrate(postgres_database, SCHEMA, "limited_migration")
    database = Database.open(postgres_database, schema=SCHEMA)
    async with database.reading() as session:
        assert (await session.scalars(sa.text("SELECT value FROM shown"))).all() == ["0", "1min", "10min"]
    await database.close()


async def test_a_lock_that_is_held_for_too_long_is_given_up(postgres_database: str) -> None:
    limits = Limits(lock=0.3)
    database = Database(create_engine(postgres_database, schema="public", limits=limits), schema="public")
    lock = sa.text("SELECT pg_advisory_xact_lock(1)")
    async with database.transaction() as holder:
        await holder.execute(lock)
        with pytest.raises(DBAPIError, match="lock timeout"):
            await execute(database, lock)
    await execute(database, lock)
    await database.close()


async def test_a_transaction_in_which_nothing_happens_is_ended_but_not_what_is_exclusive(
    postgres_database: str,
) -> None:
    limits = Limits(idle=0.3)
    database = Database(create_engine(postgres_database, schema="public", limits=limits), schema="public")
    replica = Database.open(postgres_database, schema="public")
    async with database.exclusive("work") as mine:
        assert mine
        with pytest.raises(DBAPIError):
            await read_with_a_pause(database, 2.0)
        async with replica.exclusive("work") as theirs:
            assert not theirs
    await database.close()
    await replica.close()


async def test_a_killed_client_keeps_no_lock_although_its_statement_goes_on(postgres_database: str) -> None:
    database = Database.open(postgres_database, schema="public")
    replica = Database.open(postgres_database, schema="public")

    async def sleep_under_lock() -> None:
        async with database.transaction() as session:
            raw = await (await session.connection()).get_raw_connection()
            await session.execute(sa.text("SELECT pg_advisory_xact_lock(7)"))
            driver: Any = raw.driver_connection
            transports.append(driver._transport)
            await session.execute(sa.text("SELECT pg_sleep(25)"))

    transports: list[asyncio.Transport] = []
    task = asyncio.create_task(sleep_under_lock())
    await eventually(lambda: transports)
    # What the kernel does to a process that dies: no message of the protocol, the connection is just gone.
    await asyncio.sleep(0.2)
    transports[0].abort()
    began = time.monotonic()
    await execute(replica, sa.text("SELECT pg_advisory_xact_lock(7)"))
    assert time.monotonic() - began < 15
    await asyncio.wait([task])
    await database.close()
    await replica.close()


@asynccontextmanager
async def freezing_way(to: tuple[str, int]) -> AsyncIterator[tuple[int, asyncio.Event]]:
    """A port that leads to another one until the event is set; from then on nothing passes."""
    frozen = asyncio.Event()
    writers: list[asyncio.StreamWriter] = []

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            if frozen.is_set():
                await asyncio.Event().wait()
            writer.write(data)
        if not frozen.is_set():
            writer.close()

    async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_reader, to_writer = await asyncio.open_connection(*to)
        writers.extend((writer, to_writer))
        ways = [
            asyncio.create_task(pass_on(reader, to_writer)),
            asyncio.create_task(pass_on(to_reader, writer)),
        ]
        tasks.extend(ways)

    tasks: list[asyncio.Task[None]] = []
    server = await asyncio.start_server(lead, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], frozen
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in writers:
            writer.close()
        server.close()


async def test_closing_does_not_wait_for_a_database_that_is_frozen(postgres_database: str) -> None:
    parsed = sa.make_url(postgres_database)
    assert parsed.host is not None
    assert parsed.port is not None
    async with freezing_way((parsed.host, parsed.port)) as (port, frozen):
        url = parsed.set(port=port).render_as_string(hide_password=False)
        database = Database.open(url, schema="public")
        async with database.reading() as one, database.reading() as two:
            for session in (one, two):
                await session.execute(sa.text("SELECT 1"))
        frozen.set()
        began = time.monotonic()
        await database.close()
        assert time.monotonic() - began < allowed_s(8)
