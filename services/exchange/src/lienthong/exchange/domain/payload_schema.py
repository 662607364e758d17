"""Payloads against the JSON Schema (draft 2020-12) of their event type."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable

from lienthong.exchange.errors import EventViolation
from lienthong.kit.json_pointer import pointer

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_VIOLATIONS = 20
_REFERENCES = ("$ref", "$dynamicRef")


class UnusableSchemaError(ValueError):
    """The schema of an event type cannot be used; the text says why."""


def schema_violations(value: object, schema: str, *, at: str) -> list[EventViolation]:
    """The places where `value` violates `schema` (JSON text), at most `MAX_VIOLATIONS`.

    `at` is put before the pointer of each.

    `format` is an annotation, as draft 2020-12 has it by default. References lead to places inside the
    schema only: nothing is ever fetched.

    Raises:
        UnusableSchemaError: the schema is not valid, or refers to something outside itself.
    """
    validator = compiled(schema)
    found: list[EventViolation] = []
    try:
        for error in validator.iter_errors(value):
            found.append(_violation(error, at))
            if len(found) == MAX_VIOLATIONS:
                break
    except RecursionError:
        return [EventViolation(at, "is nested too deeply for the schema")]
    except Unresolvable as error:
        raise UnusableSchemaError(f"the reference {error.ref} cannot be followed") from None
    return sorted(found, key=lambda violation: violation.pointer)


@lru_cache(maxsize=512)
def compiled(schema: str) -> Draft202012Validator:
    """The validator of a schema; kept, so that each version of an event type is compiled once.

    Raises:
        UnusableSchemaError: the schema is not valid, or refers to something outside itself.
    """
    try:
        document = json.loads(schema)
        Draft202012Validator.check_schema(document)
    except json.JSONDecodeError as error:
        raise UnusableSchemaError(f"it is not JSON: {error}") from None
    except (SchemaError, RecursionError) as error:
        reason = error.message if isinstance(error, SchemaError) else "it is nested too deeply"
        raise UnusableSchemaError(reason) from None
    remote = next((target for target in _references(document) if not target.startswith("#")), None)
    if remote is not None:
        raise UnusableSchemaError(f"the reference {remote} leads outside the schema")
    # With an empty registry a reference that is not in the schema fails; nothing is ever fetched.
    return Draft202012Validator(document, registry=Registry())


def _references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for name, child in node.items():
            if name in _REFERENCES and isinstance(child, str):
                yield child
            else:
                yield from _references(child)
    elif isinstance(node, list):
        for child in node:
            yield from _references(child)


def _violation(error: ValidationError, at: str) -> EventViolation:
    # jsonschema's other messages repeat the offending value, which may be personal data.
    if error.validator in {"required", "dependentRequired", "additionalProperties"}:
        detail = error.message
    else:
        detail = f"breaks {error.validator}: {_short(error.validator_value)}"
    return EventViolation(at + pointer(error.absolute_path), detail)


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 200 else text[:199] + "…"
