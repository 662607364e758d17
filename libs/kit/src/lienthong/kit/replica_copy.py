"""A replica's copy on disk, so that a process can start while the peer that it follows is away.

It is an SQLite file of three tables: `blocks` holds the blocks of the state's maps as they lie in memory
(`kit.packed`), `secrets` what the blocks of each map are numbered with, `head` one row about them. A change
writes the blocks that it touched, in one transaction that is on disk (fsync) when `save` returns. The time of
the last confirmation is stored inside the file: a backup or `cp` sets the modification time to now, and an
old copy must not look new.

SQLite does not notice a bit that the disk has turned. `head.checksum` does: it is the sum of the CRC-32 of
every block, each begun with the block's place, and of all secrets.
"""

from __future__ import annotations

import os
import sqlite3
import zlib
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

from lienthong.kit.files import lock_file, make_folder
from lienthong.kit.packed import SECRET_BYTES, PackedMap

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

Maps: TypeAlias = "Sequence[PackedMap]"
"""The maps that a state consists of, in an order of its own."""

_FORMAT = 3
_BUSY_S = 5.0
_MASK = 2**63 - 1
_MAP_AT = 16
"""Bits that the number of a block takes; the number of its map stands above them."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_BLOCKS = "CREATE TABLE IF NOT EXISTS blocks (place INTEGER PRIMARY KEY, content BLOB NOT NULL)"
_SECRETS = "CREATE TABLE IF NOT EXISTS secrets (map INTEGER PRIMARY KEY, secret BLOB NOT NULL)"
_HEAD = """CREATE TABLE IF NOT EXISTS head (
    id INTEGER PRIMARY KEY CHECK (id = 1), format INTEGER NOT NULL, maps INTEGER NOT NULL,
    confirmed INTEGER NOT NULL, checksum INTEGER NOT NULL, stamp BLOB NOT NULL)"""
_READ_HEAD = "SELECT format, maps, confirmed, checksum, stamp FROM head"


class CopyUnreadableError(Exception):
    """The file is not a whole copy of this format; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class SavedCopy:
    """What the file holds."""

    maps: Maps
    confirmed: datetime
    """When the peer last confirmed the content."""


@dataclass(frozen=True, slots=True)
class _Written:
    """What this process last wrote to the file, or read from it."""

    maps: Maps
    checksum: int
    """Of the blocks."""
    stamp: bytes
    """Random, new with every change of the content: tells whether another process has written since."""


class DiskCopy:
    """One file. Of several processes that share it, the one that saved first writes it until it ends."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._written: _Written | None = None
        self._lock: int | None = None

    def load(self) -> SavedCopy | None:
        """The copy; None when there is no file.

        Raises:
            CopyUnreadableError: the file is damaged or of another format.
            OSError: it cannot be read.
        """
        if not self.path.exists():
            return None
        try:
            with self._opened("BEGIN") as database:
                head = database.execute(_READ_HEAD).fetchone()
                if head is None or head[0] != _FORMAT:
                    raise CopyUnreadableError("the file holds no copy, or one of another format")
                _, count, confirmed, checksum, stamp = head
                maps, found = _read_maps(database, count)
        except sqlite3.DatabaseError as error:
            raise CopyUnreadableError(f"SQLite cannot read the file: {error}") from error
        if _sealed(found, maps) != checksum:
            raise CopyUnreadableError("the content is not what was written (CRC-32 differs)")
        self._written = _Written(maps, found, stamp)
        try:
            return SavedCopy(maps, _EPOCH + confirmed * _MICROSECOND)
        except OverflowError:
            raise CopyUnreadableError("the time of the last confirmation is after the year 9999") from None

    def save(self, maps: Maps, confirmed: datetime) -> bool:
        """Bring the file up to date; False when another process writes it. After a crash it is old or new.

        Only blocks that are not those of the last `save` or `load` are written.

        Raises:
            OSError: it cannot be written.
        """
        if not self._hold_lock():
            return False
        try:
            try:
                self._save(maps, confirmed)
            except sqlite3.OperationalError:
                raise
            except sqlite3.DatabaseError:
                # It is damaged, or something else: of no use to anyone.
                self._discard()
                self._save(maps, confirmed)
        except sqlite3.Error as error:
            raise OSError(f"SQLite cannot write the file: {error}") from error
        return True

    def close(self) -> None:
        """Let another process write the file."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _save(self, maps: Maps, confirmed: datetime) -> None:
        # A machine whose clock has not been set may say that it is 1969.
        moment = max(0, (confirmed - _EPOCH) // _MICROSECOND)
        with self._opened("BEGIN IMMEDIATE") as database:
            for table in (_BLOCKS, _SECRETS, _HEAD):
                database.execute(table)
            head = database.execute("SELECT format, stamp FROM head").fetchone()
            written = self._written
            if written is None or head != (_FORMAT, written.stamp) or len(written.maps) != len(maps):
                database.execute("DELETE FROM blocks")
                database.execute("DELETE FROM secrets")
                written = _Written([PackedMap()] * len(maps), 0, b"")
            after = _write_blocks(database, written, maps)
            database.executemany(
                "INSERT OR REPLACE INTO secrets VALUES (?, ?)", enumerate(one.secret for one in maps)
            )
            database.execute(
                "INSERT OR REPLACE INTO head VALUES (1, ?, ?, ?, ?, ?)",
                (_FORMAT, len(maps), moment, _sealed(after.checksum, maps), after.stamp),
            )
            database.execute("COMMIT")
            # Closing would do this too, but sqlite3 holds the interpreter's lock while it closes.
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._written = after

    @contextmanager
    def _opened(self, begin: str) -> Iterator[sqlite3.Connection]:
        """A connection inside a transaction; what is not committed is rolled back."""
        make_folder(self.path.parent)
        # SQLite gives its files the mode of the first one.
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        with closing(sqlite3.connect(self.path, timeout=_BUSY_S, isolation_level=None)) as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=FULL")
            database.execute(begin)
            yield database

    def _hold_lock(self) -> bool:
        """Whether this process writes the file; the kernel lets go of the lock when the process ends."""
        if self._lock is not None:
            return True
        make_folder(self.path.parent)
        self._lock = lock_file(self._beside(".lock"))
        return self._lock is not None

    def _discard(self) -> None:
        self._written = None
        for ending in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                self._beside(ending).unlink()

    def _beside(self, ending: str) -> Path:
        return self.path.with_name(self.path.name + ending)


def _read_maps(database: sqlite3.Connection, count: int) -> tuple[list[PackedMap], int]:
    """The maps, and the checksum of their blocks."""
    secrets = [secret for (secret,) in database.execute("SELECT secret FROM secrets ORDER BY map")]
    if [len(secret) for secret in secrets] != [SECRET_BYTES] * count:
        raise CopyUnreadableError("the file does not hold a secret for each map")
    found: list[list[tuple[int, bytes]]] = [[] for _ in range(count)]
    checksum = 0
    for place, content in database.execute("SELECT place, content FROM blocks"):
        checksum += zlib.crc32(content, place)
        if place >> _MAP_AT >= count:
            raise CopyUnreadableError("the file holds blocks of more maps than it says")
        found[place >> _MAP_AT].append((place & (2**_MAP_AT - 1), content))
    return [
        PackedMap.of_blocks(blocks, secret) for blocks, secret in zip(found, secrets, strict=True)
    ], checksum & _MASK


def _sealed(checksum: int, maps: Maps) -> int:
    """The checksum of the blocks and of the secrets of the maps."""
    return (checksum + zlib.crc32(b"".join(one.secret for one in maps))) & _MASK


def _write_blocks(database: sqlite3.Connection, written: _Written, maps: Maps) -> _Written:
    """Write what differs from what was written before."""
    checksum, changed = written.checksum, False
    for index, (before, after) in enumerate(zip(written.maps, maps, strict=True)):
        for number, old, new in after.changed_blocks(before):
            place = index << _MAP_AT | number
            if old:
                checksum -= zlib.crc32(old, place)
            if new:
                checksum += zlib.crc32(new, place)
                database.execute("INSERT OR REPLACE INTO blocks VALUES (?, ?)", (place, new))
            else:
                database.execute("DELETE FROM blocks WHERE place = ?", (place,))
            changed = True
    stamp = os.urandom(16) if changed or not written.stamp else written.stamp
    return _Written(maps, checksum & _MASK, stamp)
