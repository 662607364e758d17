"""The spool: batches are kept on this machine's disk while the bus is away.

A spool is a folder of append-only files of frames (`segments`). All functions here block: `Spool` is called
from a thread of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from lienthong.gateway.journal.batches import head
from lienthong.gateway.journal.segments import (
    DAMAGED,
    SEGMENT_BYTES,
    SPOOLED,
    adopt_all,
    made_at,
    new_segment,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from lienthong.gateway.journal.batches import Batch, Damage
    from lienthong.gateway.journal.segments import Segment
    from lienthong.kit.ids import NewId

_WARN_AT = 0.8

_log = structlog.get_logger(__name__)


class SpoolUnavailableError(Exception):
    """The batches are not on disk: the folder cannot be written, or the spool has reached its limit."""


class Spool:
    """The segments that this process holds: sealed ones, oldest first, and the one being written."""

    def __init__(
        self, folder: Path, *, max_bytes: int, new_id: NewId, segment_bytes: int = SEGMENT_BYTES
    ) -> None:
        self.max_bytes = max_bytes
        """How much it may hold."""
        self.damaged = 0
        """How many files of the folder are kept aside because something in them was damaged."""
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._new_id = new_id
        self._sealed: list[Segment] = []
        self._current: Segment | None = None
        self._warned = False
        self._noted: set[tuple[Path, int]] = set()

    @property
    def size(self) -> int:
        """Bytes that are not published yet."""
        current = self._current
        return sum(segment.size for segment in self._sealed) + (current.size if current is not None else 0)

    def age(self, now: datetime) -> float:
        """For how many seconds the oldest file has waited; 0 without any."""
        sealed, current = self._sealed, self._current
        oldest = sealed[0] if sealed else current
        return max((now - made_at(oldest.path)).total_seconds(), 0.0) if oldest is not None else 0.0

    def adopt_orphans(self) -> int:
        """Take over the files of processes that have ended; returns how many."""
        own = {segment.path for segment in (*self._sealed, *([self._current] if self._current else ()))}
        adopted = 0
        try:
            for segment in adopt_all(self._folder, SPOOLED, own):
                self._sealed.append(segment)
                adopted += 1
            self.damaged = len(list(self._folder.glob(f"*{DAMAGED}")))
        except OSError as error:
            _log.warning("spool folder cannot be read", folder=str(self._folder), error=str(error))
        # Names begin with the time they were made.
        self._sealed.sort(key=lambda segment: segment.path.name)
        return adopted

    def append(self, batches: Sequence[Batch]) -> None:
        """Put the batches on disk, in one write and one sync.

        Raises:
            SpoolUnavailableError: none of them may be counted as durable.
        """
        frames = [part for batch in batches for part in (head(batch), batch.payload)]
        length = sum(map(len, frames))
        if self.size + length > self.max_bytes:
            raise SpoolUnavailableError(f"the spool holds its limit of {self.max_bytes} bytes")
        try:
            if self._current is None or self._current.size + length > self._segment_bytes:
                self._seal()
                self._current = new_segment(self._folder, self._new_id, SPOOLED)
            self._current.write(frames)
            self._current.sync()
        except OSError as error:
            self._give_up_current()
            raise SpoolUnavailableError(str(error)) from error
        self._warn_when_filling()

    def oldest(self) -> Segment | None:
        """The segment to publish next; without another one, the one being written is sealed and returned."""
        if not self._sealed:
            self._seal()
        return self._sealed[0] if self._sealed else None

    def shipped(self, segment: Segment) -> Segment:
        """Give up a segment, all of whose batches were acknowledged."""
        self._sealed.remove(segment)
        if self.size < self.max_bytes * _WARN_AT:
            self._warned = False
        return segment

    def note_damage(self, segment: Segment, damage: Damage) -> None:
        """Tell of bytes that are no whole frame, and keep the file aside, unless a write was cut off there.

        Raises:
            OSError: it cannot be kept aside.
        """
        where = {"file": segment.path.name, "offset": damage.offset, "bytes": damage.length}
        if (segment.path, damage.offset) in self._noted:
            return
        self._noted.add((segment.path, damage.offset))
        if damage.torn:
            _log.warning("the end of a spool file was cut off while it was written", **where)
            return
        aside = segment.keep_aside()
        self.damaged = max(self.damaged, 1)
        _log.error("audit records in a spool file are damaged, the file is kept", **where, kept=str(aside))

    def close(self) -> None:
        """Close every file; what is left in them is adopted by a later process."""
        self._seal()
        for segment in self._sealed:
            segment.close()
        self._sealed.clear()

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
