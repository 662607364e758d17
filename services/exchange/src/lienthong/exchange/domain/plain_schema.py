"""Schemas for which it is bounded, and little, what a small value costs to check.

Each value in a payload is checked by one subschema at most, and that takes a bounded number of steps: no
patterns, nothing that is applied to the same value again, nothing that compares values with each other, and
few names. So a payload of so many bytes takes so many steps, whatever is in it (ADR 0021).
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from lienthong.kit.json_schema import children

if TYPE_CHECKING:
    from lienthong.kit.json_text import Json

MOST_LETTERS: Final = 8192
"""Of the text of a plain schema."""
_MOST_NAMED: Final = 64
"""Entries of a list, or members of an object, that a keyword has."""
_SAYS_LITTLE: Final = frozenset({"$schema", "title", "description", "default", "examples", "deprecated"}) | {
    *("$comment", "readOnly", "writeOnly", "format", "contentMediaType", "contentEncoding")
}
"""What nothing is checked by; `format` is an annotation (`kit.json_schema`)."""
_ONE_STEP: Final = frozenset({"type", "const", "enum", "required"}) | {
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength"),
    *("minItems", "maxItems", "minProperties", "maxProperties"),
}
_PART_BY_PART: Final = frozenset({"properties", "additionalProperties", "items", "prefixItems"})
"""What applies one subschema to each part of a value."""
_KNOWN: Final = _SAYS_LITTLE | _ONE_STEP | _PART_BY_PART
_LISTS: Final = ("enum", "required", "properties", "prefixItems", "type")


@lru_cache(maxsize=4096)
def is_plain(schema: str) -> bool:
    """Whether a schema (JSON text) is one of these; kept, for it is asked for each event."""
    if len(schema) > MOST_LETTERS:
        return False
    try:
        stack: list[Json] = [json.loads(schema)]
    except (ValueError, RecursionError):
        return False
    while stack:
        node = stack.pop()
        if isinstance(node, bool):
            continue
        if not isinstance(node, dict) or not _KNOWN.issuperset(node):
            return False
        if any(isinstance(node.get(name), dict | list) and len(node[name]) > _MOST_NAMED for name in _LISTS):
            return False
        stack += [child for _, child in children(node)]
    return True
