"""What a gateway says of a batch when it asks whether the ledger has it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from lienthong.kit.lost_records import LOST_AFTER, is_lost

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from lienthong.gateway.journal.batches import Batch
    from lienthong.kit.clock import Clock

MOST_TOGETHER: Final = 1000
"""Claims in one question."""


class State(Enum):
    """What the ledger has of a batch: all of it, nothing, or its first record and then something else."""

    SEALED = "sealed"
    MISSING = "missing"
    DIFFERENT = "different"


@dataclass(slots=True)
class Claim:
    """A batch in a file of retained records, at `offset` with `length` bytes.

    It was published at `published` for the last time, and has been missing since `missing_since` (of
    `Clock.monotonic`). `sha256` is that of its records, joined by newlines.
    """

    offset: int
    length: int
    first_record_id: str
    records: int
    sha256: bytes
    published: datetime
    repeats: int = 0
    missing_since: float | None = None

    def lost(self, read_through: datetime | None, clock: Clock, lost_after: timedelta = LOST_AFTER) -> bool:
        """Whether the journal was read beyond it without it, see `is_lost`."""
        now = clock.monotonic()
        if self.missing_since is None:
            self.missing_since = now
        # A clock that was ahead, and set back, would have it wait for as long as it was ahead.
        self.published = min(self.published, clock.now())
        return is_lost(self.published, self.repeats, read_through, now - self.missing_since, lost_after)

    def published_again(self, clock: Clock) -> None:
        """Wait for it anew."""
        self.published, self.missing_since = clock.now(), clock.monotonic()
        self.repeats += 1


@dataclass(frozen=True, slots=True)
class LedgerAnswer:
    """What the ledger has of each claim, its newest checkpoint, and how far it has read the journal.

    `consistency` proves that the checkpoint's tree has grown from the one that the caller named.
    """

    states: Sequence[State]
    checkpoint: str
    verifier_key: str
    consistency: Sequence[bytes]
    read_through: datetime | None


class LedgerUnavailableError(Exception):
    """The ledger did not answer, or not what it was asked."""


class Ledger(Protocol):
    """Who knows which batches are in the log."""

    async def check(self, claims: Sequence[Claim], from_size: int) -> LedgerAnswer:
        """Ask about at most `MOST_TOGETHER` claims; `from_size` is that of the checkpoint seen last, or 0.

        Raises:
            LedgerUnavailableError: there is no answer that can be used.
        """
        ...


class _Identified(msgspec.Struct):
    id: str


_identified = msgspec.json.Decoder(_Identified)


def claim_of(batch: Batch, offset: int, length: int, published: datetime) -> Claim | None:
    """The claim for a batch; None for one whose first record has no id, which no ledger can find."""
    try:
        first = _identified.decode(batch.payload.partition(b"\n")[0]).id
    except msgspec.MsgspecError:
        return None
    return Claim(offset, length, first, batch.count, bytes.fromhex(batch.sha256), published)
