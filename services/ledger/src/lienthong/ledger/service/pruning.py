"""How much of the journal may go: what has been in the log for long enough.

The journal is where the ledger reads again after its database was replaced by an older copy, so what is
sealed stays there for days. When which message was sealed is noted once an hour, in the log's own database:
an older copy of it knows of less, and lets less go.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from lienthong.ledger import repository
from lienthong.ledger.service import mismatches

if TYPE_CHECKING:
    from collections.abc import Callable

    from lienthong.kit.database import Database

NOTED_EVERY: Final = timedelta(hours=1)


class Pruning:
    """Knows what has been sealed for `kept`; `now` is a clock that does not jump forward."""

    def __init__(self, database: Database, now: Callable[[], datetime], kept: timedelta) -> None:
        self._database = database
        self._now = now
        self._kept = kept

    async def first_kept(self, stream: str) -> int | None:
        """The number of the first message of the journal that has to stay; None when all have to.

        `stream` is the journal as it is now: of another one than the log has read nothing may go. The last
        message that is in the log always stays, so that the two can be compared.

        Raises:
            LedgerMismatchError: the database has no tree head.
        """
        now = self._now()
        async with self._database.transaction() as session:
            # Locked: nobody begins again with the journal meanwhile.
            head = await repository.find_tree_head(session, lock=True)
            if head is None:
                raise mismatches.tree_row_lost()
            sequence = head.last_sequence_of(stream)
            if sequence == 0:
                return None
            newest = await repository.find_newest_seal(session, stream)
            if newest is None or now - newest >= NOTED_EVERY:
                await repository.note_seal(session, stream, sequence, now)
            first = await repository.find_sealed_before(session, stream, now - self._kept)
            if first is not None:
                await repository.forget_seals(session, before=first)
        return None if first is None else min(first, sequence)
