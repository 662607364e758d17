"""Which batches of gateways are in the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lienthong.ledger import repository
from lienthong.ledger.domain.sealing import portions, spans_of, state_of
from lienthong.ledger.service import mismatches
from lienthong.tlog import consistency_proof, consistency_tiles

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession

    from lienthong.kit.database import Database
    from lienthong.ledger.domain.sealing import BatchClaim, BatchState


@dataclass(frozen=True, slots=True)
class Sealed:
    """What the log has of each batch, the checkpoint that covers it, the proof from an earlier one, and up to
    which moment the journal is in the log (None: not known)."""

    states: Sequence[BatchState]
    checkpoint: str
    consistency: Sequence[bytes]
    read_through: datetime | None


class Sealing:
    """Compares batches with the log."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def check(self, claims: Sequence[BatchClaim], from_size: int) -> Sealed:
        """What the log has of the claims, all at one moment, and the proof that it grew from `from_size`.

        The proof is empty where `from_size` is 0 or not below the log's size.

        Raises:
            LedgerMismatchError: the database has lost the tree head or tiles.
        """
        async with self._database.reading() as session:
            states: list[BatchState] = []
            for portion in portions(claims):
                states += await _states(session, portion)
            head = await repository.find_tree_head(session)
            if head is None:
                raise mismatches.tree_row_lost()
            proof: Sequence[bytes] = ()
            if 0 < from_size < head.size:
                tiles = await repository.find_tiles(session, consistency_tiles(from_size, head.size))
                proof = consistency_proof(from_size, head.size, tiles)
        return Sealed(states, head.checkpoint, proof, head.journal_read_through)


async def _states(session: AsyncSession, claims: Sequence[BatchClaim]) -> list[BatchState]:
    indexes = await repository.find_indexes(session, [claim.first_record_id for claim in claims])
    found = [(claim, indexes[claim.first_record_id]) for claim in claims if claim.first_record_id in indexes]
    entries = await repository.find_data_at(session, spans_of(found))
    return [state_of(claim, indexes.get(claim.first_record_id), entries) for claim in claims]
