"""Opening the log when the process starts: what is stored must be what was signed, or the process ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lienthong.ledger import repository
from lienthong.ledger.domain.tree_head import TreeHead
from lienthong.ledger.errors import LedgerMismatchError
from lienthong.ledger.service.signing_key_file import load_key, load_or_create_key
from lienthong.tlog import (
    EMPTY_ROOT,
    ENTRIES,
    Checkpoint,
    TileAddress,
    TlogError,
    decode_bundle,
    leaf_hash,
    open_checkpoint,
    tiles_of_level,
)

if TYPE_CHECKING:
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


async def open_log(database: Database, key_file: Path, origin: str, clock: Clock) -> LogSigner:
    """Open and verify the log, or begin a new one with the signed checkpoint of the empty tree.

    Raises:
        LedgerMismatchError: what is stored is not what was signed, or was signed under another key or name.
        SigningKeyFileError: the key is missing although the log has begun, or cannot be read or written.
    """
    async with database.transaction() as session:
        head = await repository.find_tree_head(session, lock=True)
        if head is None:
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
        edge = await repository.find_right_edge(session, checkpoint.size)
    except TlogError as error:
        raise LedgerMismatchError(f"{error}. {_ADVICE}") from error
    if (checkpoint.size, checkpoint.root) != (head.size, head.root):
        raise LedgerMismatchError(
            f"the log is stored with {head.size} entries, but signed with {checkpoint.size}. {_ADVICE}"
        )
    if edge.root != checkpoint.root:
        raise LedgerMismatchError(
            f"the stored tiles do not give the signed root at size {checkpoint.size}. {_ADVICE}"
        )
    last = await repository.find_last_index(session)
    if (-1 if last is None else last) != checkpoint.size - 1:
        raise LedgerMismatchError(
            f"the last stored entry is {last}, but {checkpoint.size} entries are signed. {_ADVICE}"
        )
    if checkpoint.size:
        await _verify_last_bundle(session, tiles_of_level(0, checkpoint.size)[-1])


async def _verify_last_bundle(session: AsyncSession, tile: TileAddress) -> None:
    bundle = await repository.find_bundle(session, TileAddress(ENTRIES, tile.index, tile.width))
    stored = await repository.find_tiles(session, [tile])
    if bundle is None or tile not in stored:
        raise LedgerMismatchError(f"{tile.path} or an entry under it is missing. {_ADVICE}")
    if b"".join(map(leaf_hash, decode_bundle(bundle))) != tile.of_bytes(stored[tile]):
        raise LedgerMismatchError(f"the last entries are not those of {tile.path}. {_ADVICE}")


def _check_name(key: SigningKey, origin: str) -> None:
    if key.name != origin:
        raise LedgerMismatchError(
            f"the signing key is of the log {key.name!r}, not of {origin!r} (LIENTHONG_LEDGER_ORIGIN)"
        )


def _empty(key: SigningKey, origin: str, clock: Clock) -> TreeHead:
    return TreeHead(
        size=0,
        root=EMPTY_ROOT,
        checkpoint=Checkpoint(origin, 0, EMPTY_ROOT).signed(key),
        signed_at=clock.now(),
        journal_stream="",
        journal_sequence=0,
    )


_ADVICE = (
    "The ledger does not run on a log that is not the signed one. Keep this database as evidence and restore"
    " the last good one: what the journal has had since then is integrated again."
)
