"""Copies of what the bus has acknowledged, on this machine's disk until the ledger has sealed it, and after.

A folder of files of frames (`segments`). Their suffix says how far they are: `.kept` files wait for the
ledger; `.sealed` ones are in the log, and stay for a time, because the ledger's own disk may go back to an
earlier state. All functions block; `write` and the others may be called from two threads.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Final

import structlog

from lienthong.gateway.journal.batches import head
from lienthong.gateway.journal.kept import KeptSegment
from lienthong.gateway.journal.segments import (
    DAMAGED,
    SEGMENT_BYTES,
    adopt_all,
    new_segment,
)
from lienthong.kit.files import locked, make_folder

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from datetime import datetime, timedelta
    from pathlib import Path

    from lienthong.gateway.journal.batches import Batch
    from lienthong.gateway.journal.segments import Segment
    from lienthong.kit.ids import NewId

KEPT: Final = ".kept"
SEALED: Final = ".sealed"
_MOST_PENDING: Final = 20_000
"""Batches that are waited for at a time, in all files, as far as memory goes (some 450 bytes each)."""
_MOST_FILES: Final = 64
"""Files that are held open at a time, beside those that fill up while the ledger is away."""
_FILES_WITHIN_LIMIT: Final = 8
"""Of each worker: what is deleted for want of room is a small part of all."""
_SMALL: Final = 1 / 16
"""The part of a full file that is not worth a file of its own."""
_ROOM_LOCK: Final = "room.lock"

_log = structlog.get_logger(__name__)


class Retained:
    """The retained files: those of this process that wait for the ledger, and the sealed ones of all."""

    def __init__(
        self,
        folder: Path,
        *,
        max_bytes: int,
        sealed_for: timedelta,
        new_id: NewId,
        workers: int = 1,
        segment_bytes: int = SEGMENT_BYTES,
    ) -> None:
        """`workers` processes share the folder and its room."""
        self.max_bytes = max_bytes
        """How much all files may take together."""
        self.size = 0
        """How much they took when it was looked at last."""
        self.damaged = 0
        """How many files of the folder are kept aside because something in them was damaged."""
        self.kept: list[KeptSegment] = []
        """Files that wait for the ledger, oldest first; the one that is written to is among them."""
        self.dropped = 0
        """How many files had to be deleted before the ledger had sealed them."""
        self._folder = folder
        self._sealed_for = sealed_for
        self._new_id = new_id
        self._segment_bytes = min(segment_bytes, max_bytes // (_FILES_WITHIN_LIMIT * workers))
        self._current: KeptSegment | None = None
        self._lock = threading.Lock()

    def room_for_claims(self) -> int:
        """How many more batches may be waited for, as far as memory goes."""
        return max(_MOST_PENDING - sum(len(kept.pending) for kept in list(self.kept)), 0)

    def write(self, batches: Sequence[Batch], now: datetime) -> None:
        """Write batches behind the others, into the cache of the operating system.

        Raises:
            OSError: they are not written.
        """
        frames = [(head(batch), batch.payload) for batch in batches]
        lengths = [len(begin) + len(payload) for begin, payload in frames]
        parts = [part for one in frames for part in one]
        with self._lock:
            current = self._current
            if current is None or current.segment.size + sum(lengths) > self._segment_bytes:
                self._end_current()
                current = KeptSegment(new_segment(self._folder, self._new_id, KEPT), now, complete=False)
                self._current = current
                self.kept.append(current)
            try:
                offset = current.segment.size
                current.segment.write(parts)
            except OSError:
                self._end_current()
                if current.segment.size == 0:
                    # A full disk is tried again and again: it must not be left an empty file each time.
                    self.kept.remove(current)
                    current.segment.remove()
                raise
            current.unsynced = True
        if self.room_for_claims():
            current.written(zip(batches, lengths, strict=True), offset, now)

    def sync(self) -> None:
        """Have on disk what was written.

        Raises:
            OSError: it is not.
        """
        for kept in [kept for kept in self.kept if kept.unsynced]:
            kept.unsynced = False
            kept.segment.sync()

    def end_older_than(self, moment: datetime, *, small: datetime) -> None:
        """Write to another file from now on, if this one was begun before; before `small`, if it is small."""
        with self._lock:
            current = self._current
            if current is None or len(self.kept) >= _MOST_FILES:
                return
            if current.published < (
                moment if current.segment.size >= self._segment_bytes * _SMALL else small
            ):
                self._end_current()

    def take(self, segment: Segment, now: datetime) -> None:
        """Take over a file of the spool whose batches have been published now.

        Raises:
            OSError: it cannot be moved, and stays what it was.
        """
        make_folder(self._folder)
        segment.move(self._folder / segment.path.with_suffix(KEPT).name)
        with self._lock:
            self.kept.append(KeptSegment(segment, now, complete=True))
            self.kept.sort(key=lambda kept: kept.segment.path.name)

    def adopt_orphans(self, now: datetime) -> int:
        """Take over files of processes that have ended, oldest first, as many as may be open.

        Raises:
            OSError: the folder, or a file in it, cannot be read.
        """
        own = {kept.segment.path for kept in list(self.kept)}
        before, most = len(own), _MOST_FILES - len(own)
        if most > 0:
            for segment in islice(adopt_all(self._folder, KEPT, own), most):
                with self._lock:
                    self.kept.append(KeptSegment(segment, now, complete=True))
                    self.kept.sort(key=lambda kept: kept.segment.path.name)
        return len(self.kept) - before

    def ask_again(self) -> None:
        """Ask about everything anew, see `unseal`; raises what that does."""
        self.unseal()
        for kept in list(self.kept):
            kept.look_again()

    def unseal(self) -> None:
        """Have all that is sealed wait for the ledger again: some worker takes it over.

        Raises:
            OSError: the folder cannot be read, or a name cannot be changed.
        """
        for segment in adopt_all(self._folder, SEALED, set()):
            try:
                segment.move(segment.path.with_suffix(KEPT))
            finally:
                segment.close()

    def seal(self, kept: KeptSegment, now: datetime) -> None:
        """The ledger has all of it: let the file lie for a time from now on, or until its room is needed.

        Raises:
            OSError: its name or its time cannot be changed.
        """
        kept.segment.touch(now)
        kept.segment.move(kept.segment.path.with_suffix(SEALED))
        self._forget(kept)
        kept.segment.close()

    def keep_aside(self, kept: KeptSegment) -> Path:
        """Keep a second name of a damaged file.

        Raises:
            OSError: it cannot be made.
        """
        self.damaged = max(self.damaged, 1)
        return kept.segment.keep_aside()

    def make_room(self, now: datetime) -> None:
        """Delete what was sealed long ago; and beyond `max_bytes` sealed files, then others, oldest first.

        Raises:
            OSError: the folder cannot be read.
        """
        found = self._found()
        self.damaged = len(self._files(DAMAGED))
        self.size = sum(stat.st_size for stat in found.values())
        for path, stat in found.items():
            old = stat.st_mtime < (now - self._sealed_for).timestamp()
            if path.suffix == SEALED and (self.size > self.max_bytes or old):
                path.unlink(missing_ok=True)
                self.size -= stat.st_size
        if self.size > self.max_bytes:
            # Where another worker makes room, this one looks again later.
            with locked(self._folder / _ROOM_LOCK) as alone:
                if alone:
                    self._drop()

    def _drop(self) -> None:
        """Delete files of this process that the ledger has not sealed, as many as are too much now."""
        # Another worker may have made room meanwhile.
        self.size = sum(stat.st_size for stat in self._found().values())
        for kept in [kept for kept in self.kept if kept.complete]:
            if self.size <= self.max_bytes:
                break
            self._forget(kept)
            kept.segment.remove()
            self.size -= kept.segment.size
            self.dropped += 1
            _log.error(
                "retained records are deleted before the ledger has sealed them: no room for more",
                file=kept.segment.path.name,
                bytes=kept.segment.size,
                limit=self.max_bytes,
            )

    def close(self) -> None:
        """Close every file; what waits for the ledger is adopted by a later process."""
        try:
            self.sync()
        except OSError as error:
            _log.error("retained records cannot be synced", error=str(error))
        for kept in self.kept:
            kept.segment.close()
        self.kept.clear()
        self._current = None

    def _found(self) -> dict[Path, os.stat_result]:
        """All files, oldest first."""
        found = {}
        for path in self._files(KEPT, SEALED):
            # Another worker may have deleted it, or given it another name.
            with suppress(FileNotFoundError):
                found[path] = path.stat()
        return found

    def _files(self, *suffixes: str) -> list[Path]:
        return sorted(path for suffix in suffixes for path in self._folder.glob(f"*{suffix}"))

    def _end_current(self) -> None:
        if self._current is not None:
            self._current.complete = True
            self._current = None

    def _forget(self, kept: KeptSegment) -> None:
        with self._lock:
            self.kept.remove(kept)
