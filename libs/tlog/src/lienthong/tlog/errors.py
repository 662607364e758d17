"""What can be wrong with the parts of a log.

```
TlogError
├── MalformedTileError        a tile path, tile or entry bundle that breaks its format
├── MalformedKeyError         a verifier or signing key that breaks its format
├── MalformedNoteError        a text that is no signed note
│   └── MalformedCheckpointError   a signed note that is no checkpoint
├── MalformedReceiptError     a text that is no tlog-proof
├── SignatureRefusedError     a known key's signature is wrong, or no known key signed
├── WrongOriginError          a genuine checkpoint, but of another log
└── ProofRefusedError         the hashes do not lead to the root
    ├── ShorterLogError       a log has fewer entries than were seen: it was rolled back
    └── ForkedLogError        a log did not grow out of what was seen
```
"""

from __future__ import annotations


class TlogError(Exception):
    """The base of every error of this package."""


class MalformedTileError(TlogError):
    """A tile path, a tile or an entry bundle does not follow c2sp.org/tlog-tiles."""


class MalformedKeyError(TlogError):
    """A verifier or signing key does not follow c2sp.org/signed-note."""


class MalformedNoteError(TlogError):
    """A text does not follow c2sp.org/signed-note."""


class MalformedCheckpointError(MalformedNoteError):
    """A note's text does not follow c2sp.org/tlog-checkpoint."""


class MalformedReceiptError(TlogError):
    """A text does not follow c2sp.org/tlog-proof."""


class SignatureRefusedError(TlogError):
    """No known key signed the note, or a known key's signature is wrong: trust nothing in it."""


class WrongOriginError(TlogError):
    """The checkpoint is signed, but names another log than the expected one."""


class ProofRefusedError(TlogError):
    """The proof does not lead from what it claims to the root it claims."""


class ShorterLogError(ProofRefusedError):
    """The log has fewer entries than have been seen of it: it was rolled back."""

    def __init__(self, seen: int, found: int) -> None:
        super().__init__(f"this is a log of {found} entries, and {seen} have been seen: it was rolled back")
        self.seen = seen
        self.found = found


class ForkedLogError(ProofRefusedError):
    """The log did not grow out of what has been seen of it: entries that were in it are changed or gone."""

    def __init__(self, seen: int, found: int, why: str) -> None:
        super().__init__(f"the log of {found} entries did not grow out of the {seen} seen: {why}")
        self.why = why
        self.seen = seen
        self.found = found
