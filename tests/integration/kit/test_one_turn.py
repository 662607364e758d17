"""Units of work that are functions, on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError

from lienthong.kit.database import Database, UtcDateTime, new_metadata

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from lienthong.kit.one_turn import Statements

SCHEMA = "kit_test"
metadata = new_metadata()
notes = sa.Table(
    "notes",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("content", sa.LargeBinary),
    sa.Column("at", UtcDateTime),
)
INSERT = sa.insert(notes)
IDS = sa.select(notes.c.id).order_by(notes.c.id)
NEW = {
    "sqlite": sqlite.insert(notes).on_conflict_do_nothing().returning(notes.c.id),
    "postgresql": postgresql.insert(notes).on_conflict_do_nothing().returning(notes.c.id),
}
MOMENT = datetime(2026, 11, 29, 20, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database.open(database_url, schema=SCHEMA)
    async with opened.transaction() as session:
        if opened.dialect == "postgresql":
            await session.execute(sa.text(f"CREATE SCHEMA {SCHEMA}"))
        await session.run_sync(lambda sync: metadata.create_all(sync.connection()))
    yield opened
    await opened.close()


def row(number: int) -> dict[str, object]:
    return {"id": number, "content": b"\0\xff", "at": MOMENT}


def ids(statements: Statements) -> list[int]:
    return [number for (number,) in statements.execute(IDS)]


async def test_a_function_is_one_transaction_and_gives_its_result(database: Database) -> None:
    def work(statements: Statements) -> list[int]:
        statements.execute(INSERT, [row(1), row(2)])
        statements.execute(INSERT, row(3))
        statements.execute(INSERT, [])
        return ids(statements)

    assert await database.write(work) == [1, 2, 3]
    assert await database.read(ids) == [1, 2, 3]
    async with database.reading() as session:
        found = (await session.execute(sa.select(notes).where(notes.c.id == 1))).one()
    assert (bytes(found.content), found.at) == (b"\0\xff", MOMENT)


async def test_a_function_that_raises_leaves_nothing(database: Database) -> None:
    def work(statements: Statements) -> None:
        statements.execute(INSERT, row(1))
        raise LookupError("changed my mind")

    with pytest.raises(LookupError):
        await database.write(work)
    assert await database.read(ids) == []


async def test_what_the_database_refuses_is_told_as_a_session_tells_it(database: Database) -> None:
    await database.write(lambda statements: statements.execute(INSERT, row(1)))
    with pytest.raises(IntegrityError) as refused:
        await database.write(lambda statements: statements.execute(INSERT, [row(2), row(1)]))
    assert "xff" not in str(refused.value)
    assert await database.read(ids) == [1]


async def test_rows_that_each_insert_returns_come_together(database: Database) -> None:
    new = NEW[database.dialect]
    await database.write(lambda statements: statements.execute(INSERT, row(2)))
    found = await database.write(lambda statements: statements.execute(new, [row(1), row(2), row(3)]))
    assert sorted(number for (number,) in found) == [1, 3]


async def test_what_only_reads_changes_nothing(database: Database) -> None:
    def work(statements: Statements) -> None:
        statements.execute(INSERT, row(1))

    if database.dialect == "postgresql":
        with pytest.raises(DBAPIError, match="read-only"):
            await database.read(work)
    else:
        await database.read(work)
    assert await database.read(ids) == []


async def test_sessions_and_functions_wait_for_each_other(database: Database) -> None:
    async def by_session(number: int) -> None:
        async with database.transaction() as session:
            await session.execute(INSERT, row(number))

    async def by_function(number: int) -> None:
        await database.write(lambda statements: statements.execute(INSERT, row(number)))

    await asyncio.gather(*((by_session if number % 2 else by_function)(number) for number in range(20)))
    assert await database.read(ids) == list(range(20))


async def test_who_is_cancelled_on_sqlite_leaves_the_turn_to_nobody_before_it_ends(tmp_path: Path) -> None:
    database = Database.open(f"sqlite+aiosqlite:///{tmp_path}/test.db", schema=SCHEMA)
    async with database.transaction() as session:
        await session.run_sync(lambda sync: metadata.create_all(sync.connection()))
    begun, go_on = threading.Event(), threading.Event()

    def slow(statements: Statements) -> None:
        statements.execute(INSERT, row(1))
        begun.set()
        go_on.wait(60)
        statements.execute(INSERT, row(2))

    task = asyncio.create_task(database.write(slow))
    await asyncio.to_thread(begun.wait, 20)
    task.cancel()
    next_one = asyncio.create_task(database.write(ids))
    await asyncio.sleep(0)
    assert not task.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await next_one == [1, 2]
    await database.close()


async def test_damage_that_sqlite_finds_is_told(tmp_path: Path) -> None:
    database = Database.open(f"sqlite+aiosqlite:///{tmp_path}/test.db", schema=SCHEMA)
    told: list[object] = []
    database.on_damage(told.append)

    def damaged(_: Statements) -> None:
        error = sqlite3.DatabaseError("database disk image is malformed")
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error

    with pytest.raises(DBAPIError, match="malformed"):
        await database.read(damaged)
    assert [str(one) for one in told] == ["database disk image is malformed"]
    await database.close()
