"""One way of working on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from lienthong.kit.database import Base as KitBase
from lienthong.kit.database import Database, Json, UtcDateTime, new_metadata
from lienthong.kit.engines import normalize_url

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

SCHEMA = "kit_test"
metadata = new_metadata()
parents = sa.Table("parents", metadata, sa.Column("id", sa.Integer, primary_key=True))
notes = sa.Table(
    "notes",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("parent_id", sa.ForeignKey("parents.id")),
    sa.Column("at", UtcDateTime),
    sa.Column("body", Json),
)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database.open(database_url, schema=SCHEMA)
    async with opened.transaction() as session:
        if opened.dialect == "postgresql":
            await session.execute(sa.text(f"CREATE SCHEMA {SCHEMA}"))
        await session.run_sync(lambda sync: metadata.create_all(sync.connection()))
    yield opened
    await opened.close()


async def count(database: Database) -> int:
    async with database.reading() as session:
        return int((await session.execute(sa.select(sa.func.count()).select_from(notes))).scalar_one())


async def test_a_unit_of_work_commits_when_its_block_ends(database: Database) -> None:
    async with database.transaction() as session:
        await session.execute(sa.insert(notes).values(id=1))
        assert await count(database) == 0
    assert await count(database) == 1


async def test_a_unit_of_work_that_raises_leaves_nothing(database: Database) -> None:
    async def change_my_mind() -> None:
        async with database.transaction() as session:
            await session.execute(sa.insert(notes).values(id=1))
            raise RuntimeError("changed my mind")

    with pytest.raises(RuntimeError, match="changed my mind"):
        await change_my_mind()
    assert await count(database) == 0


async def test_what_is_changed_while_reading_is_never_kept(database: Database) -> None:
    async with database.reading() as session:
        if database.dialect == "postgresql":
            with pytest.raises(DBAPIError, match="read-only"):
                await session.execute(sa.insert(notes).values(id=1))
        else:
            await session.execute(sa.insert(notes).values(id=1))
    assert await count(database) == 0


async def test_a_read_before_a_write_is_never_stale(database: Database) -> None:
    """Twenty counters at once: with a deferred BEGIN most of them would fail on SQLite."""
    async with database.transaction() as session:
        await session.execute(sa.insert(notes).values(id=1, body={"n": 0}))

    async def count_up() -> None:
        async with database.transaction() as session:
            row = await session.execute(sa.select(notes.c.body).where(notes.c.id == 1).with_for_update())
            await session.execute(sa.update(notes).values(body={"n": row.scalar_one()["n"] + 1}))

    await asyncio.gather(*(count_up() for _ in range(20)))
    async with database.reading() as session:
        assert (await session.execute(sa.select(notes.c.body))).scalar_one() == {"n": 20}


async def test_reading_sees_one_moment_whatever_is_committed_meanwhile(database: Database) -> None:
    async with database.reading() as reader:
        counting = sa.select(sa.func.count()).select_from(notes)
        before = (await reader.execute(counting)).scalar_one()
        async with database.transaction() as session:
            await session.execute(sa.insert(notes).values(id=1))
        assert (before, (await reader.execute(counting)).scalar_one()) == (0, 0)
    assert await count(database) == 1


async def test_foreign_keys_are_enforced(database: Database) -> None:
    with pytest.raises(IntegrityError):
        async with database.transaction() as session:
            await session.execute(sa.insert(notes).values(id=1, parent_id=404))


async def test_moments_come_back_in_utc_with_their_microseconds_and_in_order(database: Database) -> None:
    vietnam = timezone(timedelta(hours=7))
    early = datetime(2026, 11, 23, 6, 30, 0, 123456, tzinfo=vietnam)
    late = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
    async with database.transaction() as session:
        await session.execute(sa.insert(notes), [{"id": 1, "at": late}, {"id": 2, "at": early}])
    async with database.reading() as session:
        found = list((await session.execute(sa.select(notes.c.at).order_by(notes.c.at))).scalars())
    assert found == [early, late]
    assert [moment.tzinfo for moment in found] == [UTC, UTC]


async def test_a_moment_without_time_zone_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="without time zone"):
        async with database.transaction() as session:
            await session.execute(sa.insert(notes).values(id=1, at=datetime(2026, 1, 1)))  # noqa: DTZ001


async def test_no_json_is_null_in_sql(database: Database) -> None:
    async with database.transaction() as session:
        await session.execute(sa.insert(notes).values(id=1, body=None))
    async with database.reading() as session:
        assert (await session.execute(sa.select(notes.c.id).where(notes.c.body.is_(None)))).scalar_one() == 1


async def test_what_is_exclusive_is_held_by_one_at_a_time(database: Database, database_url: str) -> None:
    async with database.exclusive("relay") as mine, database.exclusive("other") as other:
        assert (mine, other) == (True, True)
        async with database.exclusive("relay") as again:
            assert again is False
        if database.dialect == "postgresql":
            replica = Database.open(database_url, schema=SCHEMA)
            async with replica.exclusive("relay") as theirs:
                assert theirs is False
            await replica.close()
    async with database.exclusive("relay") as mine:
        assert mine is True


async def test_a_process_sees_its_own_schema_only(postgres_url: str) -> None:
    for schema in ("one", "two"):
        opened = Database.open(postgres_url, schema=f"own_{schema}")
        async with opened.transaction() as session:
            await session.execute(sa.text(f"CREATE SCHEMA own_{schema}"))
            await session.execute(sa.text("CREATE TABLE found (name text)"))
            await session.execute(sa.text("INSERT INTO found VALUES (:name)"), {"name": schema})
        async with opened.reading() as session:
            assert (await session.execute(sa.text("SELECT name FROM found"))).scalar_one() == schema
        await opened.close()


@pytest.mark.parametrize("work", ["transaction", "reading", "exclusive"])
async def test_a_task_can_be_cancelled_though_its_connection_was_cut(postgres_url: str, work: str) -> None:
    database = Database.open(postgres_url, schema="public")
    begun = asyncio.Event()

    async def wait() -> None:
        block: AbstractAsyncContextManager[Any] = (
            database.exclusive("work") if work == "exclusive" else getattr(database, work)()
        )
        async with block as found:
            if work != "exclusive":
                await found.execute(sa.text("SELECT 1"))
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await begun.wait()
    async with database.transaction() as session:
        others = "pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        await session.execute(sa.text(f"SELECT pg_terminate_backend(pid, 5000) FROM {others}"))  # noqa: S608
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await database.check()
    await database.close()


async def test_readiness_tells_when_the_database_is_away(database: Database, free_port: int) -> None:
    assert await database.check() is True
    gone = Database.open(f"postgresql://nobody@127.0.0.1:{free_port}/none", schema="none")
    assert await gone.check() is False
    await gone.close()


@pytest.mark.parametrize(
    ("given", "driver"),
    [
        ("sqlite:///a.db", "sqlite+aiosqlite"),
        ("postgres://h/d", "postgresql+asyncpg"),
        ("postgresql+psycopg://h/d", "postgresql+asyncpg"),
    ],
)
def test_addresses_get_the_driver_of_the_house(given: str, driver: str) -> None:
    assert normalize_url(given).drivername == driver


def test_other_databases_are_refused() -> None:
    with pytest.raises(ValueError, match="mysql databases are not supported"):
        normalize_url("mysql://h/d")


def test_sqlite_needs_a_file() -> None:
    with pytest.raises(ValueError, match="give the SQLite database a file"):
        Database.open("sqlite://", schema="none")


def test_components_have_tables_of_the_same_name_apart() -> None:
    class One(KitBase):
        __abstract__ = True
        metadata = new_metadata()

    class Two(KitBase):
        __abstract__ = True
        metadata = new_metadata()

    tables = [sa.Table("outbox", base.metadata) for base in (One, Two)]
    assert tables[0] is not tables[1]


@pytest.mark.parametrize("work", ["transaction", "reading", "exclusive"])
@pytest.mark.parametrize("fails", [True, False], ids=["then fails", "then ends well"])
async def test_a_task_ends_as_cancelled_though_its_block_swallowed_that(
    database: Database, work: str, fails: bool
) -> None:
    inside = asyncio.Event()
    blocks: dict[str, AbstractAsyncContextManager[object]] = {
        "transaction": database.transaction(),
        "reading": database.reading(),
        "exclusive": database.exclusive("the lock"),
    }

    async def swallowing() -> None:
        async with blocks[work]:
            inside.set()
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                if fails:
                    raise ValueError("something else") from None

    task = asyncio.create_task(swallowing())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
