"""All statements that find entries. Each works in the session that it is given and never writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import select, union

from lienthong.ledger.models import entries, quarantine

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True, slots=True)
class Query:
    """What entries are looked for; what is None does not matter.

    `agency` is on either side of the call. `since` is included, `until` is not. `after` is the index of the
    last entry of the page before: paging goes by index, so it is stable while the log grows.
    """

    limit: int
    order: Literal["asc", "desc"] = "desc"
    tx: str | None = None
    client: str | None = None
    service: str | None = None
    agency: str | None = None
    kind: str | None = None
    status: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A leaf and whose it is."""

    index: int
    data: bytes
    client: str | None
    provider_agency: str | None


@dataclass(frozen=True, slots=True)
class Quarantined:
    """What could not become an entry."""

    id: int
    journal_sequence: int
    position: int
    reason: str
    data: bytes
    received_at: datetime


_ENTRY = (entries.c.leaf_index, entries.c.data, entries.c.client, entries.c.provider_agency)


async def find_entries(session: AsyncSession, query: Query) -> list[Entry]:
    """At most `query.limit` entries, in the order of the log or against it."""
    rows = await session.execute(_statement(query))
    return [_entry(row) for row in rows]


async def find_entry(session: AsyncSession, index: int) -> Entry | None:
    """The entry at an index."""
    row = (await session.execute(select(*_ENTRY).where(entries.c.leaf_index == index))).one_or_none()
    return None if row is None else _entry(row)


async def find_entry_of(session: AsyncSession, tx: str, kind: str) -> Entry | None:
    """The first entry of this kind with this transaction id."""
    query = (
        select(*_ENTRY)
        .where(entries.c.tx == tx, entries.c.kind == kind)
        .order_by(entries.c.leaf_index)
        .limit(1)
    )
    row = (await session.execute(query)).one_or_none()
    return None if row is None else _entry(row)


async def find_quarantined(session: AsyncSession, after: int, limit: int) -> Sequence[Quarantined]:
    """What is in quarantine, oldest first."""
    query = select(quarantine).where(quarantine.c.id > after).order_by(quarantine.c.id).limit(limit)
    return [
        Quarantined(
            id=row.id,
            journal_sequence=row.journal_sequence,
            position=row.position,
            reason=row.reason,
            data=row.data,
            received_at=row.received_at,
        )
        for row in await session.execute(query)
    ]


def _statement(query: Query) -> Select[Any]:
    if query.agency is None:
        return _ordered(select(*_ENTRY).where(*_conditions(query)), query)
    # Each side by its own index, no more rows than are wanted: one OR over both would sort everything.
    sides = [
        _ordered(
            select(entries.c.leaf_index).where(column == query.agency, *_conditions(query)), query
        ).subquery()
        for column in (entries.c.client_agency, entries.c.provider_agency)
    ]
    found = union(*(select(side.c.leaf_index) for side in sides)).subquery()
    return _ordered(select(*_ENTRY).join(found, found.c.leaf_index == entries.c.leaf_index), query)


def _ordered(statement: Select[Any], query: Query) -> Select[Any]:
    column = entries.c.leaf_index
    return statement.order_by(column.asc() if query.order == "asc" else column.desc()).limit(query.limit)


def _conditions(query: Query) -> list[ColumnElement[bool]]:
    selective = {entries.c.tx: query.tx, entries.c.client: query.client, entries.c.service: query.service}
    conditions: list[ColumnElement[bool]] = [
        column == value for column, value in selective.items() if value is not None
    ]
    # Nearly all entries are calls with status 200: beside a selective filter, SQLite must not take the index
    # of these for the better one.
    selected = bool(conditions) or query.agency is not None
    if query.kind is not None:
        conditions.append((entries.c.kind.concat("") if selected else entries.c.kind) == query.kind)
    if query.status is not None:
        conditions.append((entries.c.status + 0 if selected else entries.c.status) == query.status)
    if query.since is not None:
        conditions.append(entries.c.at >= query.since)
    if query.until is not None:
        conditions.append(entries.c.at < query.until)
    if query.after is not None:
        index = entries.c.leaf_index
        conditions.append(index > query.after if query.order == "asc" else index < query.after)
    return conditions


def _entry(row: Any) -> Entry:  # noqa: ANN401 - SQLAlchemy types a row by its columns
    return Entry(row.leaf_index, row.data, row.client, row.provider_agency)
