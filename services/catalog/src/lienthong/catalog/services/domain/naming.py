"""In which way a name is written."""

from __future__ import annotations

import re
from typing import Final

_STYLES: Final = (
    ("snake_case", re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)+")),
    ("kebab-case", re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")),
    ("camelCase", re.compile(r"[a-z][a-z0-9]*([A-Z][a-zA-Z0-9]*)+")),
    ("PascalCase", re.compile(r"[A-Z][a-z0-9]+[a-zA-Z0-9]*")),
)
_LONGEST: Final = 200


def style_of(name: str) -> str | None:
    """Return the way in which a name of several words is written; None where it has one word, or another way.

    A single word in small letters is the same in most ways.
    """
    if len(name) > _LONGEST:
        return None
    return next((style for style, pattern in _STYLES if pattern.fullmatch(name)), None)
