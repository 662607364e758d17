"""Copies of what the bus has acknowledged, on this machine's disk until the ledger has sealed it, and after.

A folder of files of frames (`segments`). Their suffix says how far they are: `.kept` files wait for the
ledger; `.sealed` ones are in the log, and stay for a time, because the ledger's own disk may go back to an
earlier state. All functions block; `write` and the others may be called from two threads.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import structlog

from lienthong.gateway.journal.batches import Batch, head
from lienthong.gateway.journal.claims import claim_of
from lienthong.gateway.journal.segments import (
    DAMAGED,
    SEGMENT_BYTES,
    Segment,
    adopt_all,
    made_at,
    new_segment,
)
from lienthong.kit.ids import uuid7_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime, timedelta
    from pathlib import Path

    from lienthong.gateway.journal.batches import Damage
    from lienthong.gateway.journal.claims import Claim
    from lienthong.kit.ids import NewId

KEPT: Final = ".kept"
SEALED: Final = ".sealed"
_MOST_PENDING: Final = 20_000
"""Batches of one file that are waited for at a time, as far as memory goes."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class KeptSegment:
    """A file whose batches wait for the ledger: as far as it was looked through, and what is not sealed."""

    segment: Segment
    published: datetime
    """No batch in it was published before."""
    complete: bool
    """Nothing is written to it any more."""
    looked: int = 0
    pending: dict[int, Claim] = field(default_factory=dict)
    proved: bool = True
    """Whether all that was found sealed is under a checkpoint that continues the log seen."""
    unsynced: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def done(self) -> bool:
        """Whether every batch is sealed."""
        return self.complete and self.proved and not self.pending and self.looked >= self.segment.size

    def written(self, batches: Iterable[tuple[Batch, int]], offset: int, now: datetime) -> None:
        """Note batches that were written at an offset, with their lengths: they need not be read again."""
        with self.lock:
            # Otherwise they are found by looking.
            if self.looked == offset and len(self.pending) < _MOST_PENDING:
                for batch, length in batches:
                    if (claim := claim_of(batch, offset, now)) is not None:
                        self.pending[offset] = claim
                    offset += length
                self.looked = offset

    def look(self, most: int) -> Iterator[Claim | Damage]:
        """Look further into the file, at up to `most` batches that were not seen before."""
        # What was written by now; a frame behind it may be half written.
        end = self.segment.size
        if self.looked >= end or len(self.pending) >= _MOST_PENDING:
            return
        start = self.looked
        for offset, item in self.segment.scan(start, end):
            self.looked = offset
            if isinstance(item, Batch):
                claim = claim_of(item, start, self._published(item))
                if claim is not None:
                    self.pending[start] = claim
                    yield claim
                    most -= 1
            else:
                yield item
            if not most:
                return
            start = offset

    def _published(self, batch: Batch) -> datetime:
        """When a batch was published at the earliest; its id says when it was put together."""
        try:
            return max(self.published, uuid7_time(batch.id))
        except ValueError:
            return self.published

    def batch_at(self, offset: int) -> Batch | None:
        """The batch that begins there; None when it has been damaged meanwhile."""
        item = next((item for _, item in self.segment.scan(offset)), None)
        return item if isinstance(item, Batch) else None

    def look_again(self) -> None:
        """Ask about everything anew."""
        with self.lock:
            self.looked, self.pending, self.proved = 0, {}, True


class Retained:
    """The retained files: those of this process that wait for the ledger, and the sealed ones of all."""

    def __init__(
        self,
        folder: Path,
        *,
        max_bytes: int,
        sealed_for: timedelta,
        new_id: NewId,
        segment_bytes: int = SEGMENT_BYTES,
    ) -> None:
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
        self._segment_bytes = segment_bytes
        self._current: KeptSegment | None = None
        self._lock = threading.Lock()

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
        current.written(zip(batches, lengths, strict=True), offset, now)

    def sync(self) -> None:
        """Have on disk what was written.

        Raises:
            OSError: it is not.
        """
        for kept in [kept for kept in self.kept if kept.unsynced]:
            kept.unsynced = False
            kept.segment.sync()

    def end_older_than(self, moment: datetime) -> None:
        """Write to another file from now on, if this one was begun before."""
        with self._lock:
            if self._current is not None and self._current.published < moment:
                self._end_current()

    def take(self, segment: Segment, now: datetime) -> None:
        """Take over a file of the spool whose batches have been published now.

        Raises:
            OSError: it cannot be moved, and stays what it was.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        segment.move(self._folder / segment.path.with_suffix(KEPT).name)
        with self._lock:
            self.kept.append(KeptSegment(segment, now, complete=True))
            self.kept.sort(key=lambda kept: kept.segment.path.name)

    def adopt_orphans(self, now: datetime, suffix: str = KEPT) -> int:
        """Take over files of processes that have ended; with `SEALED`, what is sealed is asked about again.

        Raises:
            OSError: the folder cannot be read.
        """
        own = {kept.segment.path for kept in self.kept}
        adopted = adopt_all(self._folder, suffix, own)
        if suffix == SEALED:
            for segment in adopted:
                segment.move(segment.path.with_suffix(KEPT))
        with self._lock:
            self.kept += [KeptSegment(segment, now, complete=True) for segment in adopted]
            self.kept.sort(key=lambda kept: kept.segment.path.name)
        return len(adopted)

    def seal(self, kept: KeptSegment) -> None:
        """The ledger has all of it: let the file lie until it is old, or its room is needed.

        Raises:
            OSError: its name cannot be changed.
        """
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
        """Delete sealed files that are old; and beyond `max_bytes` sealed files, then others, oldest first.

        Raises:
            OSError: the folder cannot be read.
        """
        sizes = {path: path.stat().st_size for path in self._files(KEPT, SEALED) if path.exists()}
        self.damaged = len(self._files(DAMAGED))
        self.size = sum(sizes.values())
        for path in self._files(SEALED):
            if path in sizes and (self.size > self.max_bytes or made_at(path) < now - self._sealed_for):
                path.unlink(missing_ok=True)
                self.size -= sizes[path]
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

    def _files(self, *suffixes: str) -> list[Path]:
        return sorted(path for suffix in suffixes for path in self._folder.glob(f"*{suffix}"))

    def _end_current(self) -> None:
        if self._current is not None:
            self._current.complete = True
            self._current = None

    def _forget(self, kept: KeptSegment) -> None:
        with self._lock:
            self.kept.remove(kept)
