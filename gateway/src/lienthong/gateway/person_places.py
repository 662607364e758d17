"""Reads of the catalog's messages where the calls of an operation name persons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.contracts.catalog.v1 import routes_pb2
from lienthong.gateway.http1.fields import field_prefix
from lienthong.gateway.persons import PathValue, PersonPlaces
from lienthong.kit.field_paths import tree

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lienthong.kit.field_paths import FieldTree


def person_places(template: str, message: routes_pb2.PersonPlaces) -> PersonPlaces:
    """The places of an operation with this path template.

    Raises:
        ValueError: one of them is nowhere in the template, or of a kind that this gateway does not know.
        FieldPathError: a path cannot be read.
    """
    path: list[PathValue] = []
    query: dict[bytes, bytes] = {}
    headers: dict[bytes, bytes] = {}
    for one in message.parameters:
        name, separator = one.name, one.separator.encode()
        match one.location:
            case routes_pb2.PARAMETER_LOCATION_PATH:
                path.append(PathValue.named(template, name, separator))
            case routes_pb2.PARAMETER_LOCATION_QUERY:
                query[name.encode()] = separator
            case routes_pb2.PARAMETER_LOCATION_HEADER:
                headers[field_prefix(name.lower().encode())] = separator
            case _:
                raise ValueError(f"the parameter {name} is where this gateway reads nothing")
    return PersonPlaces(path, query, headers, _tree(message.request), _tree(message.answer))


def _tree(paths: Iterable[str]) -> FieldTree | None:
    paths = list(paths)
    return tree(paths) if paths else None
