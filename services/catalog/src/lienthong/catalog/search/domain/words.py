"""Words of a text as they are searched: without marks, and as they were written.

A Vietnamese letter may have two marks (Unicode Standard, section 7.1: that of the letter, then the tone),
and `đ` has none that could be taken off. Databases differ in what they make of both, so none is asked: a
word is folded here, in one way for all. Tones are written on either vowel (`hoà`, `hòa`); in `marked` the
tone stands first, so that both are one word, and a word is a beginning of another whatever its tone is on.

Cost is linear: letters are taken apart one by one, and no text is brought into a normal form, which takes
time that grows with the square of the marks on one letter.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_WORD: Final = 40
"""Letters by which words are told apart; those after them are not looked at."""

_TONES: Final = frozenset("\u0300\u0301\u0303\u0309\u0323")
_NO_TONE: Final = "\u034f"
_PLAIN_OF: Final = {"đ": "d"}
_WRITTEN_OF: Final = {"ð": "đ"}
"""A capital of both looks the same, and texts from before Unicode have one for the other."""
_MOST_MARKS: Final = 3
_LETTER: Final = 4
"""Characters that a letter with its marks may come as."""
_WORD: Final = re.compile(r"[^\W_][^\W_\u0300-\u036f]*(?:[\u0300-\u036f]+[^\W_]*)*")
_PARTS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_LATIN: Final = re.compile(r"[A-Za-z0-9]+")


class Word(NamedTuple):
    """A word of a text, from the character `start` to before `end`.

    `plain` is it in small letters without marks; `marked`, with them, is empty where it has none.
    """

    start: int
    end: int
    plain: str
    marked: str


def words(text: str) -> Iterator[Word]:
    """Yield the words of a text: runs of letters and digits, with the marks on them."""
    for found in _WORD.finditer(text):
        plain, marked = _read(found[0][: _LETTER * LONGEST_WORD])
        if plain:
            yield Word(found.start(), found.end(), plain, marked)


def plain(text: str) -> str:
    """Return a text in small letters without marks, of the same length: each stands where it stood.

    A letter that is written as several characters stays as it is: texts are brought into Unicode NFC before.
    """
    return text.translate(_PLAIN)


def parts(text: str) -> Iterator[str]:
    """Yield the words that a name in code is made of, in small letters: `getParcelById` has four."""
    for name in _LATIN.findall(text):
        found = _PARTS.findall(name)
        if len(found) > 1:
            yield from (part.lower()[:LONGEST_WORD] for part in found)


@lru_cache(maxsize=16_384)
def _read(word: str) -> tuple[str, str]:
    """Return a word without marks, and with them where it has any."""
    plain, written, tone = "", "", ""
    for character in word:
        bases, marks = _letter(character)
        if bases and len(plain) >= LONGEST_WORD:
            break
        plain += "".join(_PLAIN_OF.get(base, base) for base in bases)
        written += bases + "".join(mark for mark in marks if mark not in _TONES)
        tone = tone or next((mark for mark in marks if mark in _TONES), "")
    plain = plain[:LONGEST_WORD]
    if written == plain and not tone:
        return plain, ""
    return plain, (tone or _NO_TONE) + written[: 2 * LONGEST_WORD]


@lru_cache(maxsize=16_384)
def _letter(character: str) -> tuple[str, str]:
    """Take a letter, a digit or a mark apart, into what stands there and the marks on it."""
    parts_ = unicodedata.normalize("NFKD", character).casefold()
    bases = "".join(_WRITTEN_OF.get(part, part) for part in parts_ if part.isalnum())
    return bases, "".join(sorted(part for part in parts_ if unicodedata.combining(part))[:_MOST_MARKS])


class _Plain(dict[int, str]):
    """Of each character the letter without marks; filled as texts are read."""

    def __missing__(self, code: int) -> str:
        bases = "".join(_PLAIN_OF.get(base, base) for base in _letter(chr(code))[0])
        self[code] = bases if len(bases) == 1 else chr(code)
        return self[code]


_PLAIN: Final = _Plain()
