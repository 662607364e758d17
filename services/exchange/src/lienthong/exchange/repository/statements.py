"""Statements that SQLite and PostgreSQL know under different imports."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy.dialects import postgresql, sqlite

from lienthong.kit.bulk import execute_many

if TYPE_CHECKING:
    from sqlalchemy import CursorResult, Insert, Table
    from sqlalchemy.ext.asyncio import AsyncSession


def insert_into(session: AsyncSession, table: type[Any]) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that may say what happens on a conflict."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    return insert(table)


async def insert_missing(session: AsyncSession, table: type[Any], rows: list[dict[str, Any]]) -> None:
    """Insert rows; those whose key is there already stay as they are.

    In key order (the callers sort), so that two replicas cannot wait for each other.
    """
    await execute_many(session, insert_into(session, table).on_conflict_do_nothing(), rows)


async def insert_or_replace(
    session: AsyncSession, table: type[Any], key: str, rows: list[dict[str, Any]]
) -> None:
    """Insert rows with a value for each column; those whose key is there already are replaced.

    In key order, as above.
    """
    await execute_many(session, replacing(session.get_bind().dialect.name, table.__table__, key), rows)


@cache
def replacing(dialect: str, table: Table, key: str) -> Insert:
    """The statement of `insert_or_replace`; made once, for that takes longer than executing it."""
    insert = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    changes = {column.name: insert.excluded[column.name] for column in table.columns if column.name != key}
    return insert.on_conflict_do_update(index_elements=[key], set_=changes)


def changed(result: object) -> int:
    """How many rows a statement has changed or deleted."""
    cursor: CursorResult[Any] = result  # type: ignore[assignment]
    return cursor.rowcount
