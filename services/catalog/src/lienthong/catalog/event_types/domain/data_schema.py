"""The JSON Schema (draft 2020-12) of an event's data.

It is checked completely, because the exchange compiles it and validates every event with it. Nothing is ever
fetched: every reference must point into the document itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from lienthong.catalog.errors import Violation
from lienthong.kit.json_text import size
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lienthong.kit.json_pointer import JsonPath
    from lienthong.kit.json_text import Json, JsonObject

MAX_BYTES = 64 * 1024
DIALECT = "https://json-schema.org/draft/2020-12/schema"
MAX_VIOLATIONS = 50

_META = Draft202012Validator(
    Draft202012Validator.META_SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER
)


def violations(schema: JsonObject) -> Iterator[Violation]:
    """Yield everything that is wrong with a schema, paths relative to it."""
    if size(schema) > MAX_BYTES:
        yield Violation(
            (),
            BilingualText(
                f"the schema is larger than {MAX_BYTES} bytes", f"lược đồ lớn hơn {MAX_BYTES} byte"
            ),
        )
        return
    if (
        schema.get("$schema", DIALECT).rstrip("#") != DIALECT
        if isinstance(schema.get("$schema", ""), str)
        else True
    ):
        yield Violation(
            ("$schema",),
            BilingualText(
                f"only draft 2020-12 is used; write '{DIALECT}' or leave it out",
                f"chỉ dùng bản 2020-12; viết '{DIALECT}' hoặc bỏ trống",
            ),
        )
        return
    wrong = False
    for error, _ in zip(_META.iter_errors(schema), range(MAX_VIOLATIONS), strict=False):
        wrong = True
        yield Violation(
            tuple(error.absolute_path),
            BilingualText(
                f"not valid JSON Schema: {error.message[:300]}",
                f"không đúng JSON Schema: {error.message[:300]}",
            ),
        )
    if not wrong:
        yield from _reference_violations(schema)


def _reference_violations(schema: JsonObject) -> Iterator[Violation]:
    registry: Registry[Json] = Registry()
    resolver = registry.resolver_with_root(DRAFT202012.create_resource(schema))
    for path, name, value in _keywords(schema):
        if name == "$id":
            if path:
                yield Violation(
                    (*path, name),
                    BilingualText(
                        "only the whole schema may have an '$id'; use '$defs' and '#/$defs/…' for its parts",
                        "chỉ toàn bộ lược đồ mới được có '$id'; dùng '$defs' và '#/$defs/…' cho các phần",
                    ),
                )
            continue
        if not value.startswith("#"):
            yield Violation(
                (*path, name),
                BilingualText(
                    f"'{value[:100]}' lies outside the document, and nothing is fetched; copy it into "
                    "'$defs'",
                    f"'{value[:100]}' nằm ngoài tài liệu mà hệ thống không tải gì về; hãy chép vào '$defs'",
                ),
            )
            continue
        try:
            resolver.lookup(value)
        except Unresolvable:
            yield Violation(
                (*path, name),
                BilingualText(
                    f"'{value[:100]}' refers to nothing in this document",
                    f"'{value[:100]}' không có trong tài liệu",
                ),
            )


def _keywords(schema: JsonObject) -> Iterator[tuple[JsonPath, str, str]]:
    stack: list[tuple[JsonPath, Json]] = [((), schema)]
    while stack:
        path, node = stack.pop()
        if isinstance(node, dict):
            for name, value in node.items():
                if name in {"$ref", "$dynamicRef", "$id"} and isinstance(value, str):
                    yield path, name, value
                elif name not in {"const", "enum", "default", "examples"}:
                    stack.append(((*path, name), value))
        elif isinstance(node, list):
            stack.extend(((*path, index), item) for index, item in enumerate(node))
