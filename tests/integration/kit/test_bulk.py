"""Bulk inserts on a real PostgreSQL: cancelled at any moment they end, and leave no lock behind."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from lienthong.kit.bulk import execute_many
from lienthong.kit.database import Database, new_metadata
from lienthong.kit.engines import NO_LIMITS, Limits, create_engine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy import Insert
    from sqlalchemy.ext.asyncio import AsyncSession

CANCELS = 100
SCHEMA = "bulk_test"
metadata = new_metadata()
locks = sa.Table("lock", metadata, sa.Column("id", sa.Integer, primary_key=True))
rows = sa.Table(
    "row",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("data", sa.LargeBinary),
    *(sa.Column(f"text_{number}", sa.String(255)) for number in range(8)),
)
MANY: list[dict[str, Any]] = [
    {"id": number, "data": b"x" * 500, **{f"text_{column}": "value" * 4 for column in range(8)}}
    for number in range(500)
]


class UndoError(Exception):
    pass


@pytest.fixture
async def database(postgres_database: str) -> AsyncIterator[Database]:
    opened = Database(
        create_engine(postgres_database, schema=SCHEMA, limits=Limits(command=2.0)), schema=SCHEMA
    )
    async with opened.transaction() as session:
        await session.execute(sa.text(f"CREATE SCHEMA {SCHEMA}"))
        await session.run_sync(lambda sync: metadata.create_all(sync.connection()))
        await session.execute(sa.insert(locks).values(id=1))
    yield opened
    await opened.close()


async def insert_under_lock(database: Database) -> None:
    async with database.transaction() as session:
        await session.execute(sa.select(locks).with_for_update())
        await execute_many(session, sa.insert(rows), MANY)


async def execute_at_once(session: AsyncSession, statement: Insert, values: list[dict[str, Any]]) -> None:
    """What code does that does not know of the kit's function."""
    await session.execute(statement, values)


async def insert_and_undo(database: Database, execute: Any = execute_many) -> None:  # noqa: ANN401
    with contextlib.suppress(UndoError):
        async with database.transaction() as session:
            await session.execute(sa.select(locks).with_for_update())
            await execute(session, sa.insert(rows), MANY)
            raise UndoError


async def count(database: Database) -> int:
    async with database.reading() as session:
        return int((await session.execute(sa.select(sa.func.count()).select_from(rows))).scalar_one())


@pytest.mark.parametrize("execute", [execute_many, execute_at_once])
async def test_a_bulk_insert_ends_whenever_it_is_cancelled(
    database: Database,
    postgres_database: str,
    execute: Any,  # noqa: ANN401
) -> None:
    # Without a time-out for commands: nothing but the cancellation may end it.
    patient = Database(create_engine(postgres_database, schema=SCHEMA, limits=NO_LIMITS), schema=SCHEMA)
    began = time.monotonic()
    await insert_and_undo(patient, execute)
    whole = time.monotonic() - began
    moments = random.Random(7)  # noqa: S311 - moments to cancel at, not secrets
    for _ in range(CANCELS):
        task = asyncio.create_task(insert_and_undo(patient, execute))
        await asyncio.sleep(moments.random() * whole)
        task.cancel()
        # The next one waits for the lock: one that never ends would hold it for ever.
        done, _ = await asyncio.wait([task], timeout=20)
        assert done
    assert await count(patient) == 0
    await insert_under_lock(patient)
    assert await count(patient) == len(MANY)
    await patient.close()


async def test_a_statement_that_waits_too_long_ends_with_a_time_out_and_frees_its_connection(
    database: Database, postgres_database: str
) -> None:
    holder = Database.open(postgres_database, schema=SCHEMA)
    async with holder.transaction() as session:
        await session.execute(sa.select(locks).with_for_update())
        for _ in range(3):
            with pytest.raises(TimeoutError):
                await insert_under_lock(database)
    await insert_under_lock(database)
    assert await count(database) == len(MANY)
    await holder.close()
