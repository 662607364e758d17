"""What a page tells of a service or an event type: of its document what people read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

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


def description_of(spec: Mapping[str, Any]) -> str:
    """What the document says of the whole service."""
    info = _object(_object(spec.get("openapi")).get("info"))
    return str(info.get("description") or info.get("summary") or "")[:_LONGEST]


def operations_of(manifest: Mapping[str, Any]) -> Sequence[Operation]:
    """The operations of a service, the first `MOST_OPERATIONS`."""
    paths = _object(_object(_object(manifest.get("spec")).get("openapi")).get("paths"))
    operations = manifest.get("operations")
    return list(_operations(operations if isinstance(operations, list) else [], paths))


def schema_of(spec: Mapping[str, Any]) -> str:
    """The schema of an event type's data, as text."""
    text = json.dumps(spec.get("dataSchema", {}), ensure_ascii=False, indent=2)
    return text if len(text) <= _LONGEST_SCHEMA else f"{text[:_LONGEST_SCHEMA]}\n…"


def _operations(found: Sequence[Any], paths: Mapping[str, Any]) -> Iterator[Operation]:
    for one in found[:MOST_OPERATIONS]:
        method, path = str(one.get("method", "")), str(one.get("path", ""))
        said = _object(_object(paths.get(path)).get(method.lower()))
        yield Operation(str(one.get("id", "")), method, path, str(said.get("summary") or ""))


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
