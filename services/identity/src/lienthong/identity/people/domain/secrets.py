"""Secrets that this server makes up: tokens and recovery codes. Only their digests are stored.

They have 256 and 80 bits from the machine's random source, so that nobody finds one by trying, and a plain
SHA-256 keeps them from whoever reads a copy of the database. Looking one up compares digests, which tells
nobody by its time how much of a guess was right.
"""

import base64
import hashlib
import secrets
from collections.abc import Callable
from typing import Final

RandomBytes = Callable[[int], bytes]
"""So many random bytes, that nobody can foresee."""

MOST_RECOVERY_CODES: Final = 10
LONGEST_TOKEN: Final = 100
"""Characters of a token that is looked at; ours have 43."""

_RECOVERY_BYTES: Final = 10
_GROUP: Final = 4
_READ_AS: Final = str.maketrans({"0": "O", "1": "I", "8": "B"})
"""Digits that base32 (RFC 4648 §6) does not have, as the letters for which people take them."""


def new_token(random: RandomBytes = secrets.token_bytes) -> str:
    """A token of 256 bits, in base64url without padding: 43 characters."""
    return base64.urlsafe_b64encode(random(32)).rstrip(b"=").decode()


def digest(token: str) -> bytes:
    """What is stored of a token, 32 bytes. Any text has one, so that nobody has to check it first."""
    return hashlib.sha256(token[:LONGEST_TOKEN].encode("utf-8", "surrogatepass")).digest()


def new_recovery_codes(random: RandomBytes = secrets.token_bytes) -> list[str]:
    """Ten recovery codes of 80 bits, in four groups of base32: `ABCD-EFGH-IJKL-MNOP`."""
    codes = [base64.b32encode(random(_RECOVERY_BYTES)).decode() for _ in range(MOST_RECOVERY_CODES)]
    return ["-".join(code[at : at + _GROUP] for at in range(0, len(code), _GROUP)) for code in codes]


def recovery_digest(code: str) -> bytes:
    """What is stored of a recovery code; letter case, blanks and hyphens make no difference."""
    letters = code[:LONGEST_TOKEN].upper().translate(_READ_AS)
    return digest("".join(letter for letter in letters if letter.isalnum()))
