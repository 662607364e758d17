"""A database without room is told from one that fails otherwise."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError

from lienthong.kit.database import Database
from lienthong.kit.engines import is_without_room

if TYPE_CHECKING:
    from pathlib import Path


async def test_sqlite_without_room_is_told_rolls_back_and_goes_on(tmp_path: Path) -> None:
    database = Database.open(f"sqlite+aiosqlite:///{tmp_path}/small.db", schema="small")
    insert = sa.text("INSERT INTO small VALUES (:number, :text)")
    async with database.transaction() as session:
        await session.execute(sa.text("CREATE TABLE small (number INTEGER PRIMARY KEY, text)"))

    async def fill() -> None:
        async with database.transaction() as session:
            # SQLITE_FULL, as on a full disk.
            await session.execute(sa.text("PRAGMA max_page_count = 20"))
            for number in range(100):
                await session.execute(insert, {"number": number, "text": "x" * 4000})

    with pytest.raises(DBAPIError) as full:
        await fill()
    assert is_without_room(full.value)
    async with database.transaction() as session:
        await session.execute(sa.text("PRAGMA max_page_count = 1000000"))
        assert (await session.execute(sa.text("SELECT count(*) FROM small"))).scalar_one() == 0
        await session.execute(insert, {"number": 1, "text": "x"})
        with pytest.raises(IntegrityError) as twice:
            await session.execute(insert, {"number": 1, "text": "x"})
    assert not is_without_room(twice.value)
    await database.close()


def test_what_postgresql_says() -> None:
    for state, expected in (("53100", True), ("53200", False), (None, False)):
        error = sqlite3.OperationalError()
        error.sqlstate = state  # type: ignore[attr-defined]
        assert is_without_room(DBAPIError("INSERT", None, error)) is expected
