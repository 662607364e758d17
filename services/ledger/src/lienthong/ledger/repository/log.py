"""Queries of the log itself: tree head, entries, tiles, quarantine."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import (
    bindparam,
    func,
    insert,
    or_,
    select,
    text,
    tuple_,
    update,
)

from lienthong.kit.bulk import execute_many
from lienthong.ledger.domain.search import QuarantinedRecord
from lienthong.ledger.domain.search_index import COLUMNS, IndexedEntry, columns_of
from lienthong.ledger.domain.tree_head import TreeHead
from lienthong.ledger.models import entries, persons, quarantine, tiles, tree
from lienthong.tlog import ENTRIES, TILE_WIDTH, TileAddress, encode_bundle, right_edge_of, right_edge_tiles

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Column, Row
    from sqlalchemy.ext.asyncio import AsyncSession

    from lienthong.ledger.domain.integration import Quarantining
    from lienthong.ledger.domain.records import JournalRecord
    from lienthong.tlog import RightEdge

_T = TypeVar("_T")

_HEAD = 1
_ADMIN = "admin"
_CHUNK = 500


async def find_tree_head(session: AsyncSession, *, lock: bool = False) -> TreeHead | None:
    """Find the tree head; None before the log begins.

    With `lock`, other transactions that lock it wait until this one ends, so only one appends at a time.
    """
    query = select(tree).where(tree.c.id == _HEAD)
    row = (await session.execute(query.with_for_update() if lock else query)).one_or_none()
    if row is None:
        return None
    return TreeHead(
        size=row.size,
        root=row.root,
        checkpoint=row.checkpoint,
        signed_at=row.signed_at,
        journal_stream=row.journal_stream,
        journal_sequence=row.journal_sequence,
        journal_mark=row.journal_mark,
        journal_read_through=row.journal_read_through,
    )


async def create_tree_head(session: AsyncSession, head: TreeHead) -> None:
    """Store the tree head of a new log."""
    await session.execute(insert(tree).values(id=_HEAD, **_tree_columns(head)))


async def replace_tree_head(session: AsyncSession, old: TreeHead, new: TreeHead) -> bool:
    """Replace the tree head `old` with `new`; False, and no change, when another one is stored."""
    changed = await session.execute(
        update(tree)
        .where(
            tree.c.id == _HEAD,
            tree.c.size == old.size,
            tree.c.root == old.root,
            tree.c.journal_stream == old.journal_stream,
            tree.c.journal_sequence == old.journal_sequence,
        )
        .values(**_tree_columns(new))
        .returning(tree.c.id)
    )
    return changed.one_or_none() is not None


async def find_data_of(session: AsyncSession, record_ids: Sequence[str]) -> dict[str, bytes]:
    """The bytes of those records that are in the log, by record id."""
    return await _find_by_record_id(session, entries.c.data, record_ids)


async def find_indexes(session: AsyncSession, record_ids: Sequence[str]) -> dict[str, int]:
    """The index of those records that are in the log, by record id."""
    return await _find_by_record_id(session, entries.c.leaf_index, record_ids)


async def find_data_at(session: AsyncSession, spans: Sequence[tuple[int, int]]) -> dict[int, bytes]:
    """The bytes of the entries in these spans (first and last index), by index; missing ones are left out."""
    wanted = [entries.c.leaf_index.between(first, last) for first, last in spans]
    query = select(entries.c.leaf_index, entries.c.data).where(or_(*wanted))
    return {row.leaf_index: row.data for row in await session.execute(query)} if wanted else {}


async def find_acts(session: AsyncSession, first: int, most: int) -> Sequence[Row[Any]]:
    """The records of administrative acts from the entry `first` on: index, record id, bytes, time."""
    columns = (entries.c.leaf_index, entries.c.record_id, entries.c.data, entries.c.at)
    query = select(*columns).where(entries.c.kind == _ADMIN, entries.c.leaf_index >= first)
    return list(await session.execute(query.order_by(entries.c.leaf_index).limit(most)))


async def find_indexed(session: AsyncSession, first: int, last: int) -> dict[int, IndexedEntry]:
    """The entries from `first` to `last` with their search columns, by index; missing ones are left out.

    Raises:
        ValueError: a stored value is not of its column's type; also TypeError.
    """
    rows = await session.execute(select(entries).where(entries.c.leaf_index.between(first, last)))
    named: defaultdict[int, set[bytes]] = defaultdict(set)
    for row in await session.execute(select(persons).where(persons.c.leaf_index.between(first, last))):
        named[row.leaf_index].add(row.person)
    return {
        row.leaf_index: IndexedEntry(
            row.leaf_index,
            row.data,
            {name: getattr(row, name) for name in COLUMNS},
            frozenset(named[row.leaf_index]),
        )
        for row in rows
    }


async def find_indexes_of_transactions(
    session: AsyncSession, transactions: Sequence[str], first: int, last: int
) -> set[int]:
    """The entries from `first` to `last` to which a look-up of these transactions leads."""
    found: set[int] = set()
    for at in range(0, len(transactions), _CHUNK):
        query = select(entries.c.leaf_index, entries.c.tx).where(
            entries.c.tx.in_(transactions[at : at + _CHUNK])
        )
        found |= {row.leaf_index for row in await session.execute(query) if first <= row.leaf_index <= last}
    return found


async def append_entries(session: AsyncSession, first: int, records: Sequence[JournalRecord]) -> None:
    """Store records as the leaves from index `first` on."""
    rows = (_entry_columns(index, record) for index, record in enumerate(records, first))
    await execute_many(session, _APPEND, rows)
    named = [
        {"person": person, "leaf_index": index}
        for index, record in enumerate(records, first)
        for person in record.persons
    ]
    await execute_many(session, _NAME_PERSON, named)


async def put_tiles(session: AsyncSession, edge: RightEdge, grown: Mapping[tuple[int, int], bytes]) -> None:
    """Store the tiles of a tree that grew from `edge`: partial tiles of the edge are replaced."""
    started = {(address.level, address.index) for address in right_edge_tiles(edge.size)}
    rows = [(place, {"at_level": place[0], "at_index": place[1], "hashes": grown[place]}) for place in grown]
    widened = [row for place, row in rows if place in started]
    added = [row for place, row in rows if place not in started]
    await execute_many(session, _WIDEN_TILE, widened)
    await execute_many(session, _ADD_TILE, added)


async def find_tiles(session: AsyncSession, addresses: Iterable[TileAddress]) -> dict[TileAddress, bytes]:
    """The stored hashes of these tiles, which may be wider than asked for; missing tiles are left out."""
    wanted = {(address.level, address.index): address for address in addresses}
    query = select(tiles).where(tuple_(tiles.c.level, tiles.c.tile_index).in_(list(wanted)))
    found = await session.execute(query) if wanted else ()
    return {wanted[row.level, row.tile_index]: row.hashes for row in found}


async def find_right_edge(session: AsyncSession, size: int) -> RightEdge:
    """The tiles on the right edge of the tree of `size` leaves, from which the tree can grow.

    Raises:
        MalformedTileError: a tile of it is missing or too narrow.
    """
    return right_edge_of(size, await find_tiles(session, right_edge_tiles(size)))


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


async def put_in_quarantine(session: AsyncSession, items: Sequence[Quarantining], now: datetime) -> None:
    """Store records that cannot become entries."""
    rows = (
        {
            "journal_sequence": item.journal_sequence,
            "position": item.position,
            "reason": item.record.reason,
            "data": item.record.data,
            "received_at": now,
        }
        for item in items
    )
    await execute_many(session, insert(quarantine), rows)


async def count_quarantined(session: AsyncSession, most: int) -> int:
    """How many records are in quarantine; no more than `most` are counted."""
    found = select(quarantine.c.id).limit(most).subquery()
    number: int = (await session.execute(select(func.count()).select_from(found))).scalar_one()
    return number


async def find_quarantined(session: AsyncSession, after: int, limit: int) -> Sequence[QuarantinedRecord]:
    """The records in quarantine with an id above `after`, oldest first."""
    query = select(quarantine).where(quarantine.c.id > after).order_by(quarantine.c.id).limit(limit)
    return [
        QuarantinedRecord(
            id=row.id,
            journal_sequence=row.journal_sequence,
            position=row.position,
            reason=row.reason,
            data=row.data,
            received_at=row.received_at,
        )
        for row in await session.execute(query)
    ]


_APPEND = insert(entries)
_NAME_PERSON = insert(persons)
_ADD_TILE = insert(tiles).values(
    level=bindparam("at_level"), tile_index=bindparam("at_index"), hashes=bindparam("hashes")
)
_WIDEN_TILE = (
    update(tiles)
    .where(tiles.c.level == bindparam("at_level"), tiles.c.tile_index == bindparam("at_index"))
    .values(hashes=bindparam("hashes"))
)


async def _find_by_record_id(
    session: AsyncSession, column: Column[_T], record_ids: Sequence[str]
) -> dict[str, _T]:
    if session.get_bind().dialect.name == "postgresql":
        # Else the planner takes reading the whole table for cheaper than hundreds of look-ups: it is not.
        await session.execute(text("SET LOCAL enable_seqscan = off"))
    found: dict[str, _T] = {}
    for at in range(0, len(record_ids), _CHUNK):
        chunk = record_ids[at : at + _CHUNK]
        query = select(entries.c.record_id, column).where(entries.c.record_id.in_(chunk))
        found.update((row[0], row[1]) for row in await session.execute(query))
    return found


def _entry_columns(index: int, record: JournalRecord) -> dict[str, Any]:
    return {"leaf_index": index, "data": record.data, **columns_of(record)}


def _tree_columns(head: TreeHead) -> dict[str, Any]:
    return {
        "size": head.size,
        "root": head.root,
        "checkpoint": head.checkpoint,
        "signed_at": head.signed_at,
        "journal_stream": head.journal_stream,
        "journal_sequence": head.journal_sequence,
        "journal_mark": head.journal_mark,
        "journal_read_through": head.journal_read_through,
    }
