"""What the ledger takes from the bus: messages of the journal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DURABLE: Final = "ledger"
"""The name of the ledger's durable consumer of the journal."""


@dataclass(frozen=True, slots=True)
class JournalMessage:
    """A message as the journal delivered it; `sequence` is its number in the stream."""

    sequence: int
    payload: bytes
