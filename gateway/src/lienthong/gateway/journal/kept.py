"""A file of batches that wait for the ledger."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lienthong.gateway.journal.batches import Batch, Damage
from lienthong.gateway.journal.claims import claim_of
from lienthong.kit.ids import uuid7_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from lienthong.gateway.journal.claims import Claim
    from lienthong.gateway.journal.segments import Segment


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
        """Note batches that were written at an offset, with their lengths: they need not be read again.

        What is not noted is found by looking.
        """
        with self.lock:
            if self.looked == offset:
                for batch, length in batches:
                    if (claim := claim_of(batch, offset, length, now)) is not None:
                        self.pending[offset] = claim
                    offset += length
                self.looked = offset

    def look(self, most: int) -> Iterator[Claim | Damage]:
        """Look further into the file, at up to `most` batches that were not seen before."""
        # What was written by now; a frame behind it may be half written.
        end = self.segment.size
        start = self.looked
        if start >= end:
            return
        for offset, item in self.segment.scan(start, end):
            self.looked = offset
            if isinstance(item, Batch):
                claim = claim_of(item, start, offset - start, self._published(item))
                if claim is not None:
                    self.pending[start] = claim
                    yield claim
                    most -= 1
            else:
                yield item
            if most <= 0:
                return
            start = offset

    def _published(self, batch: Batch) -> datetime:
        """When a batch was published at the earliest; its id says when it was put together."""
        try:
            return max(self.published, uuid7_time(batch.id))
        except ValueError:
            return self.published

    def batch_of(self, claim: Claim) -> Batch | Damage:
        """The batch of a claim, or what is there now that it has been damaged meanwhile."""
        found = self.segment.scan(claim.offset, claim.offset + claim.length)
        item = next((item for _, item in found), None)
        return item if isinstance(item, Batch) else Damage(claim.offset, claim.length, torn=False)

    def look_again(self) -> None:
        """Ask about everything anew."""
        with self.lock:
            self.looked, self.pending, self.proved = 0, {}, True
