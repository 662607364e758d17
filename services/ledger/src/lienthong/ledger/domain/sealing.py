"""Whether the records of a batch are in the log, byte for byte."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

MOST_BATCHES: Final = 1000
_MOST_RECORDS: Final = 512
_MOST_RECORDS_TOGETHER: Final = 2000
_MOST_TOGETHER: Final = 100
_LONGEST_ID: Final = 128
_DIGEST_BYTES: Final = 32


class BatchState(Enum):
    """What the log has of a batch."""

    SEALED = "all its records, byte for byte"
    MISSING = "not even its first record"
    DIFFERENT = "its first record, and then something else"


class UnusableBatchError(ValueError):
    """No batch can be like this."""


@dataclass(frozen=True, slots=True)
class BatchClaim:
    """Records that lie one after another in the log, if they are there.

    `sha256` is that of the records, joined by newlines.
    """

    first_record_id: str
    records: int
    sha256: bytes

    def __post_init__(self) -> None:
        if not 0 < len(self.first_record_id) <= _LONGEST_ID or "\0" in self.first_record_id:
            raise UnusableBatchError(f"the id of a record has 1 to {_LONGEST_ID} characters")
        if not 1 <= self.records <= _MOST_RECORDS:
            raise UnusableBatchError(f"a batch has 1 to {_MOST_RECORDS} records")
        if len(self.sha256) != _DIGEST_BYTES:
            raise UnusableBatchError(f"a digest has {_DIGEST_BYTES} bytes")


def state_of(claim: BatchClaim, index: int | None, entries: Mapping[int, bytes]) -> BatchState:
    """What the log has of the claim, whose first record is the entry at `index` (None: not there)."""
    if index is None:
        return BatchState.MISSING
    there = [entries.get(place, b"") for place in range(index, index + claim.records)]
    return BatchState.SEALED if sha256(b"\n".join(there)).digest() == claim.sha256 else BatchState.DIFFERENT


def spans_of(claims: Iterable[tuple[BatchClaim, int]]) -> list[tuple[int, int]]:
    """First and last index of the entries that the claims need, whose first records are at these indexes."""
    spans: list[tuple[int, int]] = []
    for first, last in sorted((index, index + claim.records - 1) for claim, index in claims):
        if spans and first <= spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], max(spans[-1][1], last))
        else:
            spans.append((first, last))
    return spans


def portions(claims: Sequence[BatchClaim]) -> Iterator[Sequence[BatchClaim]]:
    """The claims, so many at a time that their records fit in memory."""
    portion: list[BatchClaim] = []
    records = 0
    for claim in claims:
        if records + claim.records > _MOST_RECORDS_TOGETHER or len(portion) >= _MOST_TOGETHER:
            yield portion
            portion, records = [], 0
        portion.append(claim)
        records += claim.records
    if portion:
        yield portion
