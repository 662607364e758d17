"""The path items of an OpenAPI document: which methods of a path are operations, wherever these are written.

A path item may stand elsewhere in the document, and be that of several paths. One that has what its version
of OpenAPI does not know is refused: it could be an operation that would silently be missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lienthong.catalog.errors import InvalidValueError, Violation
from lienthong.catalog.services.domain.references import MOST_STEPS, REF, TOO_FAR
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lienthong.catalog.services.domain.references import References
    from lienthong.kit.json_pointer import JsonPath
    from lienthong.kit.json_text import Json, JsonObject

METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
METHODS_OF_3_2: Final = (*METHODS, "query")
_ADDITIONAL: Final = "additionalOperations"
_OTHER_MEMBERS: Final = frozenset(("$ref", "summary", "description", "servers", "parameters"))
ADDITIONAL_METHODS: Final = frozenset(
    (
        "ACL", "BIND", "CHECKOUT", "COPY", "LINK", "LOCK", "M-SEARCH", "MERGE", "MKACTIVITY", "MKCALENDAR",
        "MKCOL", "MOVE", "NOTIFY", "PROPFIND", "PROPPATCH", "PURGE", "REBIND", "REPORT", "SEARCH",
        "SUBSCRIBE", "UNBIND", "UNLINK", "UNLOCK", "UNSUBSCRIBE",
    )
)  # fmt: skip
"""Methods beside those with a member of their own that the gateway takes (llhttp reads no others)."""
_ADDITIONAL_LIST: Final = ", ".join(sorted(ADDITIONAL_METHODS))
MAX_MEMBERS: Final = 100
"""Of a path item: one may be that of many paths, and is read for each."""
MAX_PARAMETERS: Final = 500
"""Listed at a path item or an operation, likewise."""


@dataclass(frozen=True, slots=True)
class FoundOperation:
    """An operation object, with its path item, and where it stands in the document as the path has it."""

    method: str
    path: str
    item: JsonObject
    operation: JsonObject
    place: JsonPath


class PathItems:
    """Reads path items of one document; `violations` has why something cannot be read."""

    def __init__(self, references: References, *, of_3_2: bool) -> None:
        self.violations: list[Violation] = []
        self._references = references
        self._of_3_2 = of_3_2
        self._methods = METHODS_OF_3_2 if of_3_2 else METHODS

    def operations(self, path: str, written: Json) -> Iterator[FoundOperation]:
        """Yield the operations of a path."""
        item = self._item(path, written)
        if item is None:
            return
        for member in item:
            self._known(path, str(member))
        self._check_parameters(item, ("paths", path))
        for method in self._methods:
            if method in item:
                yield from self._operation(path, method.upper(), item, item[method], ("paths", path, method))
        if _ADDITIONAL in item and self._of_3_2:
            yield from self._additional(path, item)

    def _item(self, path: str, written: Json) -> JsonObject | None:
        """Return a path item with what it refers to, None where it cannot be read.

        A path item may have members beside its reference (OpenAPI 3.1, section 4.8.9); which of two counts is
        undefined there, so that it is refused.
        """
        place = ("paths", path)
        item: JsonObject = {}
        for _ in range(MOST_STEPS + 1):
            if not isinstance(written, dict):
                self._wrong(place, "must be an object of methods", "phải là đối tượng gồm các phương thức")
                return None
            if len(written) > MAX_MEMBERS:
                self._wrong(
                    place,
                    f"has {len(written)} members, more than {MAX_MEMBERS}; a path has a few methods",
                    f"có {len(written)} mục, nhiều hơn {MAX_MEMBERS}; một đường dẫn chỉ có vài phương thức",
                )
                return None
            twice = item.keys() & written.keys() - {REF}
            if twice:
                self._wrong(
                    place,
                    f"'{min(twice)}' stands here and in what '$ref' refers to; keep one",
                    f"'{min(twice)}' có ở đây và trong mục mà '$ref' trỏ tới; chỉ giữ một",
                )
                return None
            item |= {name: value for name, value in written.items() if name != REF}
            if REF not in written:
                return item
            try:
                written = self._references.follow(written[REF])
            except InvalidValueError as reason:
                self._wrong((*place, REF), reason.text.en, reason.text.vi)
                return None
        self._wrong((*place, REF), TOO_FAR.en, TOO_FAR.vi)
        return None

    def _known(self, path: str, member: str) -> None:
        """Refuse a member of a path item that may be meant for an operation and is none."""
        if member in self._methods or member in _OTHER_MEMBERS or member.startswith("x-"):
            return
        if member == _ADDITIONAL and self._of_3_2:
            return
        if member in (*METHODS_OF_3_2, _ADDITIONAL):
            self._wrong(
                ("paths", path, member),
                f"OpenAPI has '{member}' from version 3.2 on; set 'openapi' to '3.2.0'",
                f"OpenAPI chỉ có '{member}' từ phiên bản 3.2; hãy đặt 'openapi' thành '3.2.0'",
            )
            return
        self._wrong(
            ("paths", path, member),
            "a path has no such member, and an operation here would not be offered; methods are written in "
            "small letters, like 'get', own members begin with 'x-'",
            "đường dẫn không có mục này nên thao tác tại đây sẽ không được cung cấp; tên phương thức viết "
            "chữ thường, như 'get', mục riêng bắt đầu bằng 'x-'",
        )

    def _additional(self, path: str, item: JsonObject) -> Iterator[FoundOperation]:
        place, operations = ("paths", path, _ADDITIONAL), item[_ADDITIONAL]
        if not isinstance(operations, dict) or len(operations) > MAX_MEMBERS:
            self._wrong(
                place,
                f"must be an object of methods, at most {MAX_MEMBERS}",
                f"phải là đối tượng gồm các phương thức, không quá {MAX_MEMBERS}",
            )
            return
        for method, operation in operations.items():
            if method.startswith("x-"):
                continue
            if method.lower() in self._methods:
                self._wrong(
                    (*place, method),
                    f"'{method.lower()}' has a member of its own in the path; write it there",
                    f"'{method.lower()}' có mục riêng trong đường dẫn; hãy viết tại đó",
                )
            elif method not in ADDITIONAL_METHODS:
                self._wrong(
                    (*place, method),
                    f"the gateway does not take this method; it takes {_ADDITIONAL_LIST}",
                    f"cổng không nhận phương thức này; cổng nhận {_ADDITIONAL_LIST}",
                )
            else:
                yield from self._operation(path, method, item, operation, (*place, method))

    def _operation(
        self, path: str, method: str, item: JsonObject, written: Json, place: JsonPath
    ) -> Iterator[FoundOperation]:
        try:
            operation = self._references.value(written)
        except InvalidValueError as reason:
            self._wrong((*place, REF), reason.text.en, reason.text.vi)
            return
        if not isinstance(operation, dict):
            self._wrong(place, "must be an object", "phải là một đối tượng")
            return
        self._check_parameters(operation, place)
        yield FoundOperation(method, path, item, operation, place)

    def _check_parameters(self, holder: JsonObject, place: JsonPath) -> None:
        listed = holder.get("parameters")
        if isinstance(listed, list) and len(listed) > MAX_PARAMETERS:
            self._wrong(
                (*place, "parameters"),
                f"more than {MAX_PARAMETERS} parameters; put them into the body",
                f"hơn {MAX_PARAMETERS} tham số; hãy đưa vào nội dung yêu cầu",
            )

    def _wrong(self, path: JsonPath, en: str, vi: str) -> None:
        self.violations.append(Violation(path, BilingualText(en, vi)))
