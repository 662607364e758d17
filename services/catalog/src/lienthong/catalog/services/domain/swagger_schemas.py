"""Schemas and references of OpenAPI 2.0 as OpenAPI 3.0 writes them.

What was under `definitions`, `parameters` and `responses` is under `components` in 3.0, whose names are made
of fewer characters (OpenAPI 3.0.4, section 4.7.7).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from lienthong.catalog.errors import InvalidValueError, Violation
from lienthong.catalog.services.domain.references import REF
from lienthong.kit.json_text import size
from lienthong.kit.text import BilingualText, shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lienthong.kit.json_pointer import JsonPath
    from lienthong.kit.json_text import Json, JsonObject

BINARY: Final[JsonObject] = {"type": "string", "format": "binary"}
"""What 2.0 calls a file."""
MAX_GROWTH: Final = 20 * 1024 * 1024
"""Bytes by which what several operations share may grow, as 3.0 has it at each of them."""
_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9._-]")
_KINDS: Final = {"definitions": "schemas", "responses": "responses"}
_SCHEMAS: Final = ("items", "additionalProperties", "not")
_LISTS: Final = ("allOf", "anyOf", "oneOf")


class SchemaConverter:
    """Converts schemas of one document; `violations` has what cannot be."""

    def __init__(self, document: JsonObject) -> None:
        self.violations: list[Violation] = []
        self._grown = 0
        self._sizes: dict[int, tuple[Json, int]] = {}
        self.names = {
            holder: _component_names(found if isinstance(found := document.get(holder), dict) else {})
            for holder in ("definitions", "parameters", "responses", "securityDefinitions")
        }
        """By the member of the document, the names of its parts in 3.0 by those in 2.0."""
        self._renamed = {old: new for old, new in self.names["definitions"].items() if old != new}

    def schema(self, written: Json, place: JsonPath) -> Json:
        """Return a schema as 3.0 has it; what is none stays as it is."""
        if not isinstance(written, dict):
            return written
        if REF in written:
            return {**written, REF: self.reference(written[REF], (*place, REF))}
        converted: JsonObject = {}
        for name, value in written.items():
            at = (*place, name)
            if name == "properties" and isinstance(value, dict):
                converted[name] = {member: self.schema(part, (*at, member)) for member, part in value.items()}
            elif name in _SCHEMAS and isinstance(value, dict):
                converted[name] = self.schema(value, at)
            elif (name in _LISTS or name == "items") and isinstance(value, list):
                converted[name] = [self.schema(part, (*at, index)) for index, part in enumerate(value)]
            elif name == "discriminator" and isinstance(value, str):
                converted[name] = self._discriminator(value, at)
            else:
                converted[name] = value
        if converted.get("type") == "file":
            converted |= BINARY
        if converted.get("x-nullable") is True:
            converted.setdefault("nullable", True)
        return converted

    def reference(self, reference: Json, place: JsonPath) -> Json:
        """Return where a reference leads in the converted document; one out of it stays."""
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return reference
        holder, _, rest = reference[2:].partition("/")
        if holder not in _KINDS:
            self.wrong(
                place,
                f"'{shown(reference, 100)}' is elsewhere after the conversion to OpenAPI 3.0; move what it "
                f"refers to into 'definitions'",
                f"'{shown(reference, 100)}' nằm ở chỗ khác sau khi chuyển sang OpenAPI 3.0; hãy chuyển mục "
                f"được trỏ tới vào 'definitions'",
            )
            return reference
        word, slash, inner = rest.partition("/")
        return f"#/components/{_KINDS[holder]}/{self.names[holder].get(part_name(word), word)}{slash}{inner}"

    def spend(self, part: Json, times: int, place: JsonPath) -> None:
        """Count that a part of the document will stand at `times` places.

        Raises:
            InvalidValueError: all of these together are too large.
        """
        if times <= 0:
            return
        if id(part) not in self._sizes:
            self._sizes[id(part)] = (part, size(part))
        self._grown += self._sizes[id(part)][1] * times
        if self._grown > MAX_GROWTH:
            raise GrowthError(place)

    def wrong(self, place: JsonPath, en: str, vi: str) -> None:
        """Report something that cannot be converted."""
        self.violations.append(Violation(place, BilingualText(en, vi)))

    def _discriminator(self, name: str, place: JsonPath) -> JsonObject:
        if not self._renamed:
            return {"propertyName": name}
        self.spend(self._renamed, 2, place)
        # Its values are the names of schemas, and some of these have another one now.
        mapping = {old: f"#/components/schemas/{new}" for old, new in self._renamed.items()}
        return {"propertyName": name, "mapping": mapping}


class GrowthError(InvalidValueError):
    """What is shared would make the document too large; `place` is where."""

    def __init__(self, place: JsonPath) -> None:
        super().__init__(
            f"in OpenAPI 3.0 what operations share stands at each of them, which makes the document more "
            f"than {MAX_GROWTH} bytes larger; name fewer media types, or convert it by hand",
            f"trong OpenAPI 3.0 phần dùng chung nằm tại từng thao tác, khiến tài liệu lớn thêm hơn "
            f"{MAX_GROWTH} byte; hãy nêu ít kiểu nội dung hơn, hoặc tự chuyển đổi",
        )
        self.place = place


def part_name(word: str) -> str:
    """Return the name that a word of a reference stands for (RFC 6901)."""
    return unquote(word).replace("~1", "/").replace("~0", "~")


def _component_names(written: Iterable[str]) -> dict[str, str]:
    """Names of components by names of 2.0: the same where they may be, otherwise a free one in order."""
    names = {name: name for name in written if name and not _NOT_IN_NAMES.search(name)}
    taken = set(names)
    for name in written:
        if name in names:
            continue
        plain = free = _NOT_IN_NAMES.sub("_", name) or "_"
        number = 1
        while free in taken:
            number += 1
            free = f"{plain}_{number}"
        names[name] = free
        taken.add(free)
    return names
