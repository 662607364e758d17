"""Queries on notices of logout. None commits."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from lienthong.identity.openid.models import logout_notices


@dataclass(frozen=True, slots=True)
class Notice:
    """An application that has to be told that a session has ended, and at which address."""

    id: str
    client_id: str
    address: str
    person_id: str
    session_id: str
    attempts: int
    due_at: datetime
    created_at: datetime


async def add(session: AsyncSession, notices: Sequence[Notice]) -> None:
    """Store notices."""
    rows = [{name: getattr(one, name) for name in Notice.__slots__} for one in notices]
    if rows:
        await session.execute(insert(logout_notices), rows)


async def due(
    session: AsyncSession, now: datetime, *, passed_over: Collection[str], of_each: int, limit: int
) -> list[tuple[str, str]]:
    """The ids of notices that are due, and their clients: at most `of_each` client, the first of each first;
    none of clients that are `passed_over`."""
    rank = func.row_number().over(
        partition_by=logout_notices.c.client_id, order_by=(logout_notices.c.due_at, logout_notices.c.id)
    )
    ranked = (
        select(logout_notices.c.id, logout_notices.c.client_id, logout_notices.c.due_at, rank.label("rank"))
        .where(logout_notices.c.due_at <= now, logout_notices.c.client_id.not_in(passed_over))
        .subquery()
    )
    first = select(ranked.c.id, ranked.c.client_id).where(ranked.c.rank <= of_each)
    rows = await session.execute(first.order_by(ranked.c.rank, ranked.c.due_at, ranked.c.id).limit(limit))
    return [(row.id, row.client_id) for row in rows]


async def take(
    session: AsyncSession, ids: Collection[str], *, now: datetime, again_at: datetime
) -> list[Notice]:
    """Take those of these notices that are still due: nobody else takes them before `again_at`, where they
    are due again."""
    free = (
        select(logout_notices.c.id)
        .where(logout_notices.c.id.in_(ids), logout_notices.c.due_at <= now)
        .order_by(logout_notices.c.id)
        .with_for_update(skip_locked=True)
    )
    rows = await session.execute(
        update(logout_notices)
        .where(logout_notices.c.id.in_(free.scalar_subquery()))
        .values(attempts=logout_notices.c.attempts + 1, due_at=again_at)
        .returning(*logout_notices.c)
    )
    return [_notice(row) for row in rows]


async def put_off(session: AsyncSession, notice_id: str, due_at: datetime) -> None:
    """Try a notice again later."""
    await session.execute(
        update(logout_notices).where(logout_notices.c.id == notice_id).values(due_at=due_at)
    )


async def remove(session: AsyncSession, notice_id: str) -> None:
    """Delete a notice: the application was told, or never will be."""
    await session.execute(delete(logout_notices).where(logout_notices.c.id == notice_id))


def _notice(row: Row[Any]) -> Notice:
    return Notice(**row._asdict())
