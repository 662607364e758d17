"""Reads the operations of a service out of its OpenAPI document (3.0, 3.1 or 3.2).

Only what the gateway needs is read: paths, methods, operationIds, how parameters are written into paths,
which values name persons and, where a service wants that checked, what parameters and bodies may be. Where
one of these is a reference into the document itself, it is followed; nothing is ever fetched, so that one
that leads out of the document is refused. So is a path item that has what its version of OpenAPI does not
know: it could be an operation that would silently be missing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lienthong.catalog.domain.resources import ServiceOperation
from lienthong.catalog.errors import InvalidValueError, Violation
from lienthong.catalog.services.domain.checks import CheckReader
from lienthong.catalog.services.domain.path_templates import matrix_parameters, normalised
from lienthong.catalog.services.domain.persons import PersonReader
from lienthong.catalog.services.domain.references import MOST_STEPS, REF, TOO_FAR, References
from lienthong.kit.json_text import size
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Collection

    from lienthong.kit.json_pointer import JsonPath
    from lienthong.kit.json_text import Json, JsonObject

MAX_BYTES = 1024 * 1024
MAX_OPERATIONS = 500

_VERSION = re.compile(r"3\.([0-2])\.[0-9]+(-.*)?")
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_METHODS_OF_3_2 = (*_METHODS, "query")
_ADDITIONAL = "additionalOperations"
_OTHER_MEMBERS = frozenset(("$ref", "summary", "description", "servers", "parameters"))
ADDITIONAL_METHODS = frozenset(
    (
        "ACL", "BIND", "CHECKOUT", "COPY", "LINK", "LOCK", "M-SEARCH", "MERGE", "MKACTIVITY", "MKCALENDAR",
        "MKCOL", "MOVE", "NOTIFY", "PROPFIND", "PROPPATCH", "PURGE", "REBIND", "REPORT", "SEARCH",
        "SUBSCRIBE", "UNBIND", "UNLINK", "UNLOCK", "UNSUBSCRIBE",
    )
)  # fmt: skip
"""Methods beside those with a member of their own that the gateway takes (llhttp reads no others)."""
_ADDITIONAL_LIST = ", ".join(sorted(ADDITIONAL_METHODS))
_OPERATION_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


def read(
    document: JsonObject,
    *,
    check_requests: bool = False,
    check_answers: bool = False,
    shown: Collection[str] = (),
) -> tuple[tuple[ServiceOperation, ...], tuple[Violation, ...]]:
    """Return the operations of a document, and all its violations, with paths relative to it.

    With `check_requests` or `check_answers` the operations have what these are checked against. `shown` are
    the header fields, in lower case, that the gateway shows to the provider: callers are not asked for them.
    """
    checks = None
    if check_requests or check_answers:
        checks = CheckReader(document, requests=check_requests, answers=check_answers, shown=shown)
    reader = _DocumentReader(document, checks)
    reader.read()
    return tuple(reader.operations), tuple(reader.violations)


class _DocumentReader:
    def __init__(self, document: JsonObject, checks: CheckReader | None) -> None:
        self.operations: list[ServiceOperation] = []
        self.violations: list[Violation] = []
        self._document = document
        self._places: dict[str, str] = {}
        self._shapes: dict[str, str] = {}
        self._read_for: dict[int, str] = {}
        self._of_3_2 = False
        self._references = References(document)
        self._persons = PersonReader(document)
        self._checks = checks

    @property
    def _methods(self) -> tuple[str, ...]:
        return _METHODS_OF_3_2 if self._of_3_2 else _METHODS

    def read(self) -> None:
        if not self._version():
            return
        if size(self._document) > MAX_BYTES:
            self._wrong(
                (),
                f"the document is larger than {MAX_BYTES} bytes; shorten descriptions and examples or "
                f"split the service",
                f"tài liệu lớn hơn {MAX_BYTES} byte; hãy rút gọn mô tả và ví dụ hoặc tách dịch vụ",
            )
        paths = self._resolved(self._document.get("paths"), ("paths",))
        if not isinstance(paths, dict):
            if not self.violations:
                self._wrong(
                    ("paths",) if "paths" in self._document else (),
                    "'paths' must be an object with at least one path",
                    "'paths' phải là đối tượng có ít nhất một đường dẫn",
                )
            return
        for path, item in paths.items():
            if not path.startswith("x-"):
                self._path(path, item)
        self.violations += self._persons.violations
        self.violations += self._persons.misplaced()
        if self._checks is not None:
            self.violations += self._checks.violations
        if not self.operations and not self.violations:
            self._wrong(
                ("paths",),
                "the document offers no operation; add at least one method to a path",
                "tài liệu không có thao tác nào; hãy thêm ít nhất một phương thức vào một đường dẫn",
            )
        if len(self.operations) > MAX_OPERATIONS:
            self._wrong(
                ("paths",),
                f"more than {MAX_OPERATIONS} operations; split the service",
                f"hơn {MAX_OPERATIONS} thao tác; hãy tách dịch vụ",
            )

    def _version(self) -> bool:
        """Whether the rest of the document can be read as OpenAPI 3; what is wrong with its version."""
        version = self._document.get("openapi")
        known = _VERSION.fullmatch(version) if isinstance(version, str) else None
        if known is not None:
            self._of_3_2 = known[1] == "2"
            return True
        if version is None and "swagger" in self._document:
            self._wrong(
                ("swagger",),
                "this is a Swagger 2.0 document; convert it to OpenAPI 3, for example with "
                "'swagger2openapi', and apply that",
                "đây là tài liệu Swagger 2.0; hãy chuyển sang OpenAPI 3, ví dụ bằng 'swagger2openapi', rồi "
                "áp dụng tài liệu đó",
            )
            return False
        self._wrong(
            ("openapi",) if "openapi" in self._document else (),
            "only OpenAPI 3.0, 3.1 and 3.2 documents are read; set 'openapi' to a version like '3.1.0'",
            "chỉ đọc tài liệu OpenAPI 3.0, 3.1 và 3.2; đặt 'openapi' thành phiên bản như '3.1.0'",
        )
        return True

    def _path(self, path: str, written: Json) -> None:
        try:
            shape = normalised(path)
        except InvalidValueError as reason:
            self._wrong(("paths", path), reason.text.en, reason.text.vi)
        else:
            self._keep_apart(path, shape)
        item = self._item(path, written)
        if item is None:
            return
        for member in item:
            self._known(path, str(member))
        for method in self._methods:
            if method in item:
                self._operation(path, method.upper(), item, item[method], ("paths", path, method))
        if _ADDITIONAL in item and self._of_3_2:
            self._additional(path, item)

    def _keep_apart(self, path: str, shape: str) -> None:
        """Refuse a path that is the same as another one, for the gateway or for many servers."""
        other = self._shapes.setdefault(shape.rstrip("/"), path)
        if other == path:
            return
        if other.endswith("/") != path.endswith("/"):
            self._wrong(
                ("paths", path),
                f"the path is the same as '{other}' but for a '/' at the end, and many servers take one for "
                f"the other; keep one",
                f"đường dẫn trùng với '{other}', chỉ khác dấu '/' ở cuối, nhiều máy chủ coi là một; chỉ giữ "
                f"một",
            )
        else:
            self._wrong(
                ("paths", path),
                f"the path is the same as '{other}' but for the names of its parameters; keep one",
                f"đường dẫn trùng với '{other}', chỉ khác tên tham số; chỉ giữ một",
            )

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
            if not self._first_use(path, written):
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

    def _first_use(self, path: str, item: JsonObject) -> bool:
        """Refuse a path item of two paths: its operations would have one operationId for both."""
        other = self._read_for.setdefault(id(item), path)
        if other == path:
            return True
        self._wrong(
            ("paths", path),
            f"refers to the operations of '{other}', and each operation has one path and one operationId; "
            f"write them here with ids of their own",
            f"trỏ tới các thao tác của '{other}', mà mỗi thao tác chỉ có một đường dẫn và một operationId; "
            f"hãy viết tại đây với mã riêng",
        )
        return False

    def _resolved(self, written: Json, place: JsonPath) -> Json:
        """Return a value or, where it is a reference, what it leads to; None where that is nothing."""
        try:
            return self._references.value(written)
        except InvalidValueError as reason:
            self._wrong((*place, REF), reason.text.en, reason.text.vi)
            return None

    def _known(self, path: str, member: str) -> None:
        """Refuse a member of a path item that may be meant for an operation and is none."""
        if member in self._methods or member in _OTHER_MEMBERS or member.startswith("x-"):
            return
        if member == _ADDITIONAL and self._of_3_2:
            return
        if member in (*_METHODS_OF_3_2, _ADDITIONAL):
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

    def _additional(self, path: str, item: JsonObject) -> None:
        place, operations = ("paths", path, _ADDITIONAL), item[_ADDITIONAL]
        if not isinstance(operations, dict):
            self._wrong(place, "must be an object of methods", "phải là đối tượng gồm các phương thức")
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
                self._operation(path, method, item, operation, (*place, method))

    def _operation(self, path: str, method: str, item: JsonObject, written: Json, place: JsonPath) -> None:
        before = len(self.violations)
        operation = self._resolved(written, place)
        if not isinstance(operation, dict):
            if len(self.violations) == before:
                self._wrong(place, "must be an object", "phải là một đối tượng")
            return
        name = operation.get("operationId")
        if name is None:
            self._wrong(
                place,
                "every operation needs an 'operationId'; agreements and the audit trail name it",
                "mỗi thao tác cần có 'operationId' để thoả thuận và nhật ký gọi tên",
            )
        elif not isinstance(name, str) or not _OPERATION_ID.fullmatch(name):
            self._wrong(
                (*place, "operationId"),
                "use 1 to 128 letters, digits, '.', '_' and '-', like 'getParcel'",
                "dùng 1 đến 128 chữ cái, chữ số, '.', '_' và '-', ví dụ 'getParcel'",
            )
        elif name in self._places:
            self._wrong(
                (*place, "operationId"),
                f"'{name}' is already the operationId of {self._places[name]}; give each its own",
                f"'{name}' đã là operationId của {self._places[name]}; mỗi thao tác cần một tên riêng",
            )
        else:
            self._places[name] = f"{method} {path}"
            persons = self._persons.places(path, item, operation, place)
            checks = self._checks.checks(path, item, operation, place) if self._checks is not None else None
            self.operations.append(ServiceOperation(name, method, path, persons=persons, checks=checks))
            for parameter in matrix_parameters(self._references, path, item, operation):
                self._wrong(
                    (*place, "parameters"),
                    f"'{parameter}' has the style 'matrix', which puts it behind a ';', and the gateway "
                    f"takes no path in which a ';' decides; use 'simple' or 'label'",
                    f"'{parameter}' dùng kiểu 'matrix', đặt giá trị sau dấu ';', mà cổng không nhận đường "
                    f"dẫn được quyết định bởi dấu ';'; hãy dùng 'simple' hoặc 'label'",
                )

    def _wrong(self, path: JsonPath, en: str, vi: str) -> None:
        self.violations.append(Violation(path, BilingualText(en, vi)))
