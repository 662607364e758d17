"""The differences between two JSON documents, member by member."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lienthong.kit.json_text import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lienthong.kit.json_pointer import JsonPath
    from lienthong.kit.json_text import Json, JsonObject

_LONGEST = 5_000
"""Characters of a text that are shown: a WSDL document is one of a million."""

_PLAIN = re.compile(r"[A-Za-z0-9_-]+")


class Absent:
    """The value of a member that is not there (which is not the same as null)."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = Absent()


@dataclass(frozen=True, slots=True)
class MemberChange:
    """One member that was added (`old` absent), removed (`new` absent) or changed."""

    path: JsonPath
    old: Json | Absent
    new: Json | Absent

    def document(self) -> dict[str, Any]:
        """Return the change as JSON; `old` or `new` is null where there is none, a long text shortened."""
        return {
            "path": dotted_path(self.path),
            "old": None if isinstance(self.old, Absent) else _shortened(self.old),
            "new": None if isinstance(self.new, Absent) else _shortened(self.new),
        }


def _shortened(value: Json) -> Json:
    return f"{value[:_LONGEST]}…" if isinstance(value, str) and len(value) > _LONGEST else value


def compare(old: JsonObject, new: JsonObject, *, prefix: JsonPath = ()) -> list[MemberChange]:
    """Compare two objects recursively; anything else, lists too, is compared as a whole.

    Returns the changes in the order of the new document's members, then what was removed. `prefix` is put
    before each path.
    """
    return list(_changes(old, new, prefix))


def dotted_path(path: JsonPath) -> str:
    """Write a path like `spec.name.vi`; a member with other characters is written as `["/parcels/{id}"]`."""
    text = ""
    for part in path:
        word = str(part)
        if _PLAIN.fullmatch(word):
            text += f".{word}" if text else word
        else:
            text += f"[{json.dumps(word, ensure_ascii=False)}]"
    return text


def _changes(old: JsonObject, new: JsonObject, prefix: JsonPath) -> Iterator[MemberChange]:
    for name, after in new.items():
        before = old.get(name, ABSENT)
        if isinstance(before, dict) and isinstance(after, dict):
            yield from _changes(before, after, (*prefix, name))
        elif isinstance(before, Absent) or canonical(before) != canonical(after):
            yield MemberChange((*prefix, name), before, after)
    for name, before in old.items():
        if name not in new:
            yield MemberChange((*prefix, name), before, ABSENT)
