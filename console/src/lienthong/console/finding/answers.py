"""The fields of an operation's answer, as paths by which an agreement names what leaves."""

from __future__ import annotations

import json
import re
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from lienthong.console.finding.parts import a_list, an_object, followed, operation_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MOST_FIELDS: Final = 40
"""Of one operation; who needs others writes them into a manifest."""
_DEEPEST: Final = 3
_MOST_PARTS: Final = 20
_PLAIN: Final = re.compile(r"[^\s.\[\]*\"'\\\x00-\x1f\x7f]+")
_LONGEST: Final = 200


def fields_of(document: Mapping[str, Any], method: str, path: str) -> Sequence[str]:
    """The fields of the JSON answer of success, the first `MOST_FIELDS`; none where there are none."""
    _, operation = operation_at(document, method, path)
    for status, answer in an_object(operation.get("responses")).items():
        if not str(status).startswith("2"):
            continue
        for kind, media in an_object(followed(document, answer).get("content")).items():
            if "json" in str(kind):
                found = _fields(document, an_object(media).get("schema"), "", 0)
                return list(dict.fromkeys(islice(found, MOST_FIELDS)))
    return []


def _fields(document: Mapping[str, Any], value: object, path: str, depth: int) -> Iterator[str]:
    schema = followed(document, value)
    members = dict(_members(document, schema))
    if members and depth < _DEEPEST:
        for name, inner in members.items():
            if (step := _step(name, path)) is not None:
                yield from _fields(document, inner, step, depth + 1)
    elif "items" in schema and depth < _DEEPEST:
        yield from _fields(document, schema["items"], f"{path}[*]", depth + 1)
    elif path:
        yield path


def _members(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from an_object(schema.get("properties")).items()
    for part in a_list(schema, "allOf")[:_MOST_PARTS]:
        yield from an_object(followed(document, part).get("properties")).items()


def _step(name: object, path: str) -> str | None:
    """The path of a member; None for a name that no form should carry."""
    if not isinstance(name, str) or not name or len(path) + len(name) > _LONGEST:
        return None
    if _PLAIN.fullmatch(name):
        return f"{path}.{name}" if path else name
    return f"{path}[{json.dumps(name, ensure_ascii=False)}]" if name.isprintable() else None
