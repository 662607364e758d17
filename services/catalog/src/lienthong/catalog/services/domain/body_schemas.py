"""The schemas of an OpenAPI document as JSON Schemas (draft 2020-12), each with all that it refers to.

Those of OpenAPI 3.1 and 3.2 are in that dialect (OpenAPI 3.1.1, section 4.8.24); those of 3.0, an older one
with words of its own (OpenAPI 3.0.4, section 4.7.24), are rewritten.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from lienthong.catalog.errors import InvalidValueError
from lienthong.kit.json_schema import DIALECT, subschemas

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lienthong.kit.json_text import Json, JsonObject

DIALECTS: Final = (
    DIALECT,
    "https://spec.openapis.org/oas/3.1/dialect/base",
    "https://spec.openapis.org/oas/3.2/dialect/base",
)
_COMPONENTS: Final = "#/components/schemas/"
_DEFS: Final = "#/$defs/"
_BOUNDS: Final = (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum"))
_ONE_WAY: Final = ("readOnly", "writeOnly")


class BodySchemas:
    """The schemas of one document; `of_3_0` says that it is of OpenAPI 3.0."""

    def __init__(self, document: JsonObject, *, of_3_0: bool) -> None:
        components = document.get("components")
        schemas = components.get("schemas") if isinstance(components, dict) else None
        self._named: Mapping[str, Json] = schemas if isinstance(schemas, dict) else {}
        self._of_3_0 = of_3_0
        self._known: dict[str, tuple[Json, set[str]]] = {}
        """Of `components`, each rewritten once: many schemas refer to the same ones."""

    def bundled(self, schema: JsonObject) -> JsonObject:
        """Return a schema that stands for itself: what it refers to is in its `$defs`, which nobody changes.

        Raises:
            InvalidValueError: it refers to what is no schema of `components`, or is not as OpenAPI 3.0 says.
        """
        rewritten, wanted = self._rewritten(schema)
        bundle: JsonObject = rewritten
        definitions: dict[str, Json] = {}
        while wanted:
            name = wanted.pop()
            if name in definitions:
                continue
            if name not in self._named:
                raise InvalidValueError(
                    f"'{_COMPONENTS}{name[:100]}' refers to nothing in this document",
                    f"'{_COMPONENTS}{name[:100]}' không có trong tài liệu",
                )
            if name not in self._known:
                self._known[name] = self._rewritten(self._named[name])
            definitions[name], more = self._known[name]
            wanted |= more
        if definitions:
            bundle["$defs"] = definitions
        return bundle

    def _rewritten(self, schema: Json) -> tuple[Json, set[str]]:
        """A copy of a schema that refers to `$defs`, and the names of the schemas that it refers to."""
        wanted: set[str] = set()
        if not isinstance(schema, dict):
            return schema, wanted
        rewritten = copy.deepcopy(schema)
        for _, node in list(subschemas(rewritten)):
            if self._of_3_0:
                _modernise(node)
            for keyword in ("$ref", "$dynamicRef"):
                if isinstance(reference := node.get(keyword), str):
                    node[keyword], name = _inward(reference)
                    wanted.add(name)
        if "$defs" in rewritten:
            raise InvalidValueError(
                "the gateway reads schemas without '$defs'; put its parts into 'components/schemas'",
                "cổng chỉ đọc lược đồ không có '$defs'; hãy đưa các phần vào 'components/schemas'",
            )
        return rewritten, wanted


def _inward(reference: str) -> tuple[str, str]:
    if not reference.startswith(_COMPONENTS):
        raise InvalidValueError(
            f"'{reference[:100]}' is followed only where it begins with '{_COMPONENTS}'",
            f"'{reference[:100]}' chỉ được hỗ trợ khi bắt đầu bằng '{_COMPONENTS}'",
        )
    place = reference.removeprefix(_COMPONENTS)
    name = unquote(place.partition("/")[0]).replace("~1", "/").replace("~0", "~")
    return _DEFS + place, name


def _modernise(node: JsonObject) -> None:
    """Rewrite one schema object of OpenAPI 3.0, not what is in it."""
    if "$ref" in node:
        # What stands beside a reference says nothing in 3.0.
        reference = node["$ref"]
        node.clear()
        node["$ref"] = reference
        return
    _refuse_one_way(node)
    if node.pop("nullable", False) is True and isinstance(node.get("type"), str):
        node["type"] = [node["type"], "null"]
        if isinstance(listed := node.get("enum"), list) and None not in listed:
            node["enum"] = [*listed, None]
    for bound, exclusive in _BOUNDS:
        if isinstance(node.get(exclusive), bool) and node.pop(exclusive) and bound in node:
            node[exclusive] = node.pop(bound)


def _refuse_one_way(node: JsonObject) -> None:
    """In 3.0 a required member that is read-only is required of answers alone: one schema cannot say that."""
    required, members = node.get("required"), node.get("properties")
    if not isinstance(required, list) or not isinstance(members, dict):
        return
    for name in required:
        member = members.get(name) if isinstance(name, str) else None
        if isinstance(member, dict) and any(member.get(word) is True for word in _ONE_WAY):
            raise InvalidValueError(
                f"'{name[:100]}' is required and goes one way only (readOnly, writeOnly): describe requests "
                f"and answers by schemas of their own",
                f"'{name[:100]}' vừa bắt buộc vừa chỉ đi một chiều (readOnly, writeOnly): hãy mô tả yêu cầu "
                f"và trả lời bằng lược đồ riêng",
            )
