"""What breaks callers between two versions of a service's document, each named with its place.

The catalog's own, because no maintained library in Python compares OpenAPI documents of 3.0 to 3.2 within a
bound: documents come from strangers, and refer to themselves.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from lienthong.catalog.errors import InvalidValueError
from lienthong.catalog.services.domain.narrowing import Break, Comparison
from lienthong.catalog.services.domain.references import References
from lienthong.kit.text import BilingualText, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lienthong.catalog.domain.resources import ServiceOperation
    from lienthong.kit.json_pointer import JsonPath
    from lienthong.kit.json_text import Json, JsonObject

MOST_NAMED: Final = 200
"""Changes that are named; whoever made more has enough to read."""
_PARAMETER: Final = re.compile(r"\{[^{}]*\}")


def breaking_changes(
    old: JsonObject,
    new: JsonObject,
    before: Sequence[ServiceOperation],
    after: Sequence[ServiceOperation],
) -> list[Break]:
    """Return what breaks callers of a service's older OpenAPI document; paths are in the newer one.

    `before` and `after` are the operations of the two: what the gateway knows of them. An operation is the
    same where method and path are, whatever the names of parameters in the path.
    """
    return [*_changes(old, new, before, after)][:MOST_NAMED]


def removed_operations(
    before: Sequence[ServiceOperation], after: Sequence[ServiceOperation]
) -> Iterator[Break]:
    """Yield each operation that is gone, of a document of any kind; the path is that of the whole."""
    offered = {operation.id for operation in after}
    for operation in before:
        if operation.id not in offered:
            yield Break(operation.id, (), _removed(operation), removed=True)


def _changes(
    old: JsonObject, new: JsonObject, before: Sequence[ServiceOperation], after: Sequence[ServiceOperation]
) -> Iterator[Break]:
    references = References(old), References(new)
    comparison = Comparison(*references)
    offered = {_key(operation): operation for operation in after}
    for operation in before:
        now = offered.get(_key(operation))
        if now is None:
            yield Break(operation.id, ("paths",), _removed(operation), removed=True)
            continue
        was, _ = _found(references[0], old, operation)
        found, place = _found(references[1], new, now)
        if was is None or found is None:
            continue
        for path, text in _of_operation(comparison, references, was, found, place):
            yield Break(operation.id, path, text)
    if not comparison.is_whole:
        yield Break("", (), _NOT_WHOLE)


_NOT_WHOLE: Final = BilingualText(
    "the documents are too large to be compared whole; the rest was not looked at",
    "tài liệu quá lớn để so sánh toàn bộ; phần còn lại chưa được xem",
)


def _removed(operation: ServiceOperation) -> BilingualText:
    said = shown(operation.id, 100)
    return BilingualText(f"the operation '{said}' is gone", f"thao tác '{said}' đã bị bỏ")


def _key(operation: ServiceOperation) -> tuple[str, str]:
    return operation.method.upper(), _PARAMETER.sub("{}", operation.path)


def _found(
    references: References, document: JsonObject, operation: ServiceOperation
) -> tuple[Mapping[str, Any] | None, JsonPath]:
    """Return the object of an operation, with the parameters of its path item; and where it stands."""
    place: JsonPath = ("paths", operation.path, operation.method.lower())
    item = _object(references, _member(document.get("paths"), operation.path))
    stated = _member(item, operation.method.lower())
    if stated is None:
        stated = _member(_member(item, "additionalOperations"), operation.method)
        place = ("paths", operation.path, "additionalOperations", operation.method)
    found = _object(references, stated)
    if found is None or item is None:
        return None, place
    shared = item.get("parameters")
    return ({**found, "_shared": shared} if isinstance(shared, list) else found), place


def _of_operation(
    comparison: Comparison,
    references: tuple[References, References],
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    place: JsonPath,
) -> Iterator[tuple[JsonPath, BilingualText]]:
    yield from _parameters(comparison, references, old, new, place)
    yield from _body(comparison, references, old, new, place)
    was, now = _member(old, "responses"), _member(new, "responses")
    if not isinstance(was, dict) or not isinstance(now, dict):
        return
    for status, answer in was.items():
        kept = now.get(status)
        if kept is None:
            # What is not said any more of errors may come all the same.
            if str(status).startswith("2"):
                said = shown(str(status), 10)
                yield (
                    (*place, "responses"),
                    BilingualText(f"the status {said} is gone", f"không còn trạng thái {said}"),
                )
            continue
        yield from _media(
            comparison,
            _object(references[0], answer),
            _object(references[1], kept),
            (*place, "responses", str(status)),
            sent=False,
        )


def _parameters(
    comparison: Comparison,
    references: tuple[References, References],
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    place: JsonPath,
) -> Iterator[tuple[JsonPath, BilingualText]]:
    was, now = _by_name(references[0], old), _by_name(references[1], new)
    for (location, name), parameter in now.items():
        if location == "path":
            # Its name may be another; its place is the same.
            continue
        said, before = shown(name, 60), was.get((location, name))
        if parameter.get("required") is True and (before is None or before.get("required") is not True):
            yield (
                (*place, "parameters"),
                BilingualText(
                    f"the parameter '{said}' ({location}) has to be sent now",
                    f"nay bắt buộc gửi tham số '{said}' ({location})",
                ),
            )
        if before is not None:
            yield from comparison.sent(
                before.get("schema"), parameter.get("schema"), (*place, "parameters", name, "schema")
            )


def _by_name(
    references: References, operation: Mapping[str, Any]
) -> dict[tuple[str, str], Mapping[str, Any]]:
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for listed in (operation.get("_shared"), operation.get("parameters")):
        for one in listed if isinstance(listed, list) else ():
            parameter = _object(references, one)
            if parameter is not None and isinstance(parameter.get("name"), str):
                found[str(parameter.get("in")), parameter["name"]] = parameter
    return found


def _body(
    comparison: Comparison,
    references: tuple[References, References],
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    place: JsonPath,
) -> Iterator[tuple[JsonPath, BilingualText]]:
    was, now = _object(references[0], old.get("requestBody")), _object(references[1], new.get("requestBody"))
    place = (*place, "requestBody")
    if now is not None and now.get("required") is True and (was is None or was.get("required") is not True):
        yield place, BilingualText("a body has to be sent now", "nay bắt buộc gửi nội dung")
    if was is not None and now is None:
        yield place[:-1], BilingualText("no body is taken any more", "không còn nhận nội dung")
        return
    yield from _media(comparison, was, now, place, sent=True)


def _media(
    comparison: Comparison,
    old: Mapping[str, Any] | None,
    new: Mapping[str, Any] | None,
    place: JsonPath,
    *,
    sent: bool,
) -> Iterator[tuple[JsonPath, BilingualText]]:
    was, now = _member(old, "content"), _member(new, "content")
    if not isinstance(was, dict):
        return
    if not isinstance(now, dict):
        now = {}
    for media_type, stated in was.items():
        if media_type not in now:
            said = shown(str(media_type), 60)
            yield (
                (*place, "content"),
                (
                    BilingualText(f"'{said}' is no longer taken", f"không còn nhận '{said}'")
                    if sent
                    else BilingualText(f"answers are no longer '{said}'", f"không còn trả lời bằng '{said}'")
                ),
            )
            continue
        pair = _member(stated, "schema"), _member(now[media_type], "schema")
        below = (*place, "content", str(media_type), "schema")
        yield from comparison.sent(*pair, below) if sent else comparison.got(*pair, below)


def _member(value: Json | Mapping[str, Any], name: str) -> Json:
    return value.get(name) if isinstance(value, dict) else None


def _object(references: References, value: Json) -> Mapping[str, Any] | None:
    try:
        return references.resolved(value) if isinstance(value, dict) else None
    except InvalidValueError:
        return None
