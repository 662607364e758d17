"""The tree head: what the log is at this moment, and how much of the journal it contains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class TreeHead:
    """The log's size and root hash, the checkpoint that signs them, and the last journal message in the log.

    `journal_stream` says when the journal's stream was created, which tells it from another stream of the
    same name; it is empty before the first message. `journal_sequence` is the number of that message in it,
    and `journal_mark` its `JournalMessage.mark`; None where it is not known. What the journal took before
    `journal_read_through`, by the clock of the bus, is in the log or will never be; None likewise.
    """

    size: int
    root: bytes
    checkpoint: str
    signed_at: datetime
    journal_stream: str
    journal_sequence: int
    journal_mark: bytes | None = None
    journal_read_through: datetime | None = None

    def last_sequence_of(self, stream: str) -> int:
        """The number of the last message of `stream` that is in the log; 0 for a stream not seen before."""
        return self.journal_sequence if self.journal_stream == stream else 0
