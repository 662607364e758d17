"""Queries of the counts. Each uses the session that it is given and never commits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import case, func, select, union_all, update
from sqlalchemy.dialects import postgresql, sqlite

from lienthong.kit.bulk import execute_many
from lienthong.ledger.models import call_counts, counted, entries, entry_hours
from lienthong.ledger.usage.domain import CountedEntry, UsageGroup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Column, ColumnElement, Insert
    from sqlalchemy.ext.asyncio import AsyncSession

    from lienthong.ledger.usage.domain import Counts, UsageQuery

_ONLY: Final = 1
_READ: Final = (
    entries.c.leaf_index,
    entries.c.kind,
    entries.c.client,
    entries.c.client_agency,
    entries.c.service,
    entries.c.provider_agency,
    entries.c.operation,
    entries.c.status,
    entries.c.error,
    entries.c.at,
    entries.c.data,
)


def _more_calls(insert: postgresql.Insert | sqlite.Insert) -> Insert:
    more = {"calls": call_counts.c.calls + insert.excluded.calls}
    return insert.on_conflict_do_update(index_elements=["hours", "start", "key"], set_=more)


def _wider_hours(insert: postgresql.Insert | sqlite.Insert) -> Insert:
    new, old = insert.excluded, entry_hours.c
    wider = {
        "first_index": case((new.first_index < old.first_index, new.first_index), else_=old.first_index),
        "last_index": case((new.last_index > old.last_index, new.last_index), else_=old.last_index),
    }
    return insert.on_conflict_do_update(index_elements=["start"], set_=wider)


_ADD: Final = {
    "sqlite": (_more_calls(sqlite.insert(call_counts)), _wider_hours(sqlite.insert(entry_hours))),
    "postgresql": (_more_calls(postgresql.insert(call_counts)), _wider_hours(postgresql.insert(entry_hours))),
}


async def find_counted(session: AsyncSession, *, lock: bool = False) -> int:
    """How many entries are counted; with `lock`, others that lock it wait until this transaction ends."""
    query = select(counted.c.entries).where(counted.c.id == _ONLY)
    number: int = (await session.execute(query.with_for_update() if lock else query)).scalar_one()
    return number


async def set_counted(session: AsyncSession, number: int) -> None:
    """Note how many entries are counted."""
    await session.execute(update(counted).where(counted.c.id == _ONLY).values(entries=number))


async def find_to_count(session: AsyncSession, first: int, most: int) -> Sequence[CountedEntry]:
    """The entries from `first` on, at most so many."""
    query = select(*_READ).where(entries.c.leaf_index.between(first, first + most - 1))
    rows = await session.execute(query.order_by(entries.c.leaf_index))
    return [CountedEntry(*row) for row in rows]


async def add_counts(session: AsyncSession, counts: Counts) -> None:
    """Add to what is counted."""
    more_calls, wider_hours = _ADD[session.get_bind().dialect.name]
    rows = (
        {
            "hours": hours,
            "start": start,
            "key": kind.key,
            "consumer": kind.consumer,
            "consumer_agency": kind.consumer_agency,
            "service": kind.service,
            "provider": kind.provider,
            "operation": kind.operation,
            "purpose": kind.purpose,
            "status": kind.status,
            "error": kind.error,
            "calls": number,
        }
        for (hours, start, kind), number in counts.calls.items()
    )
    await execute_many(session, more_calls, rows)
    spans = (
        {"start": hour, "first_index": first, "last_index": last}
        for hour, (first, last) in counts.hours.items()
    )
    await execute_many(session, wider_hours, spans)


async def find_groups(session: AsyncSession, query: UsageQuery) -> Sequence[UsageGroup]:
    """The largest groups, at most `query.limit`, by falling numbers of calls."""
    rows = _rows(query)
    by = [rows.c[name] for name in query.by]
    sums = _sums(rows)
    statement = select(*by, *sums).group_by(*by).order_by(sums[0].desc(), *by).limit(query.limit)
    found = await session.execute(statement)
    return [UsageGroup(tuple(row[: len(by)]), *map(int, row[len(by) :])) for row in found]


async def sum_up(session: AsyncSession, query: UsageQuery) -> tuple[int, UsageGroup]:
    """How many groups there are, and all of them as one."""
    rows = _rows(query)
    by = [rows.c[name] for name in query.by]
    groups = select(*by, *_sums(rows)).group_by(*by).subquery()
    columns = (groups.c.calls, groups.c.refused, groups.c.failed)
    statement = select(func.count(), *(func.coalesce(func.sum(column), 0) for column in columns))
    number, *sums = (await session.execute(statement.select_from(groups))).one()
    return number, UsageGroup((), *map(int, sums))


def _sums(rows: Any) -> Sequence[ColumnElement[int]]:  # noqa: ANN401 - a subquery's columns have no types
    def of_class(status: int) -> ColumnElement[int]:
        return func.coalesce(func.sum(case((rows.c.status == status, rows.c.calls), else_=0)), 0)

    return func.sum(rows.c.calls).label("calls"), of_class(4).label("refused"), of_class(5).label("failed")


def _rows(query: UsageQuery) -> Any:  # noqa: ANN401 - a subquery's columns have no types
    """The counts that match: a query for each side and part of the period, so that each has its index."""
    filters = [call_counts.c[name] == value for name, value in query.filters]
    return union_all(
        *(
            select(call_counts).where(
                *side,
                call_counts.c.hours == hours,
                call_counts.c.start >= start,
                call_counts.c.start < end,
                *filters,
            )
            for hours, start, end in query.period.spans
            for side in _sides(query)
        )
    ).subquery()


def _sides(query: UsageQuery) -> Sequence[Sequence[ColumnElement[bool]]]:
    if query.agencies is None:
        return [()]
    of = sorted(query.agencies)
    consumer: Column[str] = call_counts.c.consumer_agency
    # Calls within an agency are of both sides, and counted once.
    return [(consumer.in_(of),), (call_counts.c.provider.in_(of), consumer.not_in(of))]
