"""Names of people in one form: the login, the name that is shown, the name of a device.

Two accounts that look alike are a way to be taken for someone else. A login is an e-mail address in ASCII, so
that no letter of another script can stand in for one of it; a name is written in Latin letters, as every
name in Vietnamese official papers is. Each text is bounded before it is looked at.
"""

import unicodedata
from typing import Final

import precis_i18n
from email_validator import EmailNotValidError, validate_email

from lienthong.kit.text import BilingualText

LONGEST_LOGIN: Final = 254
"""Characters of an e-mail address (RFC 5321 §4.5.3.1.3, less the angle brackets)."""
LONGEST_NAME: Final = 100
"""Characters of a name, in Unicode NFC."""

_NICKNAME: Final = precis_i18n.get_profile("NicknameCasePreserved")
_MARKS: Final = frozenset("'’-. ")
_DIGITS: Final = frozenset("0123456789")


class UnusableNameError(Exception):
    """A text cannot be a login or a name; `text` says what is wrong and how to correct it."""

    def __init__(self, en: str, vi: str) -> None:
        super().__init__(en)
        self.text = BilingualText(en, vi)


def login_of(given: str) -> str:
    """The canonical form of a login: an e-mail address in ASCII and small letters.

    Raises:
        UnusableNameError: it is too long, not ASCII, or not an address (RFC 5321 §4.1.2).
    """
    if len(given) > LONGEST_LOGIN:
        raise UnusableNameError(
            f"must have at most {LONGEST_LOGIN} characters", f"không được quá {LONGEST_LOGIN} ký tự"
        )
    if not given.isascii():
        raise UnusableNameError(
            "must be written in ASCII: letters of other alphabets can look like these",
            "chỉ được dùng ký tự ASCII: chữ của bảng chữ cái khác có thể trông giống hệt",
        )
    try:
        found = validate_email(given.strip(), check_deliverability=False, allow_smtputf8=False, strict=True)
    except EmailNotValidError:
        raise UnusableNameError(
            "must be an e-mail address like an.nguyen@example.gov.vn",
            "phải là địa chỉ thư điện tử, ví dụ an.nguyen@example.gov.vn",
        ) from None
    # The domain in ASCII: `xn--…` is shown as it is, and never as the letters that it stands for.
    return f"{found.local_part}@{found.ascii_domain}".lower()


def name_of(given: str) -> str:
    """The form of a name that is kept and shown: PRECIS Nickname (RFC 8266 §2), in Latin letters.

    Raises:
        UnusableNameError: it is empty or too long, or has a character that no name in Latin letters has.
    """
    if len(given) > 4 * LONGEST_NAME:
        raise _too_long()
    try:
        name: str = _NICKNAME.enforce(unicodedata.normalize("NFC", given))
    except UnicodeEncodeError:
        raise UnusableNameError(
            "must be a name without control characters and symbols",
            "phải là tên, không có ký tự điều khiển và ký hiệu",
        ) from None
    if len(name) > LONGEST_NAME:
        raise _too_long()
    strange = next((letter for letter in name if not _is_of_a_name(letter)), None)
    if strange is not None:
        raise UnusableNameError(
            f"must be written in Latin letters; U+{ord(strange):04X} is none",
            f"phải viết bằng chữ Latinh; U+{ord(strange):04X} không thuộc chữ Latinh",
        )
    return name


def plain(text: str) -> str:
    """A text as people type it in a hurry: small letters without marks, `nguyen van an` for Nguyễn Văn An."""
    apart = unicodedata.normalize("NFKD", text.casefold().replace("đ", "d"))
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def matches(words: str, login: str, name: str) -> bool:
    """Whether each of the words is somewhere in the login or in the name, whatever the case and the marks."""
    found = plain(f"{login} {name}")
    return all(word in found for word in plain(words).split())


def _is_of_a_name(letter: str) -> bool:
    return letter in _MARKS or letter in _DIGITS or unicodedata.name(letter, "").startswith("LATIN ")


def _too_long() -> UnusableNameError:
    return UnusableNameError(
        f"must have at most {LONGEST_NAME} characters", f"không được quá {LONGEST_NAME} ký tự"
    )
