"""Reading the log: its checkpoint, tiles, entries, searches and receipts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lienthong.kit.metrics.instruments import CHECKPOINT_AGE, LEDGER_SIZE, QUARANTINE
from lienthong.ledger import repository
from lienthong.ledger.domain.search import ResultPage
from lienthong.ledger.errors import (
    not_a_party,
    not_yet_recorded,
    unknown_entry,
    unknown_tile,
)
from lienthong.ledger.service import mismatches
from lienthong.tlog import ENTRIES, MalformedTileError, Receipt, TileAddress, inclusion_proof, inclusion_tiles

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from lienthong.kit.access import Caller
    from lienthong.kit.clock import Clock
    from lienthong.kit.database import Database
    from lienthong.kit.metrics.figures import Figures
    from lienthong.kit.metrics.instruments import Instrument
    from lienthong.ledger.domain.search import EntryQuery, LedgerEntry, QuarantinedRecord, Reach
    from lienthong.ledger.domain.tree_head import TreeHead

READ_SCOPE = "audit:read"
CALL = "call"
MOST_COUNTED = 10_000
"""Records in quarantine that are counted; no more matter to anyone."""


class AuditLog:
    """The log as readers see it. Tiles only grow, so reading needs no lock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def checkpoint(self) -> str:
        """The newest signed checkpoint."""
        async with self._database.reading() as session:
            return (await _tree_head(session)).checkpoint

    async def measures(self, clock: Clock) -> dict[str, float]:
        """How large the log is, how many seconds old its checkpoint, and how much is in quarantine."""
        async with self._database.reading() as session:
            head = await _tree_head(session)
            quarantined = await repository.count_quarantined(session, MOST_COUNTED)
        age = max((clock.now() - head.signed_at).total_seconds(), 0.0)
        return {"entries": head.size, "checkpoint_age_s": age, "quarantine": quarantined}

    def show(self, figures: Figures, clock: Clock) -> None:
        """Show among the figures what `measures` finds."""

        async def measure() -> dict[Instrument, float | None]:
            found = await self.measures(clock)
            return {
                LEDGER_SIZE: found["entries"],
                CHECKPOINT_AGE: found["checkpoint_age_s"],
                QUARANTINE: found["quarantine"],
            }

        figures.ask(LEDGER_SIZE, CHECKPOINT_AGE, QUARANTINE, about=measure)

    async def tile(self, path: str) -> bytes:
        """The tile or entry bundle at `tile/…`, exactly as wide as the path says.

        Raises:
            ProblemError: 404 `unknown-tile`.
        """
        try:
            address = TileAddress.parse(path)
            async with self._database.reading() as session:
                if address.level == ENTRIES:
                    found = await repository.find_bundle(session, address)
                else:
                    stored = await repository.find_tiles(session, [address])
                    found = address.of_bytes(stored[address]) if stored else None
        except MalformedTileError:
            found = None
        if found is None:
            raise unknown_tile(path)
        return found

    async def search(self, query: EntryQuery) -> ResultPage[LedgerEntry]:
        """A page of the entries that match. It may have fewer than `query.limit`, or none, and a next one all
        the same: so many entries of a party are looked at for a page, and no more."""
        async with self._database.reading() as session:
            found = await repository.find_entries(session, replace(query, limit=query.limit + 1))
        items = found.items[: query.limit]
        return ResultPage(items, items[-1].index if len(found.items) > query.limit else found.looked_through)

    async def entry(self, index: int, within: Reach | None = None) -> LedgerEntry:
        """The entry at an index; with `within` only where it is of one of these parties.

        Raises:
            ProblemError: 404 `unknown-entry`.
        """
        async with self._database.reading() as session:
            found = await repository.find_entry(session, index, within)
        if found is None:
            raise unknown_entry(index)
        return found

    async def receipt(self, tx: str, kind: str, caller: Caller, within: Reach | None = None) -> str:
        """The receipt (c2sp.org/tlog-proof) of the transaction's entry of this kind.

        It proves that the entry is in the tree of the newest checkpoint. A person is given those
        `within` reach, and learns nothing of others; None are all.

        Raises:
            ProblemError: 404 `not-yet-recorded`, 403 `not-a-party`.
        """
        async with self._database.reading() as session:
            # The entry is read first, so that the tree head read afterwards covers it.
            entry = await repository.find_entry_of_transaction(session, tx, kind, within)
            if entry is None:
                raise not_yet_recorded(tx, kind)
            if caller.person is None and not _may_have_receipt(caller, entry):
                raise not_a_party(tx)
            head = await _tree_head(session)
            tiles = await repository.find_tiles(session, inclusion_tiles(entry.index, head.size))
        proof = inclusion_proof(entry.index, head.size, tiles)
        return str(Receipt(entry.index, proof, head.checkpoint, entry.data))

    async def quarantined(self, after: int, limit: int) -> ResultPage[QuarantinedRecord]:
        """A page of the records in quarantine, oldest first."""
        async with self._database.reading() as session:
            found = await repository.find_quarantined(session, after, limit + 1)
        items = found[:limit]
        return ResultPage(items, items[-1].id if len(found) > limit else None)


async def _tree_head(session: AsyncSession) -> TreeHead:
    head = await repository.find_tree_head(session)
    if head is None:
        raise mismatches.tree_row_lost()
    return head


def _may_have_receipt(caller: Caller, entry: LedgerEntry) -> bool:
    if READ_SCOPE in caller.scopes or caller.client_id == entry.client:
        return True
    return caller.is_of(entry.provider_agency)
