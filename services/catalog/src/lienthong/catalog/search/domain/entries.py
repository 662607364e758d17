"""What is found of a resource: the terms that the index has of it, and the texts that are shown.

A term is a word with the place where it stands in front, so that an index need not know of places: what is
in the title is in `ABOUT` and `ANYWHERE` too.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lienthong.catalog.domain.resources import ResourceKind
from lienthong.catalog.search.domain.words import parts, words
from lienthong.catalog.services.domain.service import ServiceResource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lienthong.catalog.domain.resources import Resource
    from lienthong.kit.json_text import JsonObject

FORM: Final = 1
"""How terms and texts are made. Whoever changes that counts on: the index is then made anew."""

TITLE, ABOUT, ANYWHERE, MARKED = "0", "1", "2", "3"

KINDS: Final = (ResourceKind.AGENCY, ResourceKind.SYSTEM, ResourceKind.SERVICE, ResourceKind.EVENT_TYPE)
"""What can be found."""

_MOST_TERMS: Final = 200_000
"""Bytes of the terms of one entry: PostgreSQL takes a megabyte."""
_LONGEST_TEXT: Final = 10_000
_MOST_TEXT: Final = 60_000
"""Characters of the texts of one entry that are looked at; those of its title and descriptions come first."""
_SHOWN_TEXT, _SHOWN_SUMMARY = 1_000, 200
_SHOWN_OPERATIONS: Final = 100
_MOST_OPERATIONS: Final = 5_000
_MOST_PROPERTIES: Final = 200


@dataclass(frozen=True, slots=True)
class Entry:
    """What the index has of a resource; what is not `shown` only its agency and the operator find."""

    kind: ResourceKind
    resource_id: str
    agency: str
    version: int
    shown: bool
    terms: tuple[str, ...]
    texts: dict[str, Any]

    @property
    def length(self) -> int:
        """Characters of the name: of two that are found alike, the shorter says it more exactly."""
        return len(self.texts["name"]["vi"])


def entry_of(resource: Resource) -> Entry:
    """Return what is found of a resource; of a service that was loaded with its document."""
    about, names, operations = _told(resource)
    name = _name(resource)
    shown = [_shown(text, _SHOWN_TEXT) for text in about if text.strip()][:4]
    texts: dict[str, Any] = {"name": name, "about": shown}
    if operations:
        texts["operations"] = [
            [_shown(called, _SHOWN_SUMMARY), _shown(summary, _SHOWN_SUMMARY)]
            for called, summary in operations[:_SHOWN_OPERATIONS]
        ]
    title = [*name.values(), resource.id]
    rest = [*names, *(text for operation in operations for text in operation)]
    return Entry(
        resource.kind,
        resource.id,
        resource.agency,
        resource.version,
        not isinstance(resource, ServiceResource) or resource.lifecycle.stage.is_shown,
        _terms((TITLE, title), (ABOUT, about), (ANYWHERE, rest)),
        texts,
    )


def _terms(*places: tuple[str, Iterable[str]]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    room, text_left = _MOST_TERMS, _MOST_TEXT
    for place, texts in places:
        within = (TITLE, ABOUT, ANYWHERE)[int(place) :]
        for whole in texts:
            text = whole[: min(_LONGEST_TEXT, text_left)]
            text_left -= len(text)
            for plain, marked in _read(text):
                new = [where + plain for where in within]
                if marked:
                    new.append(MARKED + marked)
                for term in new:
                    if term not in found and (room := room - len(term.encode()) - 1) > 0:
                        found[term] = None
    return tuple(found)


def _read(text: str) -> Iterator[tuple[str, str]]:
    for word in words(text):
        yield word.plain, word.marked
    for part in parts(text):
        yield part, ""


def _shown(text: str, most: int) -> str:
    """Return the beginning of a text, in Unicode NFC, for which it is short enough whatever is in it."""
    return unicodedata.normalize("NFC", text[:most])


def _name(resource: Resource) -> dict[str, str]:
    given = resource.spec.get("name")
    if isinstance(given, dict) and isinstance(given.get("vi"), str):
        return {language: str(text) for language, text in given.items() if text is not None}
    return {"vi": resource.id}


def _told(resource: Resource) -> tuple[list[str], list[str], list[tuple[str, str]]]:
    """Return what is said about a resource, the names in it, and its operations with what they say."""
    if isinstance(resource, ServiceResource):
        return _told_by_service(resource)
    if resource.kind is ResourceKind.SYSTEM:
        described = resource.spec.get("description")
        return ([str(text) for text in described.values() if text] if described else []), [], []
    if resource.kind is ResourceKind.EVENT_TYPE:
        schema = _object(resource.spec.get("dataSchema"))
        properties = list(_object(schema.get("properties")).items())[:_MOST_PROPERTIES]
        described = [text for _, found in properties for text in _texts(found, "title", "description")]
        return [*_texts(schema, "title", "description")], [*(name for name, _ in properties), *described], []
    return [], [], []


def _told_by_service(service: ServiceResource) -> tuple[list[str], list[str], list[tuple[str, str]]]:
    document = _object(service.openapi)
    about = list(_texts(document.get("info"), "title", "summary", "description"))
    tags = document.get("tags")
    for tag in tags[:_MOST_PROPERTIES] if isinstance(tags, list) else ():
        about += _texts(tag, "name", "summary", "description")
    said = _said_of_operations(document)
    operations = [
        (operation.id, said.get((operation.method, operation.path), ("", ""))[0])
        for operation in service.operations[:_MOST_OPERATIONS]
    ]
    paths = dict.fromkeys(operation.path for operation in service.operations[:_MOST_OPERATIONS])
    more = [text for _, texts in said.values() for text in (texts,) if text]
    return about, [*paths, *more], operations


def _said_of_operations(document: JsonObject) -> dict[tuple[str, str], tuple[str, str]]:
    """Return, of each method and path, the summary of the operation, and its tags and description."""
    said: dict[tuple[str, str], tuple[str, str]] = {}
    for path, item in _object(document.get("paths")).items():
        for method, operation in _object(item).items():
            if not isinstance(operation, dict) or len(said) >= _MOST_OPERATIONS:
                continue
            tags = operation.get("tags")
            names = [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []
            summary = next(_texts(operation, "summary"), "")
            more = " ".join([*names[:20], *(text[:_SHOWN_TEXT] for text in _texts(operation, "description"))])
            said[method.upper(), path] = summary, more
    return said


def _texts(value: object, *members: str) -> Iterator[str]:
    found = _object(value)
    for member in members:
        text = found.get(member)
        if isinstance(text, str) and text:
            yield text


def _object(value: object) -> JsonObject:
    return value if isinstance(value, dict) else {}
