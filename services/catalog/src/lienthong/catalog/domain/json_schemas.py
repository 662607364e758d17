"""A JSON Schema (draft 2020-12) of others, as it may be registered: of an event's data, or of a body.

It is checked completely, because the exchange and the gateways compile it and validate whatever comes: with
the same engine, `kit.json_schema`. Nothing is ever fetched: every reference must point into the document
itself.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from lienthong.catalog.domain import complexity
from lienthong.catalog.errors import Violation
from lienthong.kit.json_schema import (
    DIALECT,
    UnusableSchemaError,
    compiled,
    mistakes,
    subschemas,
    unusable_patterns,
)
from lienthong.kit.json_text import size
from lienthong.kit.text import BilingualText, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lienthong.kit.json_pointer import JsonPath
    from lienthong.kit.json_text import Json, JsonObject

MAX_BYTES = 64 * 1024
MAX_VIOLATIONS = 50


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
    found = [*dict.fromkeys(islice(mistakes(schema), MAX_VIOLATIONS))]
    for path, message in found:
        said = shown(message, 300)
        yield Violation(
            path, BilingualText(f"not valid JSON Schema: {said}", f"không đúng JSON Schema: {said}")
        )
    if not found:
        yield from _violations_in_a_schema(schema)


def _violations_in_a_schema(schema: JsonObject) -> Iterator[Violation]:
    """Yield what keeps something that is a JSON Schema from being used here."""
    registry: Registry[Json] = Registry()
    resolver = registry.resolver_with_root(DRAFT202012.create_resource(schema))

    def resolve(reference: str) -> Json:
        return resolver.lookup(reference).contents

    wrong = list(_reference_violations(schema, resolve))
    if not wrong:
        wrong = list(complexity.violations(schema, resolve))
    yield from wrong
    if wrong:
        return
    try:
        compiled(schema)
    except UnusableSchemaError as error:
        patterns = [*unusable_patterns(schema)]
        for path, pattern in patterns:
            yield _unusable_pattern(path, pattern)
        if not patterns:
            yield Violation((), BilingualText(f"cannot be used: {error}", f"không dùng được: {error}"))


def _unusable_pattern(path: JsonPath, pattern: str) -> Violation:
    said = shown(pattern, 100)
    return Violation(
        path,
        BilingualText(
            f"the pattern '{said}' looks ahead or back, refers back, or repeats too much, such as "
            f"'{{1,1000}}' of any letter; patterns must be matched in one pass",
            f"biểu thức '{said}' có nhìn trước/nhìn sau, tham chiếu ngược hoặc lặp quá nhiều, ví dụ "
            f"'{{1,1000}}' với mọi chữ cái; biểu thức phải so khớp được trong một lượt",
        ),
    )


def _reference_violations(schema: JsonObject, resolve: Callable[[str], Json]) -> Iterator[Violation]:
    known = {id(node) for _, node in subschemas(schema)}
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
            target = resolve(value)
        except (Unresolvable, ValueError, TypeError, AttributeError):
            # `referencing` tells only some of the pointers that lead nowhere as such.
            yield Violation(
                (*path, name),
                BilingualText(
                    f"'{value[:100]}' refers to nothing in this document",
                    f"'{value[:100]}' không có trong tài liệu",
                ),
            )
            continue
        if not isinstance(target, bool) and id(target) not in known:
            # What no keyword leads to is not counted among the schema's parts, nor is what is in it.
            yield Violation(
                (*path, name),
                BilingualText(
                    f"'{value[:100]}' is not a place of schemas; move it to '$defs' and refer to '#/$defs/…'",
                    f"'{value[:100]}' không phải vị trí của lược đồ; hãy chuyển vào '$defs' và tham chiếu "
                    "'#/$defs/…'",
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
