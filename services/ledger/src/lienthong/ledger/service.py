"""What the ledger answers: its checkpoint, tiles, entries, searches and receipts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, TypeVar

from lienthong.ledger import repository
from lienthong.ledger.errors import (
    LedgerMismatchError,
    not_a_party,
    not_yet_recorded,
    unknown_entry,
    unknown_tile,
)
from lienthong.ledger.search import (
    Entry,
    Quarantined,
    Query,
    find_entries,
    find_entry,
    find_entry_of,
    find_quarantined,
)
from lienthong.tlog import ENTRIES, MalformedTileError, Receipt, TileAddress, inclusion_proof, inclusion_tiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.ext.asyncio import AsyncSession

    from lienthong.kit.access import Caller
    from lienthong.kit.database import Database
    from lienthong.ledger.repository import Head

READ_SCOPE = "audit:read"
CALL = "call"

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """A page and the cursor of the next one, if there is one."""

    items: Sequence[Item]
    next: int | None


class AuditLog:
    """The reading side of the log. Tiles only ever grow, so readers need no lock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def checkpoint(self) -> str:
        """The newest signed checkpoint."""
        async with self._database.reading() as session:
            return (await _head(session)).checkpoint

    async def tile(self, path: str) -> bytes:
        """The tile or entry bundle at `tile/…`, exactly as wide as the path says.

        Raises:
            Problem: 404 `unknown-tile`.
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

    async def search(self, query: Query) -> Page[Entry]:
        """A page of the entries that are looked for."""
        async with self._database.reading() as session:
            found = await find_entries(session, replace(query, limit=query.limit + 1))
        items = found[: query.limit]
        return Page(items, items[-1].index if len(found) > query.limit else None)

    async def entry(self, index: int) -> Entry:
        """The entry at an index.

        Raises:
            Problem: 404 `unknown-entry`.
        """
        async with self._database.reading() as session:
            found = await find_entry(session, index)
        if found is None:
            raise unknown_entry(index)
        return found

    async def receipt(self, tx: str, kind: str, caller: Caller) -> str:
        """The receipt of the transaction's entry of this kind, against the newest checkpoint.

        Raises:
            Problem: 404 `not-yet-recorded`, 403 `not-a-party`.
        """
        async with self._database.reading() as session:
            # The entry first: a head read afterwards covers it.
            entry = await find_entry_of(session, tx, kind)
            if entry is None:
                raise not_yet_recorded(tx, kind)
            if not _may_have_receipt(caller, entry):
                raise not_a_party(tx)
            head = await _head(session)
            tiles = await repository.find_tiles(session, inclusion_tiles(entry.index, head.size))
        proof = inclusion_proof(entry.index, head.size, tiles)
        return str(Receipt(entry.index, proof, head.checkpoint, entry.data))

    async def quarantined(self, after: int, limit: int) -> Page[Quarantined]:
        """A page of what could not become an entry, oldest first."""
        async with self._database.reading() as session:
            found = await find_quarantined(session, after, limit + 1)
        items = found[:limit]
        return Page(items, items[-1].id if len(found) > limit else None)


async def _head(session: AsyncSession) -> Head:
    head = await repository.find_head(session)
    if head is None:
        raise LedgerMismatchError("the ledger's database has lost the head of the log")
    return head


def _may_have_receipt(caller: Caller, entry: Entry) -> bool:
    if READ_SCOPE in caller.scopes or caller.client_id == entry.client:
        return True
    return bool(caller.agency) and caller.agency == entry.provider_agency
