"""Queries of searches: entries by what they say, and by whose they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import exists, false, func, or_, select, union, union_all

from lienthong.ledger.domain.search import LedgerEntry, Side
from lienthong.ledger.models import counted, entries, entry_hours, persons

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Column, ColumnElement, Select
    from sqlalchemy.ext.asyncio import AsyncSession

    from lienthong.ledger.domain.search import EntryQuery, Party, Reach

MOST_LOOKED_AT: Final = 10_000
"""Entries of a party that one search with further filters looks at: its cost does not grow with the log."""

_HOUR: Final = timedelta(hours=1)
_CALL, _OPENING = "call", "opening"
_END = entries.alias("ending")
_ENTRY = (entries.c.leaf_index, entries.c.data, entries.c.client, entries.c.provider_agency)
_SIDES: Final[dict[Side, Column[Any]]] = {
    Side.CLIENT: entries.c.client,
    Side.CLIENT_AGENCY: entries.c.client_agency,
    Side.PROVIDER_AGENCY: entries.c.provider_agency,
}


@dataclass(frozen=True, slots=True)
class FoundEntries:
    """Entries in their order. `looked_through` is the index of the last entry that was looked at, where the
    search ended before the log did."""

    items: Sequence[LedgerEntry]
    looked_through: int | None = None


async def find_entries(session: AsyncSession, query: EntryQuery) -> FoundEntries:
    """The entries that match, at most `query.limit`, by ascending or descending index.

    A search among the entries of parties ends after `MOST_LOOKED_AT` of one of them, and looks at none that
    are of other hours than asked for.
    """
    parties = query.parties
    if not parties or query.tx is not None or query.persons:
        # Few records, or all: they are found by what is asked for, not among all of a party.
        rows = await session.execute(_of_all(query, parties))
        return FoundEntries([_entry(row) for row in rows])
    ranges = await _ranges(session, query)
    edge = await _edge(session, query, parties, ranges) if query.filters_parties else None
    rows = await session.execute(_of_parties(query, parties, ranges, edge))
    return FoundEntries([_entry(row) for row in rows], edge)


async def find_entry(session: AsyncSession, index: int, within: Reach | None = None) -> LedgerEntry | None:
    """The entry at an index; None when there is none that the reader may see."""
    query = select(*_ENTRY).where(entries.c.leaf_index == index, *_of(within))
    row = (await session.execute(query)).one_or_none()
    return None if row is None else _entry(row)


async def find_entry_of_transaction(
    session: AsyncSession, tx: str, kind: str, within: Reach | None = None
) -> LedgerEntry | None:
    """The first entry of this kind with this transaction id, of those that the reader may see."""
    query = (
        select(*_ENTRY)
        .where(entries.c.tx == tx, entries.c.kind == kind, *_of(within))
        .order_by(entries.c.leaf_index)
        .limit(1)
    )
    row = (await session.execute(query)).one_or_none()
    return None if row is None else _entry(row)


def _of(within: Reach | None) -> list[ColumnElement[bool]]:
    """The condition that a record is of one of these parties; for few entries only."""
    return [] if within is None else [_of_any(within.parties)]


def _of_any(parties: Sequence[Party]) -> ColumnElement[bool]:
    # An expression instead of the bare column keeps SQLite from choosing the index that gives the order.
    return or_(
        false(),
        *(
            column.concat("").in_([party.value for party in parties if party.side is side])
            for side, column in _SIDES.items()
            if any(party.side is side for party in parties)
        ),
    )


async def _ranges(session: AsyncSession, query: EntryQuery) -> Sequence[Sequence[ColumnElement[bool]]]:
    """Where entries of the hours that are asked for may stand: those that are not counted yet anywhere."""
    if query.since is None and query.until is None:
        return [()]
    index, hours = entries.c.leaf_index, entry_hours.c
    within = [] if query.since is None else [hours.start > query.since - _HOUR]
    within += [] if query.until is None else [hours.start < query.until]
    known = select(func.min(hours.first_index), func.max(hours.last_index)).where(*within)
    first, last = (await session.execute(known)).one()
    done: int = (await session.execute(select(counted.c.entries))).scalar_one()
    ranges = [[index >= done]]
    return ranges if first is None else [*ranges, [index >= first, index <= last, index < done]]


async def _edge(
    session: AsyncSession,
    query: EntryQuery,
    parties: Sequence[Party],
    ranges: Sequence[Sequence[ColumnElement[bool]]],
) -> int | None:
    """Where the search ends at the latest: the first place at which enough of one party was looked at."""
    edges: list[int] = []
    for party in parties:
        looked_at = union_all(
            *(
                select(
                    _ordered(
                        select(entries.c.leaf_index).where(
                            _SIDES[party.side] == party.value, *_after(query), *range_
                        ),
                        query,
                        MOST_LOOKED_AT,
                    )
                    .subquery()
                    .c.leaf_index
                )
                for range_ in ranges
            )
        ).subquery()
        place = looked_at.c.leaf_index
        last = select(place).order_by(place.asc() if query.order == "asc" else place.desc())
        found: int | None = (
            await session.execute(last.limit(1).offset(MOST_LOOKED_AT - 1))
        ).scalar_one_or_none()
        if found is not None:
            edges.append(found)
    if not edges:
        return None
    return min(edges) if query.order == "asc" else max(edges)


def _of_all(query: EntryQuery, parties: Sequence[Party] | None) -> Select[Any]:
    of = [] if parties is None else [_of_any(parties)]
    return _ordered(select(*_ENTRY).where(*of, *_conditions(query)), query)


def _of_parties(
    query: EntryQuery,
    parties: Sequence[Party],
    ranges: Sequence[Sequence[ColumnElement[bool]]],
    edge: int | None,
) -> Select[Any]:
    conditions = _conditions(query)
    if edge is not None:
        index = entries.c.leaf_index
        conditions.append(index <= edge if query.order == "asc" else index >= edge)
    # One query per column and party, each on its own index and limited: an OR would sort every match.
    sides = [
        _ordered(
            select(entries.c.leaf_index).where(_SIDES[party.side] == party.value, *conditions, *range_), query
        ).subquery()
        for party in parties
        for range_ in ranges
    ]
    found = union(*(select(side.c.leaf_index) for side in sides)).subquery()
    return _ordered(select(*_ENTRY).join(found, found.c.leaf_index == entries.c.leaf_index), query)


def _ordered(statement: Select[Any], query: EntryQuery, limit: int | None = None) -> Select[Any]:
    column = entries.c.leaf_index
    order = column.asc() if query.order == "asc" else column.desc()
    return statement.order_by(order).limit(query.limit if limit is None else limit)


def _conditions(query: EntryQuery) -> list[ColumnElement[bool]]:
    selective = {entries.c.tx: query.tx, entries.c.client: query.client, entries.c.service: query.service}
    conditions: list[ColumnElement[bool]] = [
        column == value for column, value in selective.items() if value is not None
    ]
    # Nearly all entries are calls with status 200. An expression instead of the bare column keeps SQLite from
    # choosing the index of kind or status when a more selective filter is there.
    if query.persons:
        naming = select(persons.c.leaf_index).where(persons.c.person.in_(query.persons))
        conditions.append(entries.c.leaf_index.in_(naming))
    selected = bool(conditions) or query.parties is not None
    if query.kind is not None:
        conditions.append((entries.c.kind.concat("") if selected else entries.c.kind) == query.kind)
    if query.status is not None:
        conditions.append((entries.c.status + 0 if selected else entries.c.status) == query.status)
    if query.since is not None:
        conditions.append(entries.c.at >= query.since)
    if query.until is not None:
        conditions.append(entries.c.at < query.until)
    if query.unfinished:
        # Again an expression: the end is looked up by its transaction, of which there are few records.
        ended = exists().where(_END.c.tx == entries.c.tx, _END.c.kind.concat("") == _CALL)
        conditions += [entries.c.kind == _OPENING, ~ended]
    return conditions + _after(query)


def _after(query: EntryQuery) -> list[ColumnElement[bool]]:
    if query.after is None:
        return []
    index = entries.c.leaf_index
    return [index > query.after if query.order == "asc" else index < query.after]


def _entry(row: Any) -> LedgerEntry:  # noqa: ANN401 - SQLAlchemy types a row by its columns
    return LedgerEntry(row.leaf_index, row.data, row.client, row.provider_agency)
