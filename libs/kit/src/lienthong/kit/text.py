"""Text for people, in the two languages of the product."""

from __future__ import annotations

import re
from typing import Final

import msgspec

_UNFIT: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class BilingualText(msgspec.Struct, frozen=True):
    """The same sentence in English and in Vietnamese. Both are always there."""

    en: str
    vi: str


def shown(text: str, most: int = 60) -> str:
    """What of a text that someone sent can be repeated to them: its beginning, without control characters.

    Halves of surrogate pairs, which no answer can hold, and control characters become U+FFFD.
    """
    return _UNFIT.sub("\ufffd", text if len(text) <= most else f"{text[:most]}…")
