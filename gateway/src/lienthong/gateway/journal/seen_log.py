"""The newest checkpoint of the ledger that this gateway has seen: a log may grow from it, and nothing else.

It lies in a file, with the key that it was signed with: the first answer decides which key that is. Whoever
accepts another log (a ledger restored from an older copy, whose later entries are gone) deletes the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from lienthong.kit.files import replace_file
from lienthong.tlog import Checkpoint, TlogError, VerifierKey, open_checkpoint, verify_consistency

if TYPE_CHECKING:
    from pathlib import Path

    from lienthong.gateway.journal.claims import LedgerAnswer

_log = structlog.get_logger(__name__)


class LogRefusedError(Exception):
    """What the ledger shows does not continue the log that was seen; says how it differs."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A verified checkpoint: its text, what it states, and the key that verified it."""

    text: str
    checkpoint: Checkpoint
    key: VerifierKey

    @property
    def size(self) -> int:
        """How many entries the log had."""
        return self.checkpoint.size


class SeenLog:
    """The file. Its functions block."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> Seen | None:
        """What was seen last; None at the beginning, and when the file cannot be used, which is logged."""
        try:
            key_line, _, text = self.path.read_text(encoding="utf-8").partition("\n")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            _log.error(
                "the ledger's checkpoint seen last cannot be read", file=str(self.path), why=str(error)
            )
            return None
        try:
            key = VerifierKey.parse(key_line)
            return Seen(text, open_checkpoint(text, key), key)
        except TlogError as error:
            _log.error("the ledger's checkpoint seen last is damaged", file=str(self.path), why=str(error))
            return None

    def accept(self, answer: LedgerAnswer, seen: Seen | None) -> Seen:
        """Verify an answer to a question that named `seen`, and remember its checkpoint.

        Raises:
            LogRefusedError: it does not continue what was seen. Nothing is remembered.
            OSError: it cannot be remembered.
        """
        new = _verified(answer, seen)
        if seen is None or new.size > seen.size:
            there = self.load()
            # Another worker may have seen more meanwhile.
            if there is None or there.size < new.size:
                replace_file(self.path, f"{new.key}\n{new.text}")
        return new


def _verified(answer: LedgerAnswer, seen: Seen | None) -> Seen:
    try:
        key = seen.key if seen is not None else VerifierKey.parse(answer.verifier_key)
        new = Seen(answer.checkpoint, open_checkpoint(answer.checkpoint, key), key)
        if seen is None:
            return new
        if new.size < seen.size:
            raise LogRefusedError(
                f"the ledger shows a log of {new.size} entries, and {seen.size} have been seen: its database"
                " is an older copy"
            )
        verify_consistency(seen.size, seen.checkpoint.root, new.size, new.checkpoint.root, answer.consistency)
    except TlogError as error:
        raise LogRefusedError(
            f"the ledger shows a log that does not continue the one seen: {error}"
        ) from error
    return new
