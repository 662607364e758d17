"""Payloads against the JSON Schema (draft 2020-12) of their event type."""

from __future__ import annotations

from lienthong.exchange.errors import EventViolation
from lienthong.kit.schema_mismatches import mismatches

MAX_VIOLATIONS = 20


def schema_violations(value: object, schema: str, *, at: str) -> list[EventViolation]:
    """The places where `value` violates `schema` (JSON text), at most `MAX_VIOLATIONS`.

    `at` is put before the pointer of each. What a schema may be says `kit.json_schema`.

    Raises:
        UnusableSchemaError: the schema is not valid, or refers to something outside itself.
    """
    return [EventViolation(at + one.pointer, one.detail) for one in mismatches(value, schema, MAX_VIOLATIONS)]
