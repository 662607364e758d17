"""How the ledger's place in the journal stands to the journal as it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class PlaceState(Enum):
    """Whether the journal has, at the ledger's place, what the log has of it."""

    EMPTY = "empty"
    """Nothing of a journal is in the log yet."""
    AGREES = "agrees"
    """The message there is the one that was integrated, and its records are in the log."""
    AGED_OUT = "aged-out"
    """The journal does not keep that message any more, or it was integrated before marks were stored."""
    SHORTER = "shorter"
    """The journal ends before the ledger's place."""
    OTHER_MESSAGE = "other-message"
    """Another message lies there."""
    NOT_INTEGRATED = "not-integrated"
    """The message lies there, but records of it are not in the log."""
    REPLACED = "replaced"
    """The journal is another stream than the one that was integrated."""
    UNKNOWN = "unknown"
    """The bus does not answer."""


@dataclass(frozen=True, slots=True)
class JournalPlace:
    """The ledger's place: which journal (when it was created), and the number of its last message in the log.

    `journal` and `last_sequence` are what the bus says of the present one; None where it does not answer.
    """

    state: PlaceState
    stream: str
    sequence: int
    journal: str | None = None
    last_sequence: int | None = None
