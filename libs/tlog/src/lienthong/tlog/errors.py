"""What can be wrong with the parts of a log.

```
TlogError
├── MalformedTile        a tile path, tile or entry bundle that breaks its format
├── MalformedKey         a verifier or signing key that breaks its format
├── MalformedNote        a text that is no signed note
│   └── MalformedCheckpoint   a signed note that is no checkpoint
├── MalformedReceipt     a text that is no tlog-proof
├── SignatureRefused     a known key's signature is wrong, or no known key signed
├── WrongOrigin          a genuine checkpoint, but of another log
└── ProofRefused         the hashes do not lead to the root
```
"""

# ruff: noqa: N818 - the names say what happened, as the specifications do

from __future__ import annotations


class TlogError(Exception):
    """The base of every error of this package."""


class MalformedTile(TlogError):
    """A tile path, a tile or an entry bundle does not follow c2sp.org/tlog-tiles."""


class MalformedKey(TlogError):
    """A verifier or signing key does not follow c2sp.org/signed-note."""


class MalformedNote(TlogError):
    """A text does not follow c2sp.org/signed-note."""


class MalformedCheckpoint(MalformedNote):
    """A note's text does not follow c2sp.org/tlog-checkpoint."""


class MalformedReceipt(TlogError):
    """A text does not follow c2sp.org/tlog-proof."""


class SignatureRefused(TlogError):
    """No known key signed the note, or a known key's signature is wrong: trust nothing in it."""


class WrongOrigin(TlogError):
    """The checkpoint is signed, but names another log than the expected one."""


class ProofRefused(TlogError):
    """The proof does not lead from what it claims to the root it claims."""
