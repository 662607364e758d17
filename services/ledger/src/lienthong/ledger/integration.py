"""How the log grows: journal messages in, leaves, tiles and a signed checkpoint out, in one transaction."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import structlog

from lienthong.ledger import repository
from lienthong.ledger.errors import LedgerMismatchError, OutOfOrderError
from lienthong.ledger.records import Record, Unusable, read_message
from lienthong.tlog import Checkpoint, Edge, grow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.ext.asyncio import AsyncSession

    from lienthong.kit.clock import Clock
    from lienthong.kit.database import Database
    from lienthong.ledger.records import Message
    from lienthong.ledger.repository import Head
    from lienthong.tlog import SigningKey

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class JournalMessage:
    """A message as the journal delivered it; `sequence` is its number in the stream."""

    sequence: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Integrated:
    """What integrating a batch did: the head afterwards, and the records that were new, known or unusable."""

    head: Head
    added: int = 0
    known: int = 0
    quarantined: int = 0


@dataclass(slots=True)
class _Sorting:
    """A batch's records, told apart by what becomes of them."""

    fresh: list[Record] = field(default_factory=list)
    known: int = 0
    unusable: list[tuple[int, int, Unusable]] = field(default_factory=list)


class Integrator:
    """The one who appends.

    Several may run by mistake: each takes the lock of the head first, so that they cannot fork the log.
    """

    def __init__(self, database: Database, key: SigningKey, origin: str, clock: Clock) -> None:
        self._database = database
        self._key = key
        self._origin = origin
        self._clock = clock
        self._edge = Edge()

    async def integrate(
        self, stream: str, messages: Sequence[JournalMessage], *, missing_before: int | None = None
    ) -> Integrated:
        """Append the records of messages of the stream that are not yet in the log; all of them or none.

        Messages must follow the last integrated one without a gap. `missing_before` is the sequence of a
        message before which the journal is known to have lost messages: that loss is kept in the quarantine.

        Raises:
            OutOfOrderError: a message is missing before one of these; nothing was changed.
            LedgerMismatchError: what is stored is not a tree any more; nothing was changed.
        """
        prepared = await asyncio.to_thread(_prepare, messages)
        async with self._database.transaction() as session:
            head = await repository.find_head(session, lock=True)
            if head is None:
                raise LedgerMismatchError("the ledger's database has lost the head of the log")
            after = head.after(stream)
            pending = [message for message in prepared if message.sequence > after]
            if not pending:
                return Integrated(head)
            lost = _check_order(after, pending, missing_before)
            sorting = await _sort(session, pending)
            sorting.unusable[:0] = lost
            edge, new_head = await self._append(session, head, sorting.fresh)
            new_head = replace(new_head, journal_stream=stream, journal_sequence=pending[-1].sequence)
            if sorting.unusable:
                await repository.put_in_quarantine(session, sorting.unusable, self._clock.now())
            if not await repository.replace_head(session, head, new_head):
                raise LedgerMismatchError("another process has written to the log without taking its lock")
        self._edge = edge
        for sequence, position, item in sorting.unusable:
            _log.error(
                "journal record in quarantine", sequence=sequence, position=position, reason=item.reason
            )
        return Integrated(new_head, len(sorting.fresh), sorting.known, len(sorting.unusable))

    async def _append(
        self, session: AsyncSession, head: Head, records: Sequence[Record]
    ) -> tuple[Edge, Head]:
        edge = self._edge
        if edge.size != head.size or edge.root != head.root:
            edge = await repository.find_edge(session, head.size)
            if edge.root != head.root:
                raise LedgerMismatchError(
                    f"the stored tiles do not give the root of the log at size {head.size}"
                )
        if not records:
            return edge, head
        growth = grow(edge, [record.leaf for record in records])
        await repository.append_entries(session, head.size, records)
        await repository.put_tiles(session, edge, growth.tiles)
        root = growth.edge.root
        checkpoint = Checkpoint(self._origin, growth.edge.size, root).signed(self._key)
        now = self._clock.now()
        return growth.edge, replace(
            head, size=growth.edge.size, root=root, checkpoint=checkpoint, signed_at=now
        )


def _prepare(messages: Iterable[JournalMessage]) -> list[Message]:
    return [read_message(message.sequence, message.payload) for message in messages]


def _check_order(
    after: int, pending: Sequence[Message], missing_before: int | None
) -> list[tuple[int, int, Unusable]]:
    """Refuse gaps, but for those before a message that is known to come first; tell of these."""
    lost: list[tuple[int, int, Unusable]] = []
    for message in pending:
        if message.sequence != after + 1:
            if message.sequence != missing_before:
                raise OutOfOrderError(after + 1, message.sequence)
            reason = f"the journal has lost its messages {after + 1} to {message.sequence - 1}"
            lost.append((after + 1, 0, Unusable(b"", reason)))
        after = message.sequence
    return lost


async def _sort(session: AsyncSession, messages: Sequence[Message]) -> _Sorting:
    ids = [
        record.record_id for message in messages for record in message.records if isinstance(record, Record)
    ]
    seen = await repository.find_data_of(session, ids)
    sorting = _Sorting()
    for message in messages:
        for position, record in enumerate(message.records):
            if isinstance(record, Unusable):
                sorting.unusable.append((message.sequence, position, record))
            elif record.record_id not in seen:
                seen[record.record_id] = record.data
                sorting.fresh.append(record)
            elif seen[record.record_id] == record.data:
                sorting.known += 1
            else:
                reason = f"the log has another record with the id {record.record_id}"
                sorting.unusable.append((message.sequence, position, Unusable(record.data, reason)))
    return sorting
