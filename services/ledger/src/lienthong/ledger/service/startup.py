"""Opening the log when the process starts: what is stored must be what was signed, or the process ends."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.exc import DatabaseError

from lienthong.ledger import repository
from lienthong.ledger.domain.tree_head import TreeHead
from lienthong.ledger.service import mismatches
from lienthong.ledger.service.signing_key_file import load_key, load_or_create_key
from lienthong.tlog import (
    EMPTY_ROOT,
    HASH_SIZE,
    TILE_WIDTH,
    Checkpoint,
    TileAddress,
    TlogError,
    leaf_hash,
    open_checkpoint,
    right_edge_tiles,
    tiles_of_level,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncSession

    from lienthong.kit.clock import Clock
    from lienthong.kit.database import Database
    from lienthong.tlog import SigningKey


@dataclass(frozen=True, slots=True)
class LogSigner:
    """What signs the log's checkpoints: the log's name (its origin, c2sp.org/tlog-checkpoint) and its key."""

    origin: str
    key: SigningKey


@contextmanager
def damage_told() -> Iterator[None]:
    """Turn what SQLite says of a damaged file into a `LedgerMismatchError`."""
    try:
        yield
    except DatabaseError as error:
        # "malformed" and "not a database" have no class of their own; what may pass (a lock) has a subclass.
        if type(error) is DatabaseError:
            raise mismatches.unreadable_database(error.orig or error) from error
        raise


async def open_log(database: Database, key_file: Path, origin: str, clock: Clock) -> LogSigner:
    """Open and verify the log, or begin a new one with the signed checkpoint of the empty tree.

    Raises:
        LedgerMismatchError: what is stored is not what was signed, or was signed under another key or name.
        SigningKeyFileError: the key is missing although the log has begun, or cannot be read or written.
    """
    async with database.transaction() as session:
        head = await repository.find_tree_head(session, lock=True)
        if head is None:
            if await repository.find_last_index(session) is not None:
                raise mismatches.tree_row_lost()
            key = load_or_create_key(key_file, origin)
            _check_name(key, origin)
            await repository.create_tree_head(session, _empty(key, origin, clock))
        else:
            key = load_key(key_file)
            _check_name(key, origin)
            await verify(session, head, key, origin)
    return LogSigner(origin, key)


async def verify(session: AsyncSession, head: TreeHead, key: SigningKey, origin: str) -> None:
    """Check that the tiles on the right edge of the tree and its last entries are what the checkpoint signs.

    This takes a few reads whatever the size of the log. A change elsewhere is found by a check of the whole
    log, which anyone with the checkpoint can make (`lienthong audit fsck`).

    Raises:
        LedgerMismatchError: they are not.
    """
    try:
        checkpoint = open_checkpoint(head.checkpoint, key.verifier, origin=origin)
    except TlogError as error:
        raise mismatches.unverified_checkpoint(error) from error
    if checkpoint.size != head.size:
        raise mismatches.other_size(head.size, checkpoint.size)
    if checkpoint.root != head.root:
        raise mismatches.other_root(head.root, checkpoint)
    try:
        edge = await repository.find_right_edge(session, checkpoint.size)
    except TlogError as error:
        raise mismatches.unusable_tile(error) from error
    if edge.root != checkpoint.root:
        raise mismatches.other_tiles(right_edge_tiles(checkpoint.size), checkpoint.size)
    last = await repository.find_last_index(session)
    if last is not None and last >= checkpoint.size:
        raise mismatches.unsigned_entries(last, checkpoint.size)
    if (-1 if last is None else last) < checkpoint.size - 1:
        raise mismatches.missing_entries(last, checkpoint.size)
    if checkpoint.size:
        await _verify_last_bundle(session, tiles_of_level(0, checkpoint.size)[-1])


async def _verify_last_bundle(session: AsyncSession, tile: TileAddress) -> None:
    first = tile.index * TILE_WIDTH
    stored = await repository.find_tiles(session, [tile])
    try:
        hashes = tile.of_bytes(stored.get(tile, b""))
    except TlogError as error:
        raise mismatches.unusable_tile(error) from error
    entries = await repository.find_data_at(session, [(first, first + tile.width - 1)])
    for position in range(tile.width):
        index = first + position
        if index not in entries:
            raise mismatches.missing_entry(index)
        if leaf_hash(entries[index]) != hashes[position * HASH_SIZE : (position + 1) * HASH_SIZE]:
            raise mismatches.changed_entry(index, tile)


def _check_name(key: SigningKey, origin: str) -> None:
    if key.name != origin:
        raise mismatches.other_name(key.name, origin)


def _empty(key: SigningKey, origin: str, clock: Clock) -> TreeHead:
    return TreeHead(
        size=0,
        root=EMPTY_ROOT,
        checkpoint=Checkpoint(origin, 0, EMPTY_ROOT).signed(key),
        signed_at=clock.now(),
        journal_stream="",
        journal_sequence=0,
    )
