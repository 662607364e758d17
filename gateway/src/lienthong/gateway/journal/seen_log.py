"""The newest checkpoint of the ledger that this gateway has seen: a log may grow from it, and nothing else.

It lies in a file, with the key that it was signed with: the first answer decides which key that is. Whoever
accepts another log (a ledger restored from an older copy, whose later entries are gone) deletes the file; one
that is damaged accepts nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.kit.files import replace_file
from lienthong.tlog import SeenCheckpoint, TlogError, VerifierKey

if TYPE_CHECKING:
    from pathlib import Path

    from lienthong.gateway.journal.claims import LedgerAnswer


class LogRefusedError(Exception):
    """What the ledger shows does not continue the log that was seen; says how it differs."""


class SeenLog:
    """The file. Its functions block."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> SeenCheckpoint | None:
        """What was seen last; None when there is no file.

        Raises:
            LogRefusedError: the file cannot be read or is damaged: nothing is accepted before it is deleted.
        """
        try:
            return SeenCheckpoint.parse(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError, TlogError) as error:
            raise LogRefusedError(
                f"the ledger's checkpoint seen last cannot be used ({self.path.name}): {error}"
            ) from error

    def accept(self, answer: LedgerAnswer, seen: SeenCheckpoint | None) -> SeenCheckpoint:
        """Verify an answer to a question that named `seen`, and remember its checkpoint.

        Raises:
            LogRefusedError: it does not continue what was seen, or that cannot be read. Nothing is
                remembered.
            OSError: it cannot be remembered.
        """
        new = _verified(answer, seen)
        if seen is None or new.size > seen.size:
            there = self.load()
            # Another worker may have seen more meanwhile.
            if there is None or there.size < new.size:
                replace_file(self.path, str(new).encode())
        return new


def _verified(answer: LedgerAnswer, seen: SeenCheckpoint | None) -> SeenCheckpoint:
    try:
        key = seen.key if seen is not None else VerifierKey.parse(answer.verifier_key)
        new = SeenCheckpoint.verified(answer.checkpoint, key)
        if seen is not None:
            seen.check_continued_by(new, answer.consistency)
    except TlogError as error:
        raise LogRefusedError(
            f"the ledger shows a log that does not continue the one seen: {error}"
        ) from error
    return new
