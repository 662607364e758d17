"""What the ledger takes from the bus: messages of the journal."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

DURABLE: Final = "ledger"
"""The name of the ledger's durable consumer of the journal."""


@dataclass(frozen=True, slots=True)
class JournalMessage:
    """A message as the journal delivered it: its number in the stream, what it holds, and its id."""

    sequence: int
    payload: bytes
    id: str = ""

    @property
    def mark(self) -> bytes:
        """What tells this message from another one under the same number: SHA-256(id ‖ 0x00 ‖ payload)."""
        return sha256(self.id.encode() + b"\0" + self.payload).digest()
