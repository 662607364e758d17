"""Text for people, in the two languages of the product."""

from __future__ import annotations

import msgspec


class BilingualText(msgspec.Struct, frozen=True):
    """The same sentence in English and in Vietnamese. Both are always there."""

    en: str
    vi: str
