"""Strict JSON: what one parser reads, every other parser reads the same way (RFC 7493, I-JSON)."""

from __future__ import annotations

import json
from collections import Counter
from typing import NoReturn

MAX_DEPTH = 200


class NotJsonError(ValueError):
    """The text is not JSON, or JSON that two parsers could understand differently; says why."""


def parse(text: bytes) -> object:
    """Parse UTF-8 JSON text.

    Refuses what the grammar leaves open and parsers decide differently: a member name that stands twice in
    one object, NaN and infinities, numbers too long to be read, and nesting deeper than `MAX_DEPTH`.

    Raises:
        NotJsonError: with a sentence for the person who wrote the text.
    """
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotJsonError(f"byte {error.start} is not UTF-8") from None
    try:
        value = json.loads(decoded, object_pairs_hook=_object, parse_constant=_constant)
    except json.JSONDecodeError as error:
        raise NotJsonError(f"{error.msg} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise NotJsonError(f"nested deeper than {MAX_DEPTH} levels") from None
    except NotJsonError:
        raise
    except ValueError:
        raise NotJsonError("a number has too many digits") from None
    _limit_depth(value)
    return value


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise NotJsonError(f"the member {twice!r} stands twice in one object")
    return result


def _constant(name: str) -> NoReturn:
    raise NotJsonError(f"{name} is not a JSON number")


def _limit_depth(value: object) -> None:
    level: list[object] = [value]
    for _ in range(MAX_DEPTH):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return
    raise NotJsonError(f"nested deeper than {MAX_DEPTH} levels")


def _children(value: object) -> list[object]:
    if isinstance(value, dict):
        return [child for child in value.values() if isinstance(child, dict | list)]
    if isinstance(value, list):
        return [child for child in value if isinstance(child, dict | list)]
    return []
