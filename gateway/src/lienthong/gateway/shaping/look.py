"""Looks into a JSON document once: whether it fits its schema, and which persons it names; and at parameters.

A schema is a program of others (`kit.json_schema`): this is done in a process of its own, with a budget.
"""

from __future__ import annotations

import pickle
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from lienthong.gateway.persons import named_in
from lienthong.gateway.shaping.parameters import read_parameters
from lienthong.gateway.shaping.portable import flaw_of
from lienthong.kit.json_schema import UnusableSchemaError
from lienthong.kit.json_text import NotJsonError, decode
from lienthong.kit.schema_mismatches import SchemaMismatch, mismatches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lienthong.gateway.parameter_checks import ParameterForm, StatedParameters
    from lienthong.kit.field_paths import FieldTree
    from lienthong.kit.json_text import Json

MOST_TOLD: Final = 20
_LISTED_BYTES: Final = 4096
"""Of larger documents the first mismatch is told: there may be one for every few bytes, and a description of
each takes 30 microseconds."""
_MOST_KEPT: Final = 1024
"""Operations whose forms are kept: the catalog sees to it that each has 64 KB at most."""


def look(
    document: bytes, schema: str, tree: FieldTree | None
) -> tuple[list[SchemaMismatch], list[bytes] | None]:
    """What of a document does not fit the schema, and what it has at the places of `tree`; None: not read.

    A document that is no JSON, or whose schema cannot be used, does not fit as a whole. One that other
    readers could not take as it is does not fit, whatever its schema says.
    """
    try:
        value = decode(document)
    except NotJsonError as error:
        return [SchemaMismatch("", "", str(error))], None
    named = named_in(value, tree) if tree is not None else None
    if (flaw := flaw_of(value)) is not None:
        return [flaw], named
    return _mismatches(value, schema, len(document)), named


def look_at_packed(stated: StatedParameters, packed: bytes, schema: str) -> list[SchemaMismatch]:
    """What `look_at_parameters` says of a request, with its operation's `ParameterChecks.packed`."""
    return look_at_parameters(stated, _forms(packed), schema)


@lru_cache(_MOST_KEPT)
def _forms(packed: bytes) -> tuple[ParameterForm, ...]:
    forms: tuple[ParameterForm, ...] = pickle.loads(packed)  # noqa: S301 - of our own process
    return forms


def look_at_parameters(
    stated: StatedParameters, forms: Sequence[ParameterForm], schema: str
) -> list[SchemaMismatch]:
    """What of the parameters of a request does not fit their forms and the schema."""
    value, flaws = read_parameters(stated, forms)
    return flaws[:MOST_TOLD] or _mismatches(value, schema, stated.size)


def _mismatches(value: Json, schema: str, size: int) -> list[SchemaMismatch]:
    try:
        return mismatches(value, schema, MOST_TOLD if size <= _LISTED_BYTES else 1)
    except UnusableSchemaError as error:
        return [SchemaMismatch("", "", f"its schema cannot be used: {error}")]
    except ValueError:
        # What its engine cannot take, it says so: text without an encoding, values in too many others.
        return [SchemaMismatch("", "", "cannot be checked against its schema")]
