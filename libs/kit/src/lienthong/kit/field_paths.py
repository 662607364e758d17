"""Paths that name fields of a JSON document, and the tree that several of them make.

    $                    the whole document
    owner.fullName       a member of a member
    owners[*].fullName   of every element of an array
    prices.*             every member of an object, whatever its name
    ["họ tên"].first     a name with other characters, as a JSON string in brackets

A path ends at what it names: a value with everything in it. There is nothing like JSONPath's filters, slices
and descendants (RFC 9535), as whoever reads an agreement has to see what leaves.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Final, TypeAlias

from lienthong.kit.text import BilingualText, shown

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_PATH: Final = 500
"""Characters of one path."""
MAX_STEPS: Final = 16
WHOLE_DOCUMENT: Final = "$"
EVERY_OPERATION: Final = "*"
"""Stands for the operations that an agreement's fields do not name."""

_NAME = r"[^\s.\[\]*\"'\\\x00-\x1f\x7f]+"
_STEP = re.compile(
    rf'(?P<dot>\.?)(?:(?P<name>{_NAME})|(?P<every>\*))|\[(?:(?P<element>\*)|(?P<quoted>"(?:[^"\\]|\\.)+"))\]'
)


class Wild(Enum):
    """A step that stands for many."""

    MEMBER = auto()
    ELEMENT = auto()


Step: TypeAlias = str | Wild


class FieldPathError(ValueError):
    """A path, or what several say together, cannot be understood; `text` tells people what to do."""

    def __init__(self, en: str, vi: str) -> None:
        super().__init__(en)
        self.text = BilingualText(en, vi)


@dataclass(slots=True)
class FieldTree:
    """What leaves of a value: all of it where it is `whole`, else what its parts say.

    Of an object either the named `members` or `every` one has parts of its own, never both; of an array
    `elements` says it of each.
    """

    whole: bool = False
    members: dict[str, FieldTree] = field(default_factory=dict)
    every: FieldTree | None = None
    elements: FieldTree | None = None


def steps(path: str) -> list[Step]:
    """The steps of a path, none for the whole document.

    Raises:
        FieldPathError: it is not one.
    """
    if path == WHOLE_DOCUMENT:
        return []
    if len(path) > MAX_PATH:
        raise FieldPathError(f"longer than {MAX_PATH} characters", f"dài hơn {MAX_PATH} ký tự")
    found: list[Step] = []
    at = 0
    while at < len(path):
        step = _STEP.match(path, at)
        # A name follows a dot, but for the first.
        if step is None or ((step["element"] or step["quoted"]) is None and bool(step["dot"]) != bool(found)):
            raise _unreadable(path, at)
        found.append(_step(step, path))
        at = step.end()
    if not found:
        raise _unreadable(path, 0)
    if len(found) > MAX_STEPS:
        raise FieldPathError(f"has more than {MAX_STEPS} steps", f"có hơn {MAX_STEPS} bước")
    return found


def tree(paths: Iterable[str]) -> FieldTree:
    """What several paths let leave together.

    Raises:
        FieldPathError: one of them is none, or a name and `*` stand at the same place.
    """
    root = FieldTree()
    for path in paths:
        node = root
        for step in steps(path):
            node = _part(node, step, path)
        node.whole = True
    return root


def _part(node: FieldTree, step: Step, path: str) -> FieldTree:
    if step is Wild.ELEMENT:
        node.elements = node.elements or FieldTree()
        return node.elements
    if step is Wild.MEMBER:
        node.every = node.every or FieldTree()
    else:
        node.members.setdefault(step, FieldTree())
    if node.every is not None and node.members:
        raise FieldPathError(
            f"'{shown(path)}' meets another path that has '*' where it has a name, or the reverse; write one"
            " or the other",
            f"'{shown(path)}' và một đường dẫn khác dùng cả '*' và tên trường tại cùng một vị trí;"
            f" chỉ dùng một trong hai",
        )
    return node.every if step is Wild.MEMBER and node.every is not None else node.members[str(step)]


def _step(step: re.Match[str], path: str) -> Step:
    if step["element"]:
        return Wild.ELEMENT
    if step["every"]:
        return Wild.MEMBER
    if step["quoted"]:
        try:
            name = str(json.loads(step["quoted"]))
            # Half of a surrogate pair is a name that no document in UTF-8 has.
            name.encode()
        except ValueError:
            raise _unreadable(path, step.start()) from None
        return name
    return step["name"]


def _unreadable(path: str, at: int) -> FieldPathError:
    place = shown(path[at:]) or "''"
    return FieldPathError(
        f"cannot be read from '{place}' on; write names with dots between them, '[*]' for every element of an"
        f" array, '*' for every member of an object, a name with other characters as '[\"name\"]', and '$'"
        f" for the whole answer, like 'owners[*].fullName'",
        f"không đọc được từ '{place}'; hãy viết tên trường cách nhau bằng dấu chấm, '[*]' cho mọi phần tử của"
        f" mảng, '*' cho mọi trường của đối tượng, tên có ký tự khác dạng '[\"tên\"]', và '$' cho toàn bộ trả"
        f" lời, ví dụ 'owners[*].fullName'",
    )
