"""Which records of administrative acts the log has of a service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from lienthong.ledger import repository
from lienthong.ledger.service import mismatches

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from lienthong.kit.database import Database

MOST: Final = 200
"""How many records one answer looks at: together they may have 12 MB."""
LARGEST_INDEX: Final = 2**63 - 1


class _Record(msgspec.Struct):
    node: Any = None


@dataclass(frozen=True, slots=True)
class Act:
    """The record of an act, and when it happened, where it says so."""

    record_id: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class FoundActs:
    """Acts in the order of the log; all entries before `looked_through` were looked at."""

    acts: Sequence[Act]
    looked_through: int
    size: int


class Acts:
    """Lists them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, node: str, first: int) -> FoundActs:
        """The acts of a service from the entry `first` on, a portion.

        Raises:
            LedgerMismatchError: the database has lost the tree head.
        """
        async with self._database.reading() as session:
            head = await repository.find_tree_head(session)
            if head is None:
                raise mismatches.tree_row_lost()
            rows = await repository.find_acts(session, first, MOST) if first < head.size else ()
        through = rows[-1].leaf_index + 1 if len(rows) == MOST else head.size
        decoder = msgspec.json.Decoder(_Record)
        acts = [Act(row.record_id, row.at) for row in rows if decoder.decode(row.data).node == node]
        return FoundActs(acts, through, head.size)
