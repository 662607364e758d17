"""What differs between two documents, member by member."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lienthong.catalog.json_text import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lienthong.catalog.json_text import Json, JsonObject
    from lienthong.catalog.mistakes import Path

_PLAIN = re.compile(r"[A-Za-z0-9_-]+")


class Absent:
    """The value of a member that is not there (which is not the same as null)."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = Absent()


@dataclass(frozen=True, slots=True)
class Change:
    """One member that was added (`old` absent), removed (`new` absent) or changed."""

    path: Path
    old: Json | Absent
    new: Json | Absent

    def document(self) -> dict[str, Any]:
        """Return the change as it stands in an answer; an absent side is null."""
        return {
            "path": dotted(self.path),
            "old": None if isinstance(self.old, Absent) else self.old,
            "new": None if isinstance(self.new, Absent) else self.new,
        }


def diff(old: JsonObject, new: JsonObject, *, at: Path = ()) -> list[Change]:
    """Compare two objects; objects are entered, everything else (lists too) is compared whole.

    Returns the changes in the order of the new document's members, then what was removed.
    """
    return list(_changes(old, new, at))


def dotted(path: Path) -> str:
    """Write a path as in `spec.name.vi`; a member with other characters stands as `["/parcels/{id}"]`."""
    text = ""
    for part in path:
        word = str(part)
        if _PLAIN.fullmatch(word):
            text += f".{word}" if text else word
        else:
            text += f"[{json.dumps(word, ensure_ascii=False)}]"
    return text


def _changes(old: JsonObject, new: JsonObject, at: Path) -> Iterator[Change]:
    for name, after in new.items():
        before = old.get(name, ABSENT)
        if isinstance(before, dict) and isinstance(after, dict):
            yield from _changes(before, after, (*at, name))
        elif isinstance(before, Absent) or canonical(before) != canonical(after):
            yield Change((*at, name), before, after)
    for name, before in old.items():
        if name not in new:
            yield Change((*at, name), before, ABSENT)
