"""Reads the parameters of a request as JSON's values, by the forms that the service's document has for them.

Percent-encoding is undone before values are told apart by their separators, as providers' frameworks do it.
Text is a number or a boolean only where its form says so and JSON spells it exactly so (RFC 8259, sections 3
and 6). What two readers could understand differently, such as one value that comes twice, or a name that some
take for the declared one, is a flaw.
Everything takes time that grows with the length of the request and the number of forms, and no more.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final

from lienthong.gateway.parameter_checks import HEADER, PATH, QUERY, Shape
from lienthong.gateway.persons import query_text
from lienthong.gateway.shaping.portable import flaw_of
from lienthong.kit.json_pointer import pointer
from lienthong.kit.json_text import NotJsonError, decode
from lienthong.kit.schema_mismatches import SchemaMismatch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lienthong.gateway.parameter_checks import ParameterForm, Spelling, StatedParameters
    from lienthong.kit.json_text import Json, JsonObject

_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_BOOLEANS: Final = {"true": True, "false": False}
_MEMBER: Final = re.compile(r"([^\[\]]+)\]")
_RESPELLED: Final = "comes by a name that is not its own, and that a provider may take for it"


def read_parameters(
    stated: StatedParameters, forms: Sequence[ParameterForm]
) -> tuple[JsonObject, list[SchemaMismatch]]:
    """The parameters that a request has, by location and name, and what is wrong with those that are missing
    or cannot be read."""
    query = _Query(stated.query, forms)
    document: JsonObject = {PATH: {}, QUERY: {}, HEADER: {}}
    flaws: list[SchemaMismatch] = []
    for form in forms:
        try:
            found = _found(form, stated, query)
            if found is not None:
                document[form.location][form.name] = _value(form, found)
        except _FlawError as error:
            flaws.append(_flaw(form, error.member, str(error)))
    return document, flaws


def _flaw(form: ParameterForm, member: tuple[str, ...], why: str) -> SchemaMismatch:
    return SchemaMismatch(pointer((form.location, form.name, *member)), "", why)


class _FlawError(Exception):
    """A parameter, or `member` of it, cannot be read; the text says why."""

    def __init__(self, why: str, *member: str) -> None:
        super().__init__(why)
        self.member = member


def _found(form: ParameterForm, stated: StatedParameters, query: _Query) -> Json:
    """What a parameter has in it, all of it text; None where the request does not have it.

    Raises:
        _FlawError: it cannot be read, is missing, or a provider may read a name that is not declared as its.
    """
    found = _members(form, query) if form.shape in _BY_MEMBERS else _parts(form, stated, query)
    if found is None and form.required:
        raise _FlawError("is missing: the operation needs it")
    if form.location == QUERY and form.name in query.respelled:
        raise _FlawError(_RESPELLED, *query.respelled[form.name])
    if form.location == HEADER and form.name in stated.respelled:
        raise _FlawError(_RESPELLED)
    return found


class _Query:
    """The values of a query by their names and, of parameters that are written `name[member]=value`, the
    members; `respelled` are parameters, each with the member of it, that are also there by other names."""

    def __init__(self, query: bytes, forms: Sequence[ParameterForm]) -> None:
        self.values: dict[str, list[bytes]] = {}
        self.members: dict[str, list[tuple[str, bytes]]] = {}
        self.respelled: dict[str, tuple[str, ...]] = {}
        declared: dict[str, tuple[str, ...]] = {}
        in_brackets: set[str] = set()
        for form in forms:
            if form.location != QUERY:
                continue
            if form.shape is Shape.BRACKETS:
                in_brackets.add(form.name)
            elif form.shape is Shape.MEMBERS:
                declared |= {member: (form.name, member) for member in form.members}
            else:
                declared[form.name] = (form.name,)
        readings = _readings(declared, in_brackets)
        for pair in query.split(b"&"):
            if not pair:
                continue
            encoded, _, value = pair.partition(b"=")
            name = query_text(encoded).decode(errors="replace")
            before, _, rest = name.rpartition("[")
            if before in in_brackets and (member := _MEMBER.fullmatch(rest)) is not None:
                self.members.setdefault(before, []).append((member[1], query_text(value)))
            elif name in declared:
                self.values.setdefault(name, []).append(query_text(value))
            else:
                for reading in _read_as(name):
                    if reading in readings:
                        parameter, *of_it = readings[reading]
                        self.respelled.setdefault(parameter, tuple(of_it))
                        break


def _readings(
    declared: Mapping[str, tuple[str, ...]], in_brackets: Iterable[str]
) -> dict[str, tuple[str, ...]]:
    """What a provider may make of each declared name, with the parameter, and member of it, that has it."""
    readings: dict[str, tuple[str, ...]] = {_folded(name): (name,) for name in in_brackets}
    for name, place in declared.items():
        readings.setdefault(_folded(name), place)
        if name.endswith("[]"):
            readings.setdefault(_folded(name[:-2]), place)
    # A name of nothing but white space is not what everything is that begins with a bracket.
    readings.pop("", None)
    return readings


def _read_as(name: str) -> Iterator[str]:
    """What a provider may make of a name: to many, what follows a bracket is a place in a list or object."""
    yield _folded(name)
    if "[" in name:
        yield _folded(name.partition("[")[0])
        yield _folded(name.rpartition("[")[0])


def _folded(name: str) -> str:
    return name.partition("\0")[0].strip().lower()


_BY_MEMBERS: Final = (Shape.MEMBERS, Shape.BRACKETS)


def _members(form: ParameterForm, query: _Query) -> JsonObject | None:
    """An object whose members stand in the query by themselves; None where there is none."""
    if form.shape is Shape.BRACKETS:
        found = query.members.get(form.name, [])
        return _object((name, _text(value, name)) for name, value in found) if found else None
    found = [(name, value) for name in form.members for value in query.values.get(name, ())]
    # An object without members leaves nothing in the query.
    return _object((name, _text(value, name)) for name, value in found) if found or form.required else None


def _parts(form: ParameterForm, stated: StatedParameters, query: _Query) -> Json:
    """What a parameter has in it, all of it text; None where the request does not have it."""
    texts = [_text(value) for value in _stated(form, stated, query)]
    if not texts:
        return None
    if form.shape is Shape.LIST:
        if form.location == HEADER:
            # Several fields of a name are one list (RFC 9110, section 5.3).
            return [one for text in texts for one in _split(text, form)]
        if not form.separator:
            return texts
    if len(texts) > 1:
        raise _FlawError("comes more than once")
    [text] = texts
    if form.location == PATH and ";" in text:
        raise _FlawError("has a ';', which some providers end the value at")
    if form.shape is Shape.LIST:
        return _split(text, form)
    if form.shape is Shape.ALTERNATING:
        parts = _split(text, form)
        if len(parts) % 2:
            raise _FlawError("has a member without a value")
        return _object(zip(parts[::2], parts[1::2], strict=True))
    if form.shape is Shape.PAIRS:
        pairs = [part.partition("=") for part in _split(text, form)]
        if not all(equals for _, equals, _ in pairs):
            raise _FlawError("has a member without a value")
        return _object((name, value) for name, _, value in pairs)
    return text


def _stated(form: ParameterForm, stated: StatedParameters, query: _Query) -> Sequence[bytes]:
    if form.location == QUERY:
        return query.values.get(form.name, ())
    return stated.headers[form.name] if form.location == HEADER else (stated.path[form.name],)


def _split(text: str, form: ParameterForm) -> list[str]:
    """The parts of a text; of an empty one, none."""
    parts = text.split(form.separator) if text else []
    # White space around the commas of a field says nothing (RFC 9110, section 5.6.1).
    return [part.strip(" \t") for part in parts] if form.location == HEADER else parts


def _object(members: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in members:
        if name in found:
            raise _FlawError("comes more than once", name)
        found[name] = value
    return found


def _text(value: bytes, *member: str) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise _FlawError("is not UTF-8", *member) from None


def _value(form: ParameterForm, found: Json) -> Json:
    """What text stands for, as the form says it."""
    if isinstance(found, dict):
        return {name: _spelled(text, form.members.get(name, form.values)) for name, text in found.items()}
    if isinstance(found, list):
        return [_spelled(text, form.values) for text in found]
    if form.shape is not Shape.JSON:
        return _spelled(found, form.values)
    try:
        value = decode(found.encode())
    except NotJsonError as error:
        raise _FlawError(str(error)) from None
    if (flaw := flaw_of(value)) is not None:
        raise _FlawError(flaw.detail)
    return value


def _spelled(text: str, spelling: Spelling) -> Json:
    if spelling.booleans and text in _BOOLEANS:
        return _BOOLEANS[text]
    return _number(text) if spelling.numbers and _NUMBER.fullmatch(text) else text


def _number(text: str) -> int | float:
    """The number that a text spells.

    Raises:
        _FlawError: readers of different precision take it for different ones.
    """
    try:
        value: int | float = decode(text.encode())
        # The shortest text of a number is compared: no number in binary is 0.1.
        if isinstance(value, int) or Decimal(repr(value)) == Decimal(text):
            return value
    except NotJsonError as error:
        raise _FlawError(str(error)) from None
    except InvalidOperation:
        pass
    raise _FlawError("is a number that is too large, too small or too exact for many readers")
