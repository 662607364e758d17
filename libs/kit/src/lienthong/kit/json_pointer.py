"""JSON pointers (RFC 6901): where in a document something is."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

JsonPath: TypeAlias = tuple[str | int, ...]
"""Member names and array indexes, from the root of a document inwards."""


def pointer(path: Iterable[str | int]) -> str:
    """The JSON pointer of a path (RFC 6901 §3: `~` is written `~0`, and `/` is written `~1`)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
