"""How the log grows: journal messages in, entries, tiles and a signed checkpoint out, in one transaction."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog

from lienthong.ledger import repository
from lienthong.ledger.domain.integration import (
    Quarantining,
    check_repeated,
    find_losses,
    record_ids,
    replaced,
    sort_records,
)
from lienthong.ledger.domain.records import UnusableRecord, read_message
from lienthong.ledger.service import mismatches
from lienthong.tlog import Checkpoint, RightEdge, grow, right_edge_tiles

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession

    from lienthong.kit.clock import Clock
    from lienthong.kit.database import Database
    from lienthong.ledger.domain.records import JournalBatch, JournalRecord
    from lienthong.ledger.domain.tree_head import TreeHead
    from lienthong.ledger.events import JournalMessage
    from lienthong.ledger.service.startup import LogSigner

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Integrated:
    """The result of a transaction: the new tree head, and how many records were added, known or unusable."""

    head: TreeHead
    added: int = 0
    known: int = 0
    quarantined: int = 0


class Integrator:
    """Appends the records of journal messages to the log.

    Each transaction locks the tree head first, so that two integrators on one database cannot fork the log.
    """

    def __init__(self, database: Database, signer: LogSigner, clock: Clock) -> None:
        self._database = database
        self._signer = signer
        self._clock = clock
        self._edge = RightEdge()

    async def position(self) -> TreeHead:
        """How much of the journal is in the log.

        Raises:
            LedgerMismatchError: the database has no tree head.
        """
        async with self._database.reading() as session:
            return await _tree_head(session)

    async def has(self, message: JournalMessage) -> bool:
        """Whether every usable record of a journal message is in the log."""
        wanted = record_ids([read_message(message)])
        async with self._database.reading() as session:
            return len(await repository.find_indexes(session, wanted)) == len(set(wanted))

    async def begin_again(self, why: str) -> None:
        """Have the journal integrated from its first message: its records that are in the log are known.

        It is told in quarantine, as a message under the number of the last one that is in the log.

        Raises:
            LedgerMismatchError: the database has no tree head, or another process writes to it.
        """
        async with self._database.transaction() as session:
            head = await _tree_head(session, lock=True)
            reason = f"the journal's history changed, it is read again from its first message: {why}"
            told = Quarantining(head.journal_sequence, 0, UnusableRecord(b"", reason))
            await repository.put_in_quarantine(session, [told], self._clock.now())
            # What was noted is of other messages under the same numbers.
            await repository.forget_seals(session)
            if not await repository.replace_tree_head(
                session,
                head,
                replace(head, journal_sequence=0, journal_mark=None, journal_read_through=None),
            ):
                raise mismatches.foreign_writer()
        _log.error("the journal's history changed, it is read again from its first message", why=why)

    async def note_read_through(self, head: TreeHead, moment: datetime) -> None:
        """Note that the journal had nothing more at this moment, while this was the tree head."""
        async with self._database.transaction() as session:
            # Another one is stored when the log has grown meanwhile: then that one says it.
            await repository.replace_tree_head(session, head, replace(head, journal_read_through=moment))

    async def integrate(
        self,
        stream: str,
        messages: Sequence[JournalMessage],
        *,
        missing_before: Collection[int] = (),
        read_through: datetime | None = None,
    ) -> Integrated:
        """Append the records of messages of the stream that are not yet in the log; all of them or none.

        Messages must follow the last integrated one without a gap; those up to it may come again.
        `missing_before` are the numbers of messages before which the journal is known to have lost others:
        these losses are noted in quarantine. `read_through` is when the journal took the last of these.

        Raises:
            OutOfOrderError: a message is missing before one of these; nothing was changed.
            JournalChangedError: one that came again is not the one that is in the log; nothing was changed.
            LedgerMismatchError: the database does not hold the signed tree any more; nothing was changed.
        """
        batches = await asyncio.to_thread(_read, messages)
        async with self._database.transaction() as session:
            head = await _tree_head(session, lock=True)
            last = head.last_sequence_of(stream)
            pending = [batch for batch in batches if batch.sequence > last]
            stored = await repository.find_data_of(session, record_ids(batches))
            check_repeated([batch for batch in batches if batch.sequence <= last], stored)
            if not pending:
                return Integrated(head)
            losses = find_losses(last, pending, missing_before=missing_before)
            if head.journal_stream not in {"", stream}:
                losses.insert(0, replaced(head, stream))
            records = sort_records(pending, stored)
            quarantine = [*losses, *records.quarantine]
            edge, new_head = await self._append(session, head, records.new)
            end = pending[-1]
            new_head = replace(
                new_head,
                journal_stream=stream,
                journal_sequence=end.sequence,
                journal_mark=end.mark,
                journal_read_through=read_through,
            )
            if quarantine:
                await repository.put_in_quarantine(session, quarantine, self._clock.now())
            if not await repository.replace_tree_head(session, head, new_head):
                raise mismatches.foreign_writer()
        self._edge = edge
        for item in quarantine:
            _log.error(
                "journal record in quarantine",
                sequence=item.journal_sequence,
                position=item.position,
                reason=item.record.reason,
            )
        return Integrated(new_head, len(records.new), records.known, len(quarantine))

    async def _append(
        self, session: AsyncSession, head: TreeHead, records: Sequence[JournalRecord]
    ) -> tuple[RightEdge, TreeHead]:
        edge = self._edge
        if edge.size != head.size or edge.root != head.root:
            edge = await repository.find_right_edge(session, head.size)
            if edge.root != head.root:
                raise mismatches.other_tiles(right_edge_tiles(head.size), head.size)
        if not records:
            return edge, head
        growth = grow(edge, [record.leaf for record in records])
        await repository.append_entries(session, head.size, records)
        await repository.put_tiles(session, edge, growth.tiles)
        size, root = growth.edge.size, growth.edge.root
        checkpoint = Checkpoint(self._signer.origin, size, root).signed(self._signer.key)
        now = self._clock.now()
        return growth.edge, replace(head, size=size, root=root, checkpoint=checkpoint, signed_at=now)


def _read(messages: Iterable[JournalMessage]) -> list[JournalBatch]:
    return [read_message(message) for message in messages]


async def _tree_head(session: AsyncSession, *, lock: bool = False) -> TreeHead:
    head = await repository.find_tree_head(session, lock=lock)
    if head is None:
        raise mismatches.tree_row_lost()
    return head
