"""What is shown of an entry that was found: its texts, and where in them the words are."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from lienthong.catalog.search.domain.words import plain

if TYPE_CHECKING:
    import re
    from collections.abc import Mapping, Sequence

    from lienthong.catalog.domain.resources import ResourceKind
    from lienthong.catalog.search.domain.asked import Asked

_MOST_OPERATIONS: Final = 3
_MOST_RANGES: Final = 20
_SNIPPET, _BEFORE = 240, 60


@dataclass(frozen=True, slots=True)
class Hit:
    """An entry that was found, as JSON shows it."""

    kind: ResourceKind
    id: str
    agency: str
    name: Mapping[str, str]
    description: str
    operations: Sequence[Mapping[str, str]]
    highlights: Sequence[Mapping[str, Any]]


def hit(kind: ResourceKind, resource_id: str, agency: str, texts: Mapping[str, Any], asked: Asked) -> Hit:
    """Show an entry: its name, the description in which the words are, and the operations that have them."""
    name: Mapping[str, str] = texts["name"]
    about: Sequence[str] = texts.get("about", ())
    if not asked.words:
        return Hit(kind, resource_id, agency, name, _cut(about[0], 0) if about else "", (), ())
    pattern = asked.pattern
    description = _description(about, pattern)
    having = (
        {"id": called, "summary": summary}
        for called, summary in texts.get("operations", ())
        if pattern.search(plain(called)) or pattern.search(plain(summary))
    )
    operations = list(islice(having, _MOST_OPERATIONS))
    shown = {
        **{f"/name/{language}": text for language, text in name.items()},
        "/id": resource_id,
        "/description": description,
        **{
            f"/operations/{place}/{member}": text
            for place, operation in enumerate(operations)
            for member, text in operation.items()
        },
    }
    highlights = [
        {"pointer": pointer, "ranges": ranges}
        for pointer, text in shown.items()
        if (ranges := _ranges(text, pattern))
    ]
    return Hit(kind, resource_id, agency, name, description, operations, highlights)


def _description(about: Sequence[str], pattern: re.Pattern[str]) -> str:
    """Return the text about it in which a word is, or the first one, from a little before that word on."""
    for text in about:
        if found := pattern.search(plain(text)):
            return _cut(text, max(0, found.start() - _BEFORE) if found.end() > _SNIPPET else 0)
    return _cut(about[0], 0) if about else ""


def _cut(text: str, start: int) -> str:
    if start:
        start = text.find(" ", start) + 1 or start
    end = start + _SNIPPET
    return f"{'… ' if start else ''}{text[start:end].strip()}{' …' if end < len(text) else ''}"


def _ranges(text: str, pattern: re.Pattern[str]) -> list[list[int]]:
    return [[*found.span()] for found in islice(pattern.finditer(plain(text)), _MOST_RANGES)]
