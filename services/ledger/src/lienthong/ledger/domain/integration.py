"""What becomes of the records of journal messages: new entries, known ones, or quarantine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lienthong.ledger.domain.records import JournalRecord, UnusableRecord
from lienthong.ledger.errors import JournalChangedError, OutOfOrderError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from lienthong.ledger.domain.records import JournalBatch
    from lienthong.ledger.domain.tree_head import TreeHead


@dataclass(frozen=True, slots=True)
class Quarantining:
    """A record to be kept in quarantine: its message's number, its place in the message, and the reason."""

    journal_sequence: int
    position: int
    record: UnusableRecord


@dataclass(slots=True)
class SortedRecords:
    """Records by what becomes of them; `known` counts those that are in the log already."""

    new: list[JournalRecord] = field(default_factory=list)
    known: int = 0
    quarantine: list[Quarantining] = field(default_factory=list)


def record_ids(batches: Sequence[JournalBatch]) -> list[str]:
    """The ids of all usable records."""
    return [item.record_id for batch in batches for item in batch.records if isinstance(item, JournalRecord)]


def check_repeated(batches: Sequence[JournalBatch], stored: Mapping[str, bytes]) -> None:
    """Check that messages under numbers that are in the log already bring nothing new.

    A journal that went back to an earlier state gives their numbers to other messages.

    Raises:
        JournalChangedError: one of them does.
    """
    for batch in batches:
        for item in batch.records:
            if isinstance(item, JournalRecord) and stored.get(item.record_id) is None:
                raise JournalChangedError(
                    f"message {batch.sequence} is in the log already, and is another one now"
                )


def find_losses(
    last: int, batches: Sequence[JournalBatch], *, missing_before: Collection[int]
) -> list[Quarantining]:
    """Check that messages follow the `last` integrated one without a gap.

    Gaps before the messages with the numbers `missing_before` are known losses of the journal: they are
    returned, to be kept in quarantine.

    Raises:
        OutOfOrderError: there is another gap.
    """
    losses: list[Quarantining] = []
    for batch in batches:
        if batch.sequence != last + 1:
            if batch.sequence not in missing_before:
                raise OutOfOrderError(last + 1, batch.sequence)
            # Read from its beginning, a journal lacks what was pruned after it had come into the log.
            lacks = "has lost its messages" if last else "was pruned of its messages, or has lost them:"
            reason = f"the journal {lacks} {last + 1} to {batch.sequence - 1}"
            losses.append(Quarantining(last + 1, 0, UnusableRecord(b"", reason)))
        last = batch.sequence
    return losses


def replaced(head: TreeHead, stream: str) -> Quarantining:
    """That the journal is another stream now: what the log has not had of the one before is not in it."""
    reason = (
        f"the journal that was created {stream} has replaced the one that was created {head.journal_stream},"
        f" which was in the log up to its message {head.journal_sequence}"
    )
    return Quarantining(0, 0, UnusableRecord(b"", reason))


def sort_records(batches: Sequence[JournalBatch], stored: Mapping[str, bytes]) -> SortedRecords:
    """Tell new records from known and unusable ones.

    `stored` has the bytes of those records that are in the log already, by record id. A record with the id of
    a stored one but other bytes is not the same record: it goes to quarantine.
    """
    seen = dict(stored)
    result = SortedRecords()
    for batch in batches:
        for position, item in enumerate(batch.records):
            if isinstance(item, UnusableRecord):
                result.quarantine.append(Quarantining(batch.sequence, position, item))
            elif item.record_id not in seen:
                seen[item.record_id] = item.data
                result.new.append(item)
            elif seen[item.record_id] == item.data:
                result.known += 1
            else:
                reason = f"the log has another record with the id {item.record_id}"
                unusable = UnusableRecord(item.data, reason)
                result.quarantine.append(Quarantining(batch.sequence, position, unusable))
    return result
