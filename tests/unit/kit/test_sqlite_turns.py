"""Connections to SQLite: what comes of a statement is what SQLite says, in one turn of the thread."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from lienthong.kit.database import Database
from lienthong.kit.sqlite_turns import connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from lienthong.kit.sqlite_turns import Connection

MANY = 1_000
"""Rows: more than are read with the statement."""


@asynccontextmanager
async def connected(folder: Path) -> AsyncIterator[Connection]:
    connection = connect(str(folder / "test.db"), isolation_level=None)
    async with connection:
        await connection.cursor().execute("CREATE TABLE parcels (id INTEGER PRIMARY KEY, name TEXT UNIQUE)")
        rows = [(number, f"parcel {number}") for number in range(1, MANY + 1)]
        await connection.cursor().execute("BEGIN")
        await connection.cursor().executemany("INSERT INTO parcels VALUES (?, ?)", rows)
        await connection.commit()
        yield connection


@pytest.mark.parametrize("most", [0, 1, 99, 100, 101, MANY])
async def test_every_row_is_read_once_and_in_order(tmp_path: Path, most: int) -> None:
    wanted = [(number,) for number in range(1, most + 1)]
    query = "SELECT id FROM parcels WHERE id <= ? ORDER BY id"
    async with connected(tmp_path) as connection:
        at_once = await connection.cursor().execute(query, (most,))
        assert await at_once.fetchall() == wanted
        assert await at_once.fetchall() == []

        one_by_one = await connection.cursor().execute(query, (most,))
        assert [await one_by_one.fetchone() for _ in wanted] == wanted
        assert await one_by_one.fetchone() is None

        in_parts, found = await connection.cursor().execute(query, (most,)), list[Any]()
        while part := await in_parts.fetchmany(70):
            found += part
        assert found == wanted

        each = await connection.cursor().execute(query, (most,))
        assert [row async for row in each] == wanted


async def test_an_ordinary_statement_takes_one_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with connected(tmp_path) as connection:
        turns, turn = list[str](), connection.turn

        async def counted(function: Callable[..., object], *arguments: object) -> object:
            turns.append(function.__name__)
            return await turn(function, *arguments)

        monkeypatch.setattr(connection, "turn", counted)
        cursor = connection.cursor()
        await cursor.execute("SELECT name FROM parcels WHERE id = ?", (7,))
        assert await cursor.fetchall() == [("parcel 7",)]
        await cursor.close()
        assert len(turns) == 1


async def test_what_a_change_did_is_told(tmp_path: Path) -> None:
    async with connected(tmp_path) as connection:
        inserted = await connection.cursor().execute("INSERT INTO parcels (name) VALUES ('new')")
        assert (inserted.lastrowid, inserted.rowcount, inserted.description) == (MANY + 1, 1, None)
        updated = await connection.cursor().execute("UPDATE parcels SET name = name || '!' WHERE id <= 5")
        assert updated.rowcount == 5
        returned = await connection.cursor().execute("DELETE FROM parcels WHERE id = 9 RETURNING name")
        assert await returned.fetchall() == [("parcel 9",)]
        assert returned.rowcount == 1


async def test_a_statement_that_fails_raises_what_sqlite_says_and_leaves_nothing_open(tmp_path: Path) -> None:
    async with connected(tmp_path) as connection:
        await connection.cursor().execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.IntegrityError):
            await connection.cursor().execute("INSERT INTO parcels (name) VALUES ('parcel 1')")
        with pytest.raises(sqlite3.IntegrityError):
            await connection.cursor().executemany("INSERT INTO parcels (name) VALUES (?)", [("parcel 2",)])
        await connection.rollback()
        await connection.cursor().execute("DROP TABLE parcels")


async def test_rows_that_nobody_reads_any_more_hold_up_no_change(tmp_path: Path) -> None:
    async with connected(tmp_path) as connection:
        cursor = await connection.cursor().execute("SELECT id FROM parcels")
        await cursor.close()
        assert await cursor.fetchall() == []
        await connection.cursor().execute("DROP TABLE parcels")


async def test_a_database_streams_and_rolls_back_through_them(tmp_path: Path) -> None:
    database = Database.open(f"sqlite+aiosqlite:///{tmp_path}/test.db", schema="test")
    try:
        async with database.transaction() as session:
            await session.execute(text("CREATE TABLE parcels (id INTEGER PRIMARY KEY)"))
            await session.execute(
                text("INSERT INTO parcels VALUES (:id)"), [{"id": number} for number in range(MANY)]
            )
        with contextlib.suppress(IntegrityError):
            async with database.transaction() as session:
                await session.execute(text("DELETE FROM parcels WHERE id > 5"))
                await session.execute(text("INSERT INTO parcels VALUES (1)"))
        async with database.reading() as session:
            rows = await session.stream(
                text("SELECT id FROM parcels ORDER BY id").execution_options(yield_per=30)
            )
            assert [row.id async for row in rows] == list(range(MANY))
    finally:
        await database.close()


async def test_a_cancelled_statement_leaves_the_connection_usable(tmp_path: Path) -> None:
    endless = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 3000000) SELECT max(i) FROM n"
    )
    async with connected(tmp_path) as connection:
        await connection.cursor().execute("BEGIN IMMEDIATE")
        task = asyncio.create_task(connection.cursor().execute(endless))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await connection.rollback()
        assert not connection.in_transaction
        await connection.cursor().execute("DROP TABLE parcels")
