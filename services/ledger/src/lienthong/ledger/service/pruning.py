"""How much of the journal may go: what has been in the log for long enough.

The journal is where the ledger reads again after its database was replaced by an older copy, so what is
sealed stays there for days. When which message was sealed is noted once an hour, in the log's own database:
an older copy of it knows of less, and lets less go.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import structlog

from lienthong.ledger import repository
from lienthong.ledger.service import mismatches

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.ext.asyncio import AsyncSession

    from lienthong.kit.database import Database
    from lienthong.ledger.domain.tree_head import TreeHead

NOTED_EVERY: Final = timedelta(hours=1)
_CLOCK_WRONG: Final = timedelta(hours=1)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Prunable:
    """`first` is the first message that has to stay in the journal, while the journal is the one that was
    read: its message `read`, the last one in the log, has this mark (None: not known)."""

    first: int
    read: int
    mark: bytes | None


class Pruning:
    """Knows what has been sealed for `kept`; `now` is a clock that does not jump forward, `wall` the one
    that it is compared with."""

    def __init__(
        self,
        database: Database,
        now: Callable[[], datetime],
        kept: timedelta,
        *,
        wall: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._now = now
        self._kept = kept
        self._wall = wall

    async def long_sealed(self, stream: str) -> Prunable | None:
        """What has been in the log for long enough; None when all has to stay. It is noted how much is now.

        `stream` says when the journal was created, as it is now: of another one than the log has read nothing
        may go. The last message that is in the log always stays, so that the two can be compared.

        Raises:
            LedgerMismatchError: the database has no tree head.
        """
        now = self._now()
        self._tell_of_other_clock(now)
        if datetime.fromisoformat(stream) - now > _CLOCK_WRONG:
            # A note under such a time would count for old as soon as the clock is set.
            _log.error("the journal is not pruned: the clock is before its creation", clock=now, made=stream)
            return None
        async with self._database.transaction() as session:
            # Locked: nobody begins again with the journal meanwhile.
            head = await _tree_head(session)
            sequence = head.last_sequence_of(stream)
            if sequence == 0:
                return None
            await _note(session, stream, sequence, now)
            first = await repository.find_sealed_before(session, stream, now - self._kept)
            if first is not None:
                await repository.forget_seals(session, before=first)
        return _prunable(head, first)

    async def next_sealed(self, stream: str, after: int) -> Prunable | None:
        """The next that could go after this message, oldest first: all that has been in the log for an hour.

        None when nothing has.

        Raises:
            LedgerMismatchError: the database has no tree head.
        """
        async with self._database.transaction() as session:
            head = await _tree_head(session)
            if head.last_sequence_of(stream) == 0:
                return None
            moment = self._now() - NOTED_EVERY
            return _prunable(head, await repository.find_next_seal(session, stream, after, moment))

    def _tell_of_other_clock(self, now: datetime) -> None:
        ahead = self._wall() - now
        if ahead >= _CLOCK_WRONG:
            _log.error(
                "the clock was set forward since the start, the journal is pruned by the time before: "
                "if it was wrong at the start, start the ledger again",
                ahead_s=ahead.total_seconds(),
            )


async def _note(session: AsyncSession, stream: str, sequence: int, now: datetime) -> None:
    """Note how much is in the log, if it was not within the last hour."""
    # Noted while the clock was ahead.
    await repository.forget_seals(session, after=now)
    newest = await repository.find_newest_seal(session, stream)
    if newest is None or now - newest >= NOTED_EVERY:
        await repository.note_seal(session, stream, sequence, now)


def _prunable(head: TreeHead, first: int | None) -> Prunable | None:
    read = head.journal_sequence
    return None if first is None else Prunable(min(first, read), read, head.journal_mark)


async def _tree_head(session: AsyncSession) -> TreeHead:
    head = await repository.find_tree_head(session, lock=True)
    if head is None:
        raise mismatches.tree_row_lost()
    return head
