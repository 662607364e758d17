"""JSON Schema (draft 2020-12) written by others: what is in a schema, and a validator of it.

A schema is a program that runs here. Patterns are matched by an engine that takes linear time (Rust's
`regex`): there is no looking ahead or back and no back-reference, and `\\d`, `\\w` and `$` mean what ECMA-262
says (JSON Schema Core 2020-12, section 6.4). The room that all patterns of a schema may take together is
bounded. `format` is an annotation. Nothing is ever fetched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import jsonschema_rs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lienthong.kit.json_pointer import JsonPath
    from lienthong.kit.json_text import Json, JsonObject

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
IN_PLACE: Final = frozenset(
    {
        *("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "dependencies"),
        *("$ref", "$dynamicRef"),
    }
)
"""Keywords whose schemas are applied to the same value again (Core 2020-12, section 10.2); the engine still
applies `dependencies`, which is of older drafts."""

_ONE: Final = (
    *("not", "if", "then", "else", "items", "contains", "additionalProperties", "propertyNames"),
    *("unevaluatedItems", "unevaluatedProperties", "contentSchema"),
)
_LIST: Final = ("allOf", "anyOf", "oneOf", "prefixItems")
_NAMED: Final = (
    *("properties", "patternProperties", "dependentSchemas", "dependencies"),
    *("$defs", "definitions"),
)
ROOM: Final = 16 * 1024 * 1024
"""Bytes that all compiled patterns of a schema may take, about a letter of Unicode repeated 255 times."""


class UnusableSchemaError(ValueError):
    """A schema cannot be used; the text says why."""


def subschemas(schema: JsonObject) -> Iterator[tuple[JsonPath, JsonObject]]:
    """The schema and every schema in it that is an object, each with its place, as the keywords have them."""
    stack: list[tuple[JsonPath, Json]] = [((), schema)]
    while stack:
        path, node = stack.pop()
        if isinstance(node, dict):
            yield path, node
            stack.extend(((*path, *place), child) for place, child in children(node))


def children(schema: JsonObject) -> Iterator[tuple[JsonPath, Json]]:
    """The schemas directly in a schema, each with its place in it."""
    for name in _ONE:
        if name in schema:
            yield (name,), schema[name]
    for name in _LIST:
        if isinstance(found := schema.get(name), list):
            yield from (((name, index), item) for index, item in enumerate(found))
    for name in _NAMED:
        if isinstance(found := schema.get(name), dict):
            yield from (((name, key), item) for key, item in found.items())


def patterns(schema: JsonObject) -> Iterator[tuple[JsonPath, str]]:
    """The regular expressions of a schema, each with its place."""
    for path, node in subschemas(schema):
        if isinstance(found := node.get("pattern"), str):
            yield (*path, "pattern"), found
        if isinstance(named := node.get("patternProperties"), dict):
            yield from (((*path, "patternProperties", name), name) for name in named)


def compiled(schema: JsonObject, room: int = ROOM) -> jsonschema_rs.Draft202012Validator:
    """The validator of a schema, whose patterns take at most `room` bytes.

    Raises:
        UnusableSchemaError: it is no JSON Schema, one of its patterns needs another engine or too much room,
            or a reference leads nowhere or out of it.
    """
    count = sum(1 for _ in patterns(schema))
    return _validator(schema, room // max(1, count))


def unusable_patterns(schema: JsonObject) -> Iterator[tuple[JsonPath, str]]:
    """The patterns for which a schema cannot be compiled, each with its place."""
    found = list(patterns(schema))
    for path, pattern in found:
        try:
            _validator({"pattern": pattern}, ROOM // len(found))
        except UnusableSchemaError:
            yield path, pattern


def mistakes(schema: JsonObject) -> Iterator[tuple[JsonPath, str]]:
    """What the meta-schema of draft 2020-12 finds wrong, each with its place."""
    for error in _META.iter_errors(schema):
        yield tuple(error.instance_path), error.message


def _validator(schema: JsonObject, room: int) -> jsonschema_rs.Draft202012Validator:
    try:
        return jsonschema_rs.Draft202012Validator(
            schema,
            validate_formats=False,
            offline=True,
            pattern_options=jsonschema_rs.RegexOptions(size_limit=room, dfa_size_limit=room),
        )
    except jsonschema_rs.ValidationError as error:
        raise UnusableSchemaError(error.message[:300]) from None
    except (jsonschema_rs.ReferencingError, ValueError, RecursionError) as error:
        raise UnusableSchemaError(str(error)[:300]) from None


_META: Final = jsonschema_rs.Draft202012Validator(
    {"$ref": DIALECT},
    validate_formats=True,
    offline=True,
    pattern_options=jsonschema_rs.RegexOptions(size_limit=ROOM, dfa_size_limit=ROOM),
)
