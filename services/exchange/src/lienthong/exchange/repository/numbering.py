"""Queries about how the stream's sequences are numbered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from sqlalchemy import select

from lienthong.exchange.domain.numbering import Numbering, Span
from lienthong.exchange.events import STREAM
from lienthong.exchange.models import EventStream
from lienthong.exchange.repository.statements import insert_or_replace

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession


_GENERATION: Final = select(EventStream.generation).where(EventStream.name == STREAM)
_GENERATION_SHARED: Final = _GENERATION.with_for_update(read=True)


class NumberingRepository:
    """The one numbering there is."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def read(self, lock: Literal["share", "change"] | None = None) -> Numbering:
        """The numbering; with a lock nobody else changes it before the transaction ends.

        Any number of transactions may `share` the lock; who is going to change the numbering takes it alone.
        """
        query = select(EventStream).where(EventStream.name == STREAM)
        if lock is not None:
            query = query.with_for_update(read=lock == "share")
        row = (await self._session.scalars(query)).one_or_none()
        if row is None:
            return Numbering()
        spans = tuple(Span(sequence, number) for sequence, number in row.spans)
        return Numbering(row.generation, row.created, spans)

    async def generation(self, *, shared: bool) -> int:
        """That of the numbering; `shared` with a lock, as `read`."""
        found = await self._session.execute(_GENERATION_SHARED if shared else _GENERATION)
        generation: int | None = found.scalar_one_or_none()
        return Numbering().generation if generation is None else generation

    async def write(self, numbering: Numbering) -> None:
        """Replace the numbering."""
        spans = [[span.first_sequence, span.first_number] for span in numbering.spans]
        row = {
            "name": STREAM,
            "generation": numbering.generation,
            "created": numbering.created,
            "spans": spans,
        }
        await insert_or_replace(self._session, EventStream, "name", [row])
