"""Two schemas of one place of a document: what the newer one takes away from those who rely on the older.

Of what callers send, whatever was taken has to be taken still; of what they get, nothing may come that could
not come before, and nothing may be missing that was sure to come. What cannot be compared with certainty,
such as patterns that differ, is named as a change; what is only more generous is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lienthong.catalog.errors import InvalidValueError
from lienthong.catalog.services.domain.references import REF
from lienthong.kit.json_text import canonical
from lienthong.kit.text import BilingualText, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lienthong.catalog.services.domain.references import References
    from lienthong.kit.json_pointer import JsonPath
    from lienthong.kit.json_text import Json

MOST_STEPS: Final = 100_000
"""Schemas that are looked at in two documents, some tenths of a second; what a pair has is looked at once,
however often it is referred to."""
_DEEPEST: Final = 40
_LOWER: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_TYPES: Final = frozenset(("null", "boolean", "integer", "number", "string", "array", "object"))
_ALTERNATIVES: Final = ("oneOf", "anyOf")
_ALL_OF_DEEPEST: Final = 3
_ALL_OF_WIDEST: Final = 8
_NEVER: Final[Mapping[str, Any]] = {"not": {}}
"""One object, so that its identity is its own."""


@dataclass(frozen=True, slots=True)
class Break:
    """A change that breaks callers: of which operation, where in the new document, and what it is."""

    operation: str
    path: JsonPath
    text: BilingualText
    removed: bool = False
    """Whether the operation itself is gone."""


class Comparison:
    """Compares schemas of an older and a newer document; remembers the pairs that it has seen."""

    def __init__(self, old: References, new: References) -> None:
        self._old, self._new = _Schemas(old), _Schemas(new)
        self._seen: set[tuple[int, int, bool]] = set()
        self._steps = MOST_STEPS

    @property
    def is_whole(self) -> bool:
        """Whether everything was looked at; False where there was more than `MOST_STEPS`."""
        return self._steps > 0

    def sent(self, old: Json, new: Json, path: JsonPath) -> Iterator[tuple[JsonPath, BilingualText]]:
        """Yield where callers can send less than before."""
        return self._pair(old, new, path, 0, sent=True)

    def got(self, old: Json, new: Json, path: JsonPath) -> Iterator[tuple[JsonPath, BilingualText]]:
        """Yield where callers get something other than before."""
        return self._pair(old, new, path, 0, sent=False)

    def _pair(
        self, old: Json, new: Json, path: JsonPath, depth: int, *, sent: bool
    ) -> Iterator[tuple[JsonPath, BilingualText]]:
        if self._steps <= 0:
            return
        self._steps -= 1
        before, after = self._old.resolved(old), self._new.resolved(new)
        # References lead to the objects of the documents themselves, so that an identity names a place.
        key = (id(before), id(after), sent)
        if before is None or after is None or key in self._seen or depth > _DEEPEST:
            return
        self._seen.add(key)
        yield from _types(before, after, path, sent=sent)
        yield from _values(before, after, path, sent=sent)
        if sent:
            yield from _bounds(before, after, path)
        yield from self._members(before, after, path, depth, sent=sent)
        if "items" in before and "items" in after:
            yield from self._pair(before["items"], after["items"], (*path, "items"), depth + 1, sent=sent)
        yield from self._alternatives(before, after, path, depth, sent=sent)

    def _members(
        self, before: Mapping[str, Any], after: Mapping[str, Any], path: JsonPath, depth: int, *, sent: bool
    ) -> Iterator[tuple[JsonPath, BilingualText]]:
        old, old_required = self._old.flat(before)
        new, new_required = self._new.flat(after)
        self._steps -= len(new)
        for name in sorted(new_required - old_required) if sent else ():
            yield (*path, "required"), _now_required(name)
        for name, member in old.items():
            if name not in new:
                if not sent or after.get("additionalProperties") is False:
                    yield (*path, "properties"), _gone(name, sent=sent)
                continue
            if not sent and name in old_required and name not in new_required:
                yield (*path, "properties", name), _not_sure(name)
            yield from self._pair(member, new[name], (*path, "properties", name), depth + 1, sent=sent)

    def _alternatives(
        self, before: Mapping[str, Any], after: Mapping[str, Any], path: JsonPath, depth: int, *, sent: bool
    ) -> Iterator[tuple[JsonPath, BilingualText]]:
        for name in _ALTERNATIVES:
            old, new = before.get(name), after.get(name)
            if not isinstance(old, list) or not isinstance(new, list):
                if sent and new is not None and old is None:
                    yield (*path, name), _ALTERNATIVES_NEW
                continue
            if (len(new) < len(old)) if sent else (len(new) > len(old)):
                yield (*path, name), _FEWER if sent else _MORE
            for index, (one, other) in enumerate(zip(old, new, strict=False)):
                yield from self._pair(one, other, (*path, name, index), depth + 1, sent=sent)


_ALTERNATIVES_NEW: Final = BilingualText(
    "only some forms are taken where any was", "chỉ còn nhận một số dạng, trước đây không giới hạn"
)
_FEWER: Final = BilingualText("fewer forms are taken than before", "nhận ít dạng hơn trước")
_MORE: Final = BilingualText("answers may have forms that they did not have", "trả lời có thể có dạng mới")


class _Schemas:
    """The schemas of one document; what a reference leads to is looked up once."""

    def __init__(self, references: References) -> None:
        self._references = references
        self._found: dict[str, Mapping[str, Any] | None] = {}

    def resolved(self, schema: Json) -> Mapping[str, Any] | None:
        """Return the object that a schema is or refers to; None where that says nothing to compare."""
        if schema is False:
            return _NEVER
        if not isinstance(schema, dict):
            return None
        reference = schema.get(REF)
        if not isinstance(reference, str):
            return schema
        if reference not in self._found:
            try:
                found = self._references.value(schema)
            except InvalidValueError:
                found = None
            self._found[reference] = self.resolved(found) if not _refers(found) else None
        return self._found[reference]

    def flat(self, schema: Mapping[str, Any]) -> tuple[dict[str, Json], set[str]]:
        """Return the members and the required ones of a schema, with those of the parts of its `allOf`."""
        members: dict[str, Json] = {}
        required: set[str] = set()
        waiting: list[tuple[Mapping[str, Any], int]] = [(schema, 0)]
        while waiting:
            part, depth = waiting.pop()
            properties, names = part.get("properties"), part.get("required")
            if isinstance(properties, dict):
                members = properties | members
            if isinstance(names, list):
                required |= {name for name in names if isinstance(name, str)}
            if depth < _ALL_OF_DEEPEST and isinstance(part.get("allOf"), list):
                found = (self.resolved(one) for one in part["allOf"][:_ALL_OF_WIDEST])
                waiting += [(one, depth + 1) for one in found if one is not None]
        return members, required


def _refers(value: Json) -> bool:
    return isinstance(value, dict) and REF in value


def _type_set(schema: Mapping[str, Any]) -> frozenset[str]:
    """Return the types that a schema allows; `nullable` is that of OpenAPI 3.0."""
    stated = schema.get("type")
    if isinstance(stated, str):
        types = {stated}
    elif isinstance(stated, list):
        types = {one for one in stated if isinstance(one, str)}
    else:
        # None is stated, or something that is no type: then nothing is known of it.
        return _TYPES
    if "number" in types:
        types.add("integer")
    if schema.get("nullable") is True:
        types.add("null")
    return frozenset(types)


def _types(
    before: Mapping[str, Any], after: Mapping[str, Any], path: JsonPath, *, sent: bool
) -> Iterator[tuple[JsonPath, BilingualText]]:
    old, new = _type_set(before), _type_set(after)
    lost = sorted(old - new if sent else new - old)
    if not lost:
        return
    named = ", ".join(lost) if len(lost) < len(_TYPES) - 1 else "any"
    if sent:
        text = BilingualText(f"no longer takes values of type {named}", f"không còn nhận kiểu {named}")
    else:
        text = BilingualText(f"may now be of type {named}", f"nay có thể có kiểu {named}")
    yield (*path, "type"), text


def _values(
    before: Mapping[str, Any], after: Mapping[str, Any], path: JsonPath, *, sent: bool
) -> Iterator[tuple[JsonPath, BilingualText]]:
    old, new = _enumerated(before), _enumerated(after)
    limited, other = (new, old) if sent else (old, new)
    if limited is None:
        return
    if other is None:
        text = (
            BilingualText("takes only listed values now", "nay chỉ nhận các giá trị được liệt kê")
            if sent
            else BilingualText(
                "may have values that were not listed", "có thể có giá trị ngoài danh sách trước"
            )
        )
        yield (*path, "enum"), text
        return
    more = sorted(other - limited)
    if more:
        said = shown(more[0], 60)
        text = (
            BilingualText(f"no longer takes the value {said}", f"không còn nhận giá trị {said}")
            if sent
            else BilingualText(f"may now have the value {said}", f"nay có thể có giá trị {said}")
        )
        yield (*path, "enum"), text


def _enumerated(schema: Mapping[str, Any]) -> set[str] | None:
    if "const" in schema:
        return {canonical(schema["const"])}
    listed = schema.get("enum")
    return {canonical(one) for one in listed} if isinstance(listed, list) else None


def _bounds(
    before: Mapping[str, Any], after: Mapping[str, Any], path: JsonPath
) -> Iterator[tuple[JsonPath, BilingualText]]:
    for names, tighter in ((_LOWER, 1), (_UPPER, -1)):
        for name in names:
            old, new = _number(before.get(name)), _number(after.get(name))
            if new is not None and (old is None or (new - old) * tighter > 0):
                yield (
                    (*path, name),
                    BilingualText(
                        f"'{name}' is tighter: {shown(str(new), 30)}",
                        f"'{name}' chặt hơn: {shown(str(new), 30)}",
                    ),
                )
    for name in ("pattern", "format", "multipleOf", "uniqueItems"):
        stated = after.get(name)
        if name == "format" and name not in before:
            # By itself it says what values mean, and takes none away.
            continue
        if stated not in (None, False) and canonical(stated) != canonical(before.get(name)):
            yield (
                (*path, name),
                BilingualText(
                    f"'{name}' is new or another: {shown(str(stated), 60)}",
                    f"'{name}' mới thêm hoặc đã đổi: {shown(str(stated), 60)}",
                ),
            )
    if after.get("additionalProperties") is False and before.get("additionalProperties") is not False:
        yield (
            (*path, "additionalProperties"),
            BilingualText(
                "members that are not listed are no longer taken", "không còn nhận trường ngoài danh sách"
            ),
        )


def _number(value: object) -> float | int | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _now_required(name: str) -> BilingualText:
    said = shown(name, 60)
    return BilingualText(f"'{said}' has to be sent now", f"nay bắt buộc gửi '{said}'")


def _gone(name: str, *, sent: bool) -> BilingualText:
    said = shown(name, 60)
    if sent:
        return BilingualText(f"'{said}' is no longer taken", f"không còn nhận '{said}'")
    return BilingualText(f"answers no longer have '{said}'", f"trả lời không còn '{said}'")


def _not_sure(name: str) -> BilingualText:
    said = shown(name, 60)
    return BilingualText(f"answers may lack '{said}' now", f"nay trả lời có thể thiếu '{said}'")
