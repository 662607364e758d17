"""Files of frames, each held by an exclusive `flock` of the process that writes or reads it.

A file whose lock is free belongs to a process that has ended, and may be adopted. What happens to a file is
seen by its suffix. All functions block.
"""

from __future__ import annotations

import fcntl
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from lienthong.gateway.journal.batches import scan
from lienthong.kit.files import make_folder, sync_folder
from lienthong.kit.ids import uuid7_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from lienthong.gateway.journal.batches import Batch, Damage
    from lienthong.kit.ids import NewId

SEGMENT_BYTES: Final = 16 * 1024 * 1024
_PARTS_AT_ONCE: Final = 512
"""POSIX lets writev refuse more than 1024."""
SPOOLED: Final = ".spool"
"""Batches that the bus has not acknowledged: they are published as soon as it takes them."""
DAMAGED: Final = ".damaged"
"""A file in which a frame was damaged, kept aside for the operator under a second name."""


class Segment:
    """One locked file of frames."""

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
            try:
                sync_folder(path.parent)
            except OSError:
                # It is tried again and again: each time a file, and its lock, would stay.
                segment.remove()
                raise
        return segment

    @classmethod
    def adopt(cls, path: Path) -> Segment | None:
        """Lock a file left by a process that has ended; None when another one has it, or it is gone."""
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        return _locked(path, descriptor)

    def write(self, parts: Sequence[bytes]) -> None:
        """Write parts at the end. After an OSError that may be incomplete: use another file."""
        for at in range(0, len(parts), _PARTS_AT_ONCE):
            some = parts[at : at + _PARTS_AT_ONCE]
            length, written = sum(map(len, some)), os.writev(self._descriptor, some)
            if written < length:
                view = memoryview(b"".join(some))[written:]
                while view:
                    view = view[os.write(self._descriptor, view) :]
            self.size += length

    def sync(self) -> None:
        """Have on disk what was written."""
        os.fdatasync(self._descriptor)

    def scan(self, start: int = 0, end: int | None = None) -> Iterator[tuple[int, Batch | Damage]]:
        """What is in the file from `start` to `end`, in the order of writing, see `batches.scan`."""

        def read(offset: int, most: int) -> bytes:
            return os.pread(self._descriptor, most if end is None else min(most, end - offset), offset)

        return scan(read, start)

    def move(self, path: Path) -> None:
        """Give the file another name, perhaps in another folder; it stays locked.

        Raises:
            OSError: the name cannot be given.
        """
        before, self.path = self.path, self.path.replace(path)
        sync_folder(path.parent)
        if before.parent != path.parent:
            sync_folder(before.parent)

    def touch(self, moment: datetime) -> None:
        """Have the file say that it was changed then.

        Raises:
            OSError: it cannot.
        """
        seconds = moment.timestamp()
        os.utime(self._descriptor, (seconds, seconds))

    def keep_aside(self) -> Path:
        """Give the file a second name, under which it stays when this one is deleted."""
        aside = self.path.with_suffix(DAMAGED)
        if not aside.exists():
            aside.hardlink_to(self.path)
            sync_folder(aside.parent)
        return aside

    def close(self) -> None:
        """Unlock and close the file; it stays for another process to adopt."""
        # Never again this number: it may soon be that of another file.
        descriptor, self._descriptor = self._descriptor, -1
        os.close(descriptor)

    def remove(self) -> None:
        """Delete the file, then unlock and close it."""
        self.path.unlink(missing_ok=True)
        self.close()


def new_segment(folder: Path, new_id: NewId, suffix: str) -> Segment:
    """A new file in the folder, which is made if it is missing. Its name begins with the time it was made.

    Raises:
        OSError: it cannot be made.
    """
    make_folder(folder)
    while True:
        segment = Segment.create(folder / f"{new_id()}{suffix}")
        if segment is not None:
            return segment


def made_at(path: Path) -> datetime:
    """When a file was made, as its name says; for a name that is not ours, when it was written to last."""
    try:
        return uuid7_time(path.stem)
    except ValueError:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def adopt_all(folder: Path, suffix: str, own: set[Path]) -> Iterator[Segment]:
    """Lock the files of ended processes, oldest first, one after another.

    Raises:
        OSError: the folder, or the next file, cannot be read. What came before is locked.
    """
    paths = sorted(path for path in folder.glob(f"*{suffix}") if path not in own)
    yield from (segment for path in paths if (segment := Segment.adopt(path)))


def _locked(path: Path, descriptor: int) -> Segment | None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Its holder may have deleted it, or given it another name, between our opening and our locking.
        if not os.path.samestat(path.stat(), os.fstat(descriptor)):
            raise BlockingIOError
    except OSError:
        os.close(descriptor)
        return None
    return Segment(path, descriptor)
