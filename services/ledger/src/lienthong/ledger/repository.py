"""All statements of the log itself. Each works in the session that it is given and never commits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, insert, select, text, tuple_, update

from lienthong.ledger.models import entries, quarantine, tiles, tree
from lienthong.tlog import ENTRIES, TILE_WIDTH, TileAddress, edge_of, edge_tiles, encode_bundle

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession

    from lienthong.ledger.records import Record, Unusable
    from lienthong.tlog import Edge

_HEAD = 1
_CHUNK = 500
_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Head:
    """The head of the log: its size and root, the signed checkpoint that says so, how far the journal is in.

    `journal_stream` tells one stream from another of the same name, `journal_sequence` is the last message
    that is in the log.
    """

    size: int
    root: bytes
    checkpoint: str
    signed_at: datetime
    journal_stream: str
    journal_sequence: int

    def after(self, stream: str) -> int:
        """The last message of `stream` that is in the log; 0 for a stream that is new to it."""
        return self.journal_sequence if self.journal_stream == stream else 0


async def find_head(session: AsyncSession, *, lock: bool = False) -> Head | None:
    """Find the head; with `lock` others wait for the end of this transaction before they append."""
    query = select(tree).where(tree.c.id == _HEAD)
    row = (await session.execute(query.with_for_update() if lock else query)).one_or_none()
    if row is None:
        return None
    return Head(
        size=row.size,
        root=row.root,
        checkpoint=row.checkpoint,
        signed_at=row.signed_at,
        journal_stream=row.journal_stream,
        journal_sequence=row.journal_sequence,
    )


async def create_head(session: AsyncSession, head: Head) -> None:
    """Store the head of a new log."""
    await session.execute(insert(tree).values(id=_HEAD, **_columns(head)))


async def replace_head(session: AsyncSession, old: Head, new: Head) -> bool:
    """Store a new head in the place of exactly the old one; False when another stands there."""
    changed = await session.execute(
        update(tree)
        .where(
            tree.c.id == _HEAD,
            tree.c.size == old.size,
            tree.c.root == old.root,
            tree.c.journal_stream == old.journal_stream,
            tree.c.journal_sequence == old.journal_sequence,
        )
        .values(**_columns(new))
        .returning(tree.c.id)
    )
    return changed.one_or_none() is not None


async def find_data_of(session: AsyncSession, record_ids: Sequence[str]) -> dict[str, bytes]:
    """Those of these records that are in the log, with their bytes."""
    if session.get_bind().dialect.name == "postgresql":
        # Else the planner takes reading the whole table for cheaper than hundreds of look-ups: it is not.
        await session.execute(text("SET LOCAL enable_seqscan = off"))
    found: dict[str, bytes] = {}
    for at in range(0, len(record_ids), _CHUNK):
        chunk = record_ids[at : at + _CHUNK]
        query = select(entries.c.record_id, entries.c.data).where(entries.c.record_id.in_(chunk))
        found.update((row.record_id, row.data) for row in await session.execute(query))
    return found


async def append_entries(session: AsyncSession, first: int, records: Sequence[Record]) -> None:
    """Store records as the leaves from index `first` on."""
    for at in range(0, len(records), _ROWS):
        rows = [_entry(first + at + offset, record) for offset, record in enumerate(records[at : at + _ROWS])]
        await session.execute(_APPEND, rows)


async def put_tiles(session: AsyncSession, edge: Edge, grown: Mapping[tuple[int, int], bytes]) -> None:
    """Store what growing from `edge` brought: its partial tiles have become wider, the others are new."""
    started = {(address.level, address.index) for address in edge_tiles(edge.size)}
    rows = [(place, {"at_level": place[0], "at_index": place[1], "hashes": grown[place]}) for place in grown]
    widened = [row for place, row in rows if place in started]
    added = [row for place, row in rows if place not in started]
    if widened:
        await session.execute(_WIDEN_TILE, widened)
    if added:
        await session.execute(_ADD_TILE, added)


async def find_tiles(session: AsyncSession, addresses: Iterable[TileAddress]) -> dict[TileAddress, bytes]:
    """The stored hashes of these tiles; they may have grown wider, absent ones are left out."""
    wanted = {(address.level, address.index): address for address in addresses}
    query = select(tiles).where(tuple_(tiles.c.level, tiles.c.tile_index).in_(list(wanted)))
    found = await session.execute(query) if wanted else ()
    return {wanted[row.level, row.tile_index]: row.hashes for row in found}


async def find_edge(session: AsyncSession, size: int) -> Edge:
    """The right edge of the tree of `size` leaves.

    Raises:
        MalformedTileError: a tile of it is missing or too narrow.
    """
    return edge_of(size, await find_tiles(session, edge_tiles(size)))


async def find_bundle(session: AsyncSession, address: TileAddress) -> bytes | None:
    """The entry bundle at an address of level `ENTRIES`; None unless all its entries are there."""
    if address.level != ENTRIES:
        raise ValueError(f"{address.path} is no entry bundle")
    first = address.index * TILE_WIDTH
    query = (
        select(entries.c.data)
        .where(entries.c.leaf_index.between(first, first + address.width - 1))
        .order_by(entries.c.leaf_index)
    )
    found = (await session.scalars(query)).all()
    return encode_bundle(found) if len(found) == address.width else None


async def find_last_index(session: AsyncSession) -> int | None:
    """The index of the last entry."""
    last: int | None = (await session.execute(select(func.max(entries.c.leaf_index)))).scalar_one()
    return last


async def put_in_quarantine(
    session: AsyncSession, found: Sequence[tuple[int, int, Unusable]], now: datetime
) -> None:
    """Keep what cannot be an entry: (sequence of the message, position in it, the bytes and the reason)."""
    await session.execute(
        insert(quarantine),
        [
            {
                "journal_sequence": sequence,
                "position": position,
                "reason": item.reason,
                "data": item.data,
                "received_at": now,
            }
            for sequence, position, item in found
        ],
    )


_APPEND = insert(entries)
_ADD_TILE = insert(tiles).values(
    level=bindparam("at_level"), tile_index=bindparam("at_index"), hashes=bindparam("hashes")
)
_WIDEN_TILE = (
    update(tiles)
    .where(tiles.c.level == bindparam("at_level"), tiles.c.tile_index == bindparam("at_index"))
    .values(hashes=bindparam("hashes"))
)


def _entry(index: int, record: Record) -> dict[str, Any]:
    return {
        "leaf_index": index,
        "data": record.data,
        "record_id": record.record_id,
        "kind": record.kind,
        "tx": record.tx,
        "client": record.client,
        "client_agency": record.client_agency,
        "service": record.service,
        "provider_agency": record.provider_agency,
        "operation": record.operation,
        "status": record.status,
        "error": record.error,
        "at": record.at,
    }


def _columns(head: Head) -> dict[str, Any]:
    return {
        "size": head.size,
        "root": head.root,
        "checkpoint": head.checkpoint,
        "signed_at": head.signed_at,
        "journal_stream": head.journal_stream,
        "journal_sequence": head.journal_sequence,
    }
