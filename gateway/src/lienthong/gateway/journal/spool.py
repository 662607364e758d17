"""The spool: batches are kept on this machine's disk while the bus is away.

A spool is a folder of append-only segment files. Each is held by an exclusive `flock` of the process that
writes or ships it; a file whose lock is free belongs to a process that has ended, and is adopted. All
functions here block: `Spool` is called from a thread of its own.
"""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

import structlog

from lienthong.gateway.journal.batches import frame, unframe
from lienthong.kit.files import sync_folder
from lienthong.kit.ids import uuid7_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from lienthong.gateway.journal.batches import Batch
    from lienthong.kit.ids import NewId

SEGMENT_BYTES = 16 * 1024 * 1024
SUFFIX = ".spool"
_WARN_AT = 0.8

_log = structlog.get_logger(__name__)


class SpoolUnavailableError(Exception):
    """The batches are not on disk: the folder cannot be written, or the spool has reached its limit."""


class Segment:
    """One locked spool file."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self.size = os.fstat(descriptor).st_size

    @classmethod
    def create(cls, path: Path) -> Segment | None:
        """Create a file and lock it; None when another process locked it first."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        segment = _locked(path, descriptor)
        if segment is not None:
            sync_folder(path.parent)
        return segment

    @classmethod
    def adopt(cls, path: Path) -> Segment | None:
        """Lock a file left by a process that has ended; None when another one has it, or it is gone."""
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        return _locked(path, descriptor)

    def append(self, frames: bytes) -> None:
        """Write and sync. After an OSError the end of the file may be incomplete: use another file."""
        view = memoryview(frames)
        while view:
            view = view[os.write(self._descriptor, view) :]
        os.fdatasync(self._descriptor)
        self.size += len(frames)

    def batches(self) -> Iterator[Batch]:
        """The batches in the file, in the order in which they were written."""
        with open(self._descriptor, "rb", closefd=False) as file:
            file.seek(0)
            data = file.read()
        return unframe(data)

    def close(self) -> None:
        """Unlock and close the file; it stays for another process to adopt."""
        os.close(self._descriptor)

    def remove(self) -> None:
        """Delete the file, then unlock and close it."""
        self.path.unlink(missing_ok=True)
        os.close(self._descriptor)


class Spool:
    """The segments that this process holds: sealed ones, oldest first, and the one being written."""

    def __init__(
        self, folder: Path, *, max_bytes: int, new_id: NewId, segment_bytes: int = SEGMENT_BYTES
    ) -> None:
        self.max_bytes = max_bytes
        """How much it may hold."""
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._new_id = new_id
        self._sealed: list[Segment] = []
        self._current: Segment | None = None
        self._warned = False

    @property
    def size(self) -> int:
        """Bytes that are not published yet."""
        current = self._current
        return sum(segment.size for segment in self._sealed) + (current.size if current is not None else 0)

    def age(self, now: datetime) -> float:
        """For how many seconds the oldest file has waited; 0 without any."""
        sealed, current = self._sealed, self._current
        oldest = sealed[0] if sealed else current
        return max((now - uuid7_time(oldest.path.stem)).total_seconds(), 0.0) if oldest is not None else 0.0

    def adopt_orphans(self) -> int:
        """Take over the files of processes that have ended; returns how many."""
        try:
            paths = sorted(self._folder.glob(f"*{SUFFIX}"))
        except OSError as error:
            _log.warning("spool folder cannot be read", folder=str(self._folder), error=str(error))
            return 0
        own = {segment.path for segment in (*self._sealed, *([self._current] if self._current else ()))}
        adopted = [segment for path in paths if path not in own and (segment := Segment.adopt(path))]
        # Names begin with the time they were made.
        self._sealed = sorted((*self._sealed, *adopted), key=lambda segment: segment.path.name)
        return len(adopted)

    def append(self, batches: Sequence[Batch]) -> None:
        """Put the batches on disk, in one write and one sync.

        Raises:
            SpoolUnavailableError: none of them may be counted as durable.
        """
        frames = b"".join(map(frame, batches))
        if self.size + len(frames) > self.max_bytes:
            raise SpoolUnavailableError(f"the spool holds its limit of {self.max_bytes} bytes")
        try:
            if self._current is None or self._current.size + len(frames) > self._segment_bytes:
                self._seal()
                self._current = self._new_segment()
            self._current.append(frames)
        except OSError as error:
            self._give_up_current()
            raise SpoolUnavailableError(str(error)) from error
        self._warn_when_filling()

    def oldest(self) -> Segment | None:
        """The segment to publish next; without another one, the one being written is sealed and returned."""
        if not self._sealed:
            self._seal()
        return self._sealed[0] if self._sealed else None

    def shipped(self, segment: Segment) -> None:
        """Delete a segment, all of whose batches were acknowledged."""
        self._sealed.remove(segment)
        segment.remove()
        if self.size < self.max_bytes * _WARN_AT:
            self._warned = False

    def close(self) -> None:
        """Close every file; what is left in them is adopted by a later process."""
        self._seal()
        for segment in self._sealed:
            segment.close()
        self._sealed.clear()

    def _new_segment(self) -> Segment:
        if not self._folder.is_dir():
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            sync_folder(self._folder.parent)
        while True:
            segment = Segment.create(self._folder / f"{self._new_id()}{SUFFIX}")
            if segment is not None:
                return segment

    def _give_up_current(self) -> None:
        """Stop writing to a file whose end may be incomplete."""
        current = self._current
        if current is not None and current.size == 0:
            self._current = None
            current.remove()
        else:
            self._seal()

    def _seal(self) -> None:
        current, self._current = self._current, None
        if current is not None:
            self._sealed.append(current)

    def _warn_when_filling(self) -> None:
        if not self._warned and self.size >= self.max_bytes * _WARN_AT:
            self._warned = True
            _log.warning("spool is filling", bytes=self.size, limit=self.max_bytes, folder=str(self._folder))


def _locked(path: Path, descriptor: int) -> Segment | None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Its holder may have shipped and deleted it between our opening and our locking.
        if os.fstat(descriptor).st_nlink == 0:
            raise BlockingIOError
    except OSError:
        os.close(descriptor)
        return None
    return Segment(path, descriptor)
