"""What a page tells of a service or an event type: of its document what people read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lienthong.console.finding.answers import fields_of
from lienthong.console.finding.parts import an_object

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MOST_OPERATIONS: Final = 200
_LONGEST: Final = 4_000
_LONGEST_SCHEMA: Final = 20_000


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of a service, and what its document says of it."""

    id: str
    method: str
    path: str
    summary: str
    fields: Sequence[str] = ()
    """Those of its answer, where they were asked for."""


def description_of(spec: Mapping[str, Any]) -> str:
    """What the document says of the whole service."""
    info = an_object(an_object(spec.get("openapi")).get("info"))
    return str(info.get("description") or info.get("summary") or "")[:_LONGEST]


def operations_of(manifest: Mapping[str, Any], *, with_fields: int = 0) -> Sequence[Operation]:
    """The first `MOST_OPERATIONS` of a service, `with_fields` of them with the fields of their answers."""
    document = an_object(an_object(manifest.get("spec")).get("openapi"))
    operations = manifest.get("operations")
    return list(_operations(operations if isinstance(operations, list) else [], document, with_fields))


def schema_of(spec: Mapping[str, Any]) -> str:
    """The schema of an event type's data, as text."""
    text = json.dumps(spec.get("dataSchema", {}), ensure_ascii=False, indent=2)
    return text if len(text) <= _LONGEST_SCHEMA else f"{text[:_LONGEST_SCHEMA]}\n…"


def _operations(found: Sequence[Any], document: Mapping[str, Any], with_fields: int) -> Iterator[Operation]:
    paths = an_object(document.get("paths"))
    for index, one in enumerate(found[:MOST_OPERATIONS]):
        method, path = str(one.get("method", "")), str(one.get("path", ""))
        said = an_object(an_object(paths.get(path)).get(method.lower()))
        fields = fields_of(document, method, path) if index < with_fields else ()
        yield Operation(str(one.get("id", "")), method, path, str(said.get("summary") or ""), fields)
