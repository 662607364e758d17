"""What of a JSON value does not fit a JSON Schema (draft 2020-12) of others, and the schemas kept compiled.

What is said of a mismatch has names and places, never values: they may be personal data.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeAlias

from jsonschema_rs import Draft202012Validator, ValidationError, ValidationErrorKind

from lienthong.kit import json_schema
from lienthong.kit.json_pointer import pointer
from lienthong.kit.json_schema import UnusableSchemaError
from lienthong.kit.text import shown

if TYPE_CHECKING:
    from lienthong.kit.json_text import Json, JsonObject

_LONGEST_VALUE: Final = 200
_MOST_KEPT: Final = 256 * 1024 * 1024
"""A quarter of the memory of a worker."""
_LITTLE_ROOM: Final = json_schema.ROOM // 16
"""Enough for the patterns of most schemas."""
_BYTES_PER_LETTER: Final = 32
"""What a schema takes in memory, without its patterns, for each letter of its text; 29 were measured."""

CompiledSchema: TypeAlias = tuple[Draft202012Validator, "JsonObject"]


@dataclass(frozen=True, slots=True)
class SchemaMismatch:
    """One rule of a schema that a value breaks, with the JSON pointers (RFC 6901) of both.

    `place` names only what the schema names; `pointer` has names out of the value, and so has `detail` where
    members are not allowed.
    """

    pointer: str
    place: str
    detail: str


def mismatches(value: object, schema: str, most: int) -> list[SchemaMismatch]:
    """What of `value` does not fit `schema` (JSON text), at most `most`, by the pointer.

    To ask for one costs as much as the value takes until there; to ask for more, as if it were checked whole
    and each of thousands of mismatches described.

    Raises:
        UnusableSchemaError: the schema is not valid, or refers to something outside itself.
    """
    validator, document = compiled(schema)
    # Listing makes an object of each mismatch, tens of thousands perhaps; nearly all values have none.
    if validator.is_valid(value):
        return []
    if most == 1:
        return [_mismatch(error, document) for error in _first(validator, value)]
    found = [_mismatch(error, document) for error in islice(validator.iter_errors(value), most)]
    return sorted(found, key=lambda mismatch: mismatch.pointer)


def _first(validator: Draft202012Validator, value: object) -> list[ValidationError]:
    try:
        validator.validate(value)
    except ValidationError as error:
        return [error]
    return []


def compiled(schema: str, kept: KeptSchemas | None = None) -> CompiledSchema:
    """The validator of a schema, and the schema; kept, so that each version is compiled once in a while.

    `kept` is where; by default with those of all the workers' work.

    Raises:
        UnusableSchemaError: the schema is not valid, or refers to something outside itself.
    """
    kept = _kept if kept is None else kept
    found = kept.get(schema)
    if found is not None:
        return found
    try:
        document = json.loads(schema)
    except (ValueError, RecursionError) as error:
        raise UnusableSchemaError(f"it is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise UnusableSchemaError("it is not an object")
    validator, room = _validator(document)
    kept.put(schema, (validator, document), _BYTES_PER_LETTER * len(schema) + 2 * room)
    return validator, document


class KeptSchemas:
    """The compiled schemas that were used last, whose `size` in bytes, as estimated, is at most `most`.

    One provider's are in the way of another's: so many as each of them may have would fill the process.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[str, tuple[CompiledSchema, int]] = OrderedDict()
        self.size = 0

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, schema: str) -> CompiledSchema | None:
        """What was kept of a schema, if it is still there."""
        found = self._kept.get(schema)
        if found is None:
            return None
        self._kept.move_to_end(schema)
        return found[0]

    def put(self, schema: str, compiled: CompiledSchema, size: int) -> None:
        """Keep a schema that is not there, of `size` bytes, and forget what was not used for longest."""
        self._kept[schema] = compiled, size
        self.size += size
        while self.size > self._most and len(self._kept) > 1:
            _, (_, less) = self._kept.popitem(last=False)
            self.size -= less


_kept: Final = KeptSchemas(_MOST_KEPT)


def _validator(document: JsonObject) -> tuple[Draft202012Validator, int]:
    """The validator of a schema, and the bytes that its patterns may take."""
    if not any(True for _ in json_schema.patterns(document)):
        return json_schema.compiled(document), 0
    try:
        return json_schema.compiled(document, _LITTLE_ROOM), _LITTLE_ROOM
    except UnusableSchemaError:
        return json_schema.compiled(document), json_schema.ROOM


def _mismatch(error: ValidationError, document: JsonObject) -> SchemaMismatch:
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
    return SchemaMismatch(pointer(error.instance_path), pointer(error.schema_path), detail)


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
