"""Text as people read it: in one spelling, and nothing in it that is not seen."""

from __future__ import annotations

import re
import unicodedata
from itertools import groupby
from typing import Final

from lienthong.catalog.errors import InvalidValueError

_LETTER: Final = 4
"""Characters that one letter may come as."""
_MOST_MARKS: Final = 30
"""On one letter, as in the stream-safe text format (Unicode Standard Annex 15, section 13)."""
# Characters without a shape that are not of the category Cf (Default_Ignorable_Code_Point), and blanks of
# which each looks like none or like another.
_UNSEEN: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def plain_text(value: str, limit: int, *, lines: bool = False) -> str:
    """Return text for people: trimmed, in Unicode NFC, not empty, and nothing in it unseen.

    `lines` allows line breaks and tabs. Other control characters are refused, and so are characters that no
    one sees: they make two names look the same, or, as those that turn the direction of writing (Unicode
    Technical Report 36, section 2.10.2), show one text while another is stored. Vietnamese needs none.

    Raises:
        InvalidValueError: it is empty, longer than `limit` characters, or holds such a character.
    """
    # Before anything else is done with it: NFC makes a letter of at most three characters.
    if len(value) > _LETTER * limit:
        raise _too_long(limit)
    # Bringing marks in order takes time that grows with the square of their number.
    if not value.isascii():
        if _most_marks(value) > _MOST_MARKS:
            raise InvalidValueError(
                f"a letter has more than {_MOST_MARKS} marks; remove them",
                f"một chữ cái có hơn {_MOST_MARKS} dấu; hãy bỏ bớt",
            )
        value = unicodedata.normalize("NFC", value)
    value = value.strip()
    if not value:
        raise InvalidValueError("must not be empty", "không được để trống")
    if len(value) > limit:
        raise _too_long(limit)
    if not (value.isascii() and value.isprintable()):
        _check_seen(value, "\n\t" if lines else "")
    return value


def _too_long(limit: int) -> InvalidValueError:
    return InvalidValueError(
        f"longer than {limit} characters; shorten it", f"dài hơn {limit} ký tự; hãy rút gọn"
    )


def _most_marks(value: str) -> int:
    marks = (unicodedata.combining(letter) != 0 for letter in value)
    return max((sum(1 for _ in run) for is_mark, run in groupby(marks) if is_mark), default=0)


def _check_seen(value: str, allowed: str) -> None:
    for letter in value:
        category = unicodedata.category(letter)
        if category in {"Cc", "Cs", "Zl", "Zp"} and letter not in allowed:
            raise InvalidValueError(
                "holds control characters or line breaks; remove them",
                "có ký tự điều khiển hoặc xuống dòng; hãy bỏ đi",
            )
        if category in {"Cf", "Cn", "Co"} or _UNSEEN.match(letter):
            raise InvalidValueError(
                f"holds a character that is not seen (U+{ord(letter):04X}); remove it, or type the text anew",
                f"có ký tự không nhìn thấy được (U+{ord(letter):04X}); hãy bỏ đi hoặc gõ lại",
            )
