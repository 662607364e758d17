"""What text of a parameter stands for, told from its schema: text, a number, a boolean, a list or an object.

A parameter is text, its schema is of JSON's values. Where the schema wants a number or a boolean, the text
that spells it in JSON is read as one; that has to be sure for every text, so that a schema that takes text
and numbers alike is refused. Types are taken from `type`, `enum` and `const`, through `$ref`, `allOf`,
`anyOf` and `oneOf`; a schema that says none is of text, and then says nothing of other types, which would
never be looked at. `null` cannot be written into a parameter.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from itertools import chain
from typing import TYPE_CHECKING, Final, TypeAlias

from lienthong.catalog.domain.checks import Spelling
from lienthong.catalog.errors import InvalidValueError
from lienthong.catalog.services.domain.references import REF, References
from lienthong.kit.json_schema import subschemas

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from lienthong.kit.json_text import Json, JsonObject

MAX_MEMBERS: Final = 64
"""Members of an object that are read as its schema names them."""
MAX_STEPS: Final = 200_000
"""Schemas that are looked at for the parameters of a document, each as often as it is come to."""
_MAX_DEPTH: Final = 50
_UNREAD: Final = frozenset(
    {
        *("if", "prefixItems", "patternProperties", "dependentSchemas", "dependencies", "contains"),
        *("unevaluatedItems", "unevaluatedProperties", "$dynamicRef"),
    }
)
"""Keywords that say of which type a part is, or what is counted of it, where it is not looked for."""
_NOT_OF_TEXT: Final = frozenset(
    {
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        *("items", "minItems", "maxItems", "uniqueItems", "minContains", "maxContains"),
        *("properties", "additionalProperties", "propertyNames", "required", "dependentRequired"),
        *("minProperties", "maxProperties"),
    }
)
"""Keywords that mean nothing to text."""

Types: TypeAlias = "frozenset[str] | None"
"""Types of JSON, `number` for whole ones too; None: any."""


class ValueKind(Enum):
    """What a parameter has in it."""

    VALUE = "value"
    ARRAY = "array"
    OBJECT = "object"


@dataclass(frozen=True, slots=True)
class ValueForm:
    """What a parameter has in it, and how its values, or the members of an object, are spelled."""

    kind: ValueKind
    values: Spelling
    members: tuple[tuple[str, Spelling], ...] = ()
    other_members: bool = False
    """Whether the schema says something of members that it does not name."""


class ValueReader:
    """Reads the schemas of the parameters of one document."""

    def __init__(self) -> None:
        self._schema: JsonObject = {}
        self._references = References(self._schema)
        self._steps = 0
        self._own: dict[int, tuple[JsonObject, Types]] = {}
        """What each schema says itself, by its id as long as it is kept: of many that refer to one, once."""

    def form(self, schema: JsonObject) -> ValueForm:
        """Return what a parameter of this schema has in it; the schema stands for itself and can be used.

        Raises:
            InvalidValueError: it is not sure how a text is read, or all schemas together are too much.
        """
        self._schema, self._references = schema, References(schema)
        for _, node in subschemas(schema):
            self._step()
            if unread := _UNREAD & node.keys():
                raise InvalidValueError(
                    f"'{min(unread)}' is not looked into for parameters; say the type without it",
                    f"'{min(unread)}' không được xét với tham số; hãy nêu kiểu mà không dùng nó",
                )
        types = self._of_text(self._types(schema), [schema])
        if types == {"array"}:
            items = self._joined(schema, lambda node: self._of_child(node, "items"), "array")
            children = [node["items"] for node in self._in_place(schema) if "items" in node]
            return ValueForm(ValueKind.ARRAY, self._spelling(items, children))
        if types == {"object"}:
            return self._object()
        return ValueForm(ValueKind.VALUE, self._spelling(types, ()))

    def _object(self) -> ValueForm:
        names: dict[str, None] = {}
        others: list[Types] = []

        def look(node: JsonObject) -> Types:
            names.update(dict.fromkeys(node.get("properties", ())))
            if isinstance(node.get("additionalProperties"), dict):
                others.append(self._of_child(node, "additionalProperties"))
                return others[-1]
            return None

        other_types = self._joined(self._schema, look, "object")
        if len(names) > MAX_MEMBERS:
            raise InvalidValueError(
                f"the object has more than {MAX_MEMBERS} members",
                f"đối tượng có hơn {MAX_MEMBERS} thành phần",
            )
        nodes = list(self._in_place(self._schema))
        stated: dict[str, list[Json]] = {}
        for node in nodes:
            for name, child in node.get("properties", {}).items():
                stated.setdefault(name, []).append(child)
        members = []
        for name in names:

            def of_member(node: JsonObject, name: str = name) -> Types:
                return self._of_child(node.get("properties", {}), name)

            types = self._joined(self._schema, of_member, "object")
            members.append((name, self._spelling(types, stated.pop(name, ()))))
        children = [node["additionalProperties"] for node in nodes if "additionalProperties" in node]
        # What is said only of what a member is not, names none.
        children += chain.from_iterable(stated.values())
        spelling = self._spelling(other_types, children)
        return ValueForm(ValueKind.OBJECT, spelling, tuple(members), bool(others))

    def _types(self, schema: Json, depth: int = 0) -> Types:
        return self._joined(schema, self._own_types, None, depth)

    def _own_types(self, node: JsonObject) -> Types:
        if id(node) not in self._own:
            self._own[id(node)] = node, _own_types(node)
        return self._own[id(node)][1]

    def _in_place(self, schema: Json, depth: int = 0) -> Iterator[JsonObject]:
        """A schema and all that are applied to the same value, also those that it must not fit."""
        self._step(depth)
        if not isinstance(schema, dict):
            return
        yield schema
        parts = [part for word in ("allOf", "anyOf", "oneOf") for part in schema.get(word, ())]
        parts += [schema["not"]] if "not" in schema else []
        parts += [self._references.follow(schema[REF])] if REF in schema else []
        for part in parts:
            yield from self._in_place(part, depth + 1)

    def _of_child(self, node: JsonObject, name: str) -> Types:
        return self._types(node[name]) if name in node else None

    def _joined(
        self, schema: Json, own: Callable[[JsonObject], Types], kind: str | None, depth: int = 0
    ) -> Types:
        """What `own` says of a schema and those that are applied to the same value; of several of which one
        counts, those that are not of `kind` say nothing."""
        self._step(depth)
        if not isinstance(schema, dict):
            return None
        parts = list(schema.get("allOf", ()))
        if REF in schema:
            parts.append(self._references.follow(schema[REF]))
        found = own(schema)
        for part in parts:
            found = _both(found, self._joined(part, own, kind, depth + 1))
        for word in ("anyOf", "oneOf"):
            if word not in schema:
                continue
            ways = [one for one in schema[word] if kind is None or self._may_be(one, kind, depth + 1)]
            found = _both(found, _either([self._joined(one, own, kind, depth + 1) for one in ways]))
        return found

    def _step(self, depth: int = 0) -> None:
        self._steps += 1
        if depth > _MAX_DEPTH or self._steps > MAX_STEPS:
            raise InvalidValueError(
                "the schemas of parameters refer to too much to be read; write them shorter",
                "lược đồ của các tham số tham chiếu quá nhiều nên không đọc được; hãy viết gọn hơn",
            )

    def _may_be(self, schema: Json, kind: str, depth: int) -> bool:
        types = self._types(schema, depth)
        return types is None or kind in types

    def _of_text(self, types: Types, stated: Iterable[Json]) -> frozenset[str]:
        """The types of which a text can be; `stated` are the schemas that say it, if they say any."""
        if types is None:
            for schema in stated:
                self._refuse_others(schema)
            return frozenset(("string",))
        found = types - {"null"}
        if not found:
            raise InvalidValueError(
                "no text can be of the type that its schema asks for",
                "không văn bản nào có kiểu mà lược đồ đòi",
            )
        if len(found) > 1 and not found <= {"number", "boolean"}:
            said = ", ".join(sorted(found))
            raise InvalidValueError(
                f"a text could be read as each of {said}; let its schema have one type",
                f"một văn bản có thể đọc thành {said}; hãy chỉ để một kiểu trong lược đồ",
            )
        return found

    def _refuse_others(self, schema: Json) -> None:
        for node in self._in_place(schema):
            if words := _NOT_OF_TEXT & node.keys():
                raise InvalidValueError(
                    f"'{min(words)}' says nothing of text, which a schema without a type is of: say the type",
                    f"'{min(words)}' không áp dụng cho văn bản, mà lược đồ không nêu kiểu là của văn bản: "
                    f"hãy nêu kiểu",
                )
            if (self._own_types(node) or frozenset()) - {"string", "null"}:
                raise InvalidValueError(
                    "a part of it ('type', 'enum' or 'const') is of no text, which a schema without a type "
                    "is of: say the type",
                    "một phần của lược đồ ('type', 'enum' hoặc 'const') không phải của văn bản, mà lược đồ "
                    "không nêu kiểu là của văn bản: hãy nêu kiểu",
                )

    def _spelling(self, types: Types, stated: Iterable[Json]) -> Spelling:
        found = self._of_text(types, stated)
        if found & {"array", "object"}:
            raise InvalidValueError(
                "lists and objects inside a parameter's have no form that OpenAPI defines",
                "danh sách hay đối tượng lồng trong tham số không có cách viết (OpenAPI không định nghĩa)",
            )
        return Spelling(numbers="number" in found, booleans="boolean" in found)


def _own_types(node: JsonObject) -> Types:
    found: Types = None
    if (stated := node.get("type")) is not None:
        listed = stated if isinstance(stated, list) else [stated]
        found = frozenset("number" if one == "integer" else one for one in listed)
    if "enum" in node:
        found = _both(found, frozenset(map(_type, node["enum"])))
    if "const" in node:
        found = _both(found, frozenset((_type(node["const"]),)))
    return found


def _type(value: Json) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def _both(one: Types, other: Types) -> Types:
    if one is None or other is None:
        return other if one is None else one
    return one & other


def _either(ways: list[Types]) -> Types:
    found: frozenset[str] = frozenset()
    for types in ways:
        if types is None:
            return None
        found |= types
    return found
