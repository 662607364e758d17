"""Payloads against the JSON Schema (draft 2020-12) of their event type."""

from __future__ import annotations

import json
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeAlias

from jsonschema_rs import Draft202012Validator, ValidationErrorKind

from lienthong.exchange.errors import EventViolation
from lienthong.kit import json_schema
from lienthong.kit.json_pointer import pointer
from lienthong.kit.json_schema import UnusableSchemaError
from lienthong.kit.text import shown

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError

    from lienthong.kit.json_text import Json, JsonObject

MAX_VIOLATIONS = 20
_LONGEST_VALUE: Final = 200

CompiledSchema: TypeAlias = tuple[Draft202012Validator, "JsonObject"]


def schema_violations(value: object, schema: str, *, at: str) -> list[EventViolation]:
    """The places where `value` violates `schema` (JSON text), at most `MAX_VIOLATIONS`.

    `at` is put before the pointer of each. What a schema may be says `kit.json_schema`.

    Raises:
        UnusableSchemaError: the schema is not valid, or refers to something outside itself.
    """
    validator, document = compiled(schema)
    # Listing makes an object of each violation, tens of thousands perhaps; nearly all events have none.
    if validator.is_valid(value):
        return []
    found = [
        _violation(error, document, at) for error in islice(validator.iter_errors(value), MAX_VIOLATIONS)
    ]
    return sorted(found, key=lambda violation: violation.pointer)


@lru_cache(maxsize=64)
def compiled(schema: str) -> CompiledSchema:
    """The validator of a schema, and the schema; kept, so that each version is compiled once in a while.

    Raises:
        UnusableSchemaError: the schema is not valid, or refers to something outside itself.
    """
    try:
        document = json.loads(schema)
    except (ValueError, RecursionError) as error:
        raise UnusableSchemaError(f"it is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise UnusableSchemaError("it is not an object")
    return json_schema.compiled(document), document


def _violation(error: ValidationError, document: JsonObject, at: str) -> EventViolation:
    # Other messages of the library repeat the offending value, which may be personal data.
    match error.kind:
        case ValidationErrorKind.Required(name):
            detail = f"'{shown(name)}' is a required property"
        case ValidationErrorKind.AdditionalProperties(names) | ValidationErrorKind.UnevaluatedProperties(
            names
        ):
            listed = ", ".join(f"'{shown(name)}'" for name in names[:3])
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            detail = f"the properties {listed}{more} are not allowed"
        case _:
            keyword = next((name for name in reversed(error.schema_path) if isinstance(name, str)), "schema")
            detail = f"breaks {keyword}: {_short(_part(document, error.schema_path))}"
    return EventViolation(at + pointer(error.instance_path), detail)


def _part(document: JsonObject, path: list[str | int]) -> Json:
    """What the schema says at a place of it."""
    part: Json = document
    for step in path:
        if isinstance(part, dict):
            part = part.get(str(step))
        elif isinstance(part, list) and isinstance(step, int) and step < len(part):
            part = part[step]
        else:
            return None
    return part


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return shown(text, _LONGEST_VALUE)
