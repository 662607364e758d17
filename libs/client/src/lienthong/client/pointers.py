"""JSON pointers (RFC 6901): as text, as their parts, and as people write the place of a value."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

Pointer: TypeAlias = tuple[str, ...]


def parse_pointer(text: str) -> Pointer:
    """The parts of `/spec/jwks/keys/0`, without the escapes."""
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:])


def pointer_text(pointer: Sequence[str]) -> str:
    """The pointer that has these parts."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in pointer)


def field_name(pointer: Sequence[str]) -> str:
    """The place as people write it: `spec.jwks.keys[0]`."""
    parts: list[str] = []
    for part in pointer:
        if part.isdigit() and parts:
            parts[-1] += f"[{part}]"
        else:
            parts.append(part)
    return ".".join(parts)
