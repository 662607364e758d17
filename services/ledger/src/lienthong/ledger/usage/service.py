"""Counts what is new in the log, a portion at a time, and answers how services are used."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from lienthong.ledger.repository import find_tree_head
from lienthong.ledger.service import mismatches
from lienthong.ledger.usage import repository
from lienthong.ledger.usage.domain import Usage, count

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from lienthong.kit.database import Database
    from lienthong.ledger.usage.domain import UsageQuery

PORTION: Final = 1_000
"""Entries that are counted in one transaction: tens of megabytes at most."""


class CallCounts:
    """The counts. They follow from the entries: whoever empties their tables gets the same again."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count_portion(self) -> bool:
        """Count the next entries; False when all were counted.

        Each entry is counted once, whatever is killed and however many processes count: its counts and how
        far they reach change in one transaction.

        Raises:
            LedgerMismatchError: the database has lost the tree head.
        """
        async with self._database.reading() as session:
            first = await repository.find_counted(session)
            size = await _size(session)
            entries = await repository.find_to_count(session, first, min(PORTION, size - first))
        if not entries:
            return False
        counts = await asyncio.to_thread(count, entries)
        async with self._database.transaction() as session:
            if await repository.find_counted(session, lock=True) == first:
                await repository.add_counts(session, counts)
                await repository.set_counted(session, entries[-1].index + 1)
        return True

    async def usage(self, query: UsageQuery) -> Usage:
        """How many calls there were.

        Raises:
            LedgerMismatchError: the database has lost the tree head.
        """
        async with self._database.reading() as session:
            groups = await repository.find_groups(session, query)
            number, together = await repository.sum_up(session, query)
            counted = await repository.find_counted(session)
            size = await _size(session)
        return Usage(groups, number, together.calls, together.refused, together.failed, counted, size)


async def _size(session: AsyncSession) -> int:
    head = await find_tree_head(session)
    if head is None:
        raise mismatches.tree_row_lost()
    return head.size
