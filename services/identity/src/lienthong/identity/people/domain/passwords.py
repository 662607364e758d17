"""Passwords: which are good enough, and how they are hashed.

Long ones instead of ones with strange characters (NIST SP 800-63B-4 §3.1.1.2); PRECIS OpaqueString (RFC 8265
§4.2), so that a letter that another keyboard composes of two code points is the same letter.
"""

import unicodedata
from typing import Final

import precis_i18n
from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from lienthong.identity.people.domain.names import plain
from lienthong.kit.text import BilingualText

SHORTEST: Final = 15
LONGEST: Final = 128
"""Characters. Fifteen are the least for a password without a second factor, which not every role has."""

_FEWEST_DIFFERENT: Final = 6
_OPAQUE: Final = precis_i18n.get_profile("OpaqueString")

HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, type=Type.ID)
"""argon2id with 19 MiB, two passes, one lane: what OWASP's Password Storage Cheat Sheet names first."""

NOBODYS: Final = HASHER.hash("a password that no account has, for logins that no account has")
"""Verified in the place of an unknown account's, so that the time does not tell which accounts exist."""


class WeakPasswordError(Exception):
    """A password is not taken; `text` says why."""

    def __init__(self, en: str, vi: str) -> None:
        super().__init__(en)
        self.text = BilingualText(en, vi)


def canonical(password: str) -> str | None:
    """The form in which a password is hashed and verified; None for what cannot be anyone's password."""
    if not 0 < len(password) <= LONGEST * 4:
        return None
    try:
        enforced: str = _OPAQUE.enforce(unicodedata.normalize("NFC", password))
    except UnicodeEncodeError:
        return None
    return enforced if len(enforced) <= LONGEST else None


def new_password(password: str, *, login: str, name: str) -> str:
    """The canonical form of a password that someone chose.

    Raises:
        WeakPasswordError: it is too short or too long, has control characters, repeats a few characters, or
            holds the person's own login or whole name, whatever the case, the diacritics and the blanks.
    """
    found = canonical(password)
    if found is None or len(found) < SHORTEST:
        raise WeakPasswordError(
            f"must have {SHORTEST} to {LONGEST} characters and no control characters; several words are good",
            f"phải có từ {SHORTEST} đến {LONGEST} ký tự, không có ký tự điều khiển; nên dùng nhiều từ",
        )
    if len(set(found)) < _FEWEST_DIFFERENT:
        raise WeakPasswordError(
            f"must have at least {_FEWEST_DIFFERENT} different characters",
            f"phải có ít nhất {_FEWEST_DIFFERENT} ký tự khác nhau",
        )
    bare = _bare(found)
    if any(_bare(own) in bare for own in (login, login.partition("@")[0], name) if _is_telling(own)):
        raise WeakPasswordError(
            "must not contain your own login or name",
            "không được chứa tên đăng nhập hay họ tên của chính bạn",
        )
    return found


def _bare(text: str) -> str:
    """The letters and digits of a text, without case and diacritics: nguyenvanan for Nguyễn Văn An.

    Words of a name are not looked for one by one: van, hoa or minh stand in any sentence.
    """
    return "".join(letter for letter in plain(text) if letter.isalnum())


def _is_telling(own: str) -> bool:
    return len(own) > 3 and _bare(own) != ""


def verifies(hashed: str, password: str | None) -> bool:
    """Whether a password is the one of this hash. Takes as long for None, which is nobody's.

    Raises:
        InvalidHashError: the hash is none of argon2's; the database was changed by other hands.
    """
    try:
        HASHER.verify(hashed, password or "")
    except InvalidHashError:
        raise
    except VerificationError:
        return False
    return password is not None


def outdated(hashed: str) -> bool:
    """Whether a hash was made with other parameters than those of today."""
    return HASHER.check_needs_rehash(hashed)
