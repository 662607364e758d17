"""Compares the search index with the records that it was taken from, a portion at a time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from lienthong.ledger import repository
from lienthong.ledger.domain.search_index import ROW, IndexDifference, IndexedEntry, IndexPortion, compare
from lienthong.ledger.service import mismatches

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from lienthong.kit.database import Database

PORTION: Final = 256
"""Entries that are looked at together: a bundle, 16 MiB at most."""


class IndexCheck:
    """The check; each portion is read in a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def portion(self, first: int) -> IndexPortion:
        """What differs in the entries from `first` on; nothing is left where the log ends before them.

        Raises:
            LedgerMismatchError: the database has lost the tree head.
        """
        async with self._database.reading() as session:
            head = await repository.find_tree_head(session)
            if head is None:
                raise mismatches.tree_row_lost()
            last = min(first + PORTION, head.size) - 1
            if last < first:
                return IndexPortion(first, 0, (), None)
            entries, unreadable = await _read(session, first, last)
            ids = [str(entry.columns["record_id"]) for entry in entries.values()]
            transactions = [str(entry.columns["tx"]) for entry in entries.values() if entry.columns["tx"]]
            led_to = {
                "record_id": set((await repository.find_indexes(session, ids)).values()),
                "tx": await repository.find_indexes_of_transactions(session, transactions, first, last),
            }
        found = await asyncio.to_thread(compare, first, last, entries, led_to)
        differences = [item for item in found if not (item.column == ROW and item.index in unreadable)] + [
            IndexDifference(index, ROW, why, "a record") for index, why in unreadable.items()
        ]
        return IndexPortion(
            first,
            last - first + 1,
            sorted(differences, key=lambda item: (item.index, item.column)),
            last + 1 if last + 1 < head.size else None,
        )


async def _read(
    session: AsyncSession, first: int, last: int
) -> tuple[dict[int, IndexedEntry], dict[int, str]]:
    """The rows, and of those that cannot be read, why."""
    try:
        return await repository.find_indexed(session, first, last), {}
    except (ValueError, TypeError):
        entries: dict[int, IndexedEntry] = {}
        unreadable: dict[int, str] = {}
        for index in range(first, last + 1):
            try:
                entries |= await repository.find_indexed(session, index, index)
            except (ValueError, TypeError) as error:
                unreadable[index] = f"cannot be read: {error}"[:300]
        return entries, unreadable
