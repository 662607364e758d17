"""Paths on the own origin that somebody else may have written."""

from __future__ import annotations

import re
from typing import Final

LONGEST_PATH: Final = 4_000
_LOCAL: Final = re.compile(r"/(?:[!#-\[\]-~][!-\[\]-~]*)?", re.ASCII)
_UPWARDS: Final = re.compile(r"(?:^|/)(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE)


def local_path(text: str) -> str | None:
    """The text, if browsers take it for a path of the origin of the page and for no other address; else None.

    It begins with one slash, is printable ASCII without backslashes (which browsers read as slashes) and
    without steps upwards.
    """
    path = text.partition("?")[0]
    if len(text) > LONGEST_PATH or text.startswith("//") or "//" in path:
        return None
    return text if _LOCAL.fullmatch(text) and not _UPWARDS.search(path) else None
