"""Queries of the seals: when which message of the journal was in the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, select

from lienthong.ledger.models import seals

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession


async def find_newest_seal(session: AsyncSession, stream: str) -> datetime | None:
    """When it was noted last how much of this journal is in the log; None if it never was."""
    query = select(func.max(seals.c.noted_at)).where(seals.c.journal_stream == stream)
    newest: datetime | None = (await session.execute(query)).scalar_one()
    return newest


async def note_seal(session: AsyncSession, stream: str, sequence: int, now: datetime) -> None:
    """Note that this journal is in the log up to this message; the first time counts."""
    place = (seals.c.journal_stream == stream, seals.c.journal_sequence == sequence)
    if (await session.execute(select(seals.c.noted_at).where(*place))).one_or_none() is None:
        row = {"journal_stream": stream, "journal_sequence": sequence, "noted_at": now}
        await session.execute(insert(seals).values(row))


async def find_sealed_before(session: AsyncSession, stream: str, moment: datetime) -> int | None:
    """The last message of this journal of which it was noted by this moment that it is in the log."""
    query = select(func.max(seals.c.journal_sequence)).where(
        seals.c.journal_stream == stream, seals.c.noted_at <= moment
    )
    sequence: int | None = (await session.execute(query)).scalar_one()
    return sequence


async def find_next_seal(session: AsyncSession, stream: str, after: int, moment: datetime) -> int | None:
    """The first message of this journal after this one of which it was noted by this moment."""
    query = select(func.min(seals.c.journal_sequence)).where(
        seals.c.journal_stream == stream, seals.c.journal_sequence > after, seals.c.noted_at <= moment
    )
    sequence: int | None = (await session.execute(query)).scalar_one()
    return sequence


async def forget_seals(
    session: AsyncSession, *, before: int | None = None, after: datetime | None = None
) -> None:
    """Forget what was noted: of messages before this one, or later than this moment, or everything."""
    query = delete(seals)
    if before is not None:
        query = query.where(seals.c.journal_sequence < before)
    if after is not None:
        query = query.where(seals.c.noted_at > after)
    await session.execute(query)
