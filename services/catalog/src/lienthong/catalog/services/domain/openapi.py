"""Reads the operations of a service out of its OpenAPI document (3.0, 3.1 or 3.2).

Only what routing needs is read: paths, methods and operationIds. References are not followed, so nothing is
ever fetched; a path item that is a reference is refused. So is one that has what its version of OpenAPI does
not know: it could be an operation that would silently be missing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lienthong.catalog.domain.resources import ServiceOperation
from lienthong.catalog.errors import InvalidValueError, Violation
from lienthong.kit.json_text import size
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lienthong.kit.json_text import JsonObject

MAX_BYTES = 1024 * 1024
MAX_OPERATIONS = 500
MAX_PATH = 500
MAX_SEGMENT = 200
"""Characters of one segment of a path template."""
MAX_PARAMETERS = 8
"""Parameters in one segment, such as the four of a bounding box `{west},{south},{east},{north}`."""

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
_LITERAL = r"[A-Za-z0-9._~!$&'()*+,;=:@-]"  # pchar of RFC 3986 §3.3 without percent-encoding
_PARAMETER = re.compile(r"\{[A-Za-z0-9._-]{1,100}\}")
_SEGMENT = re.compile(rf"({_PARAMETER.pattern})?({_LITERAL}+{_PARAMETER.pattern})*{_LITERAL}*")


def read(document: JsonObject) -> tuple[tuple[ServiceOperation, ...], tuple[Violation, ...]]:
    """Return the operations of a document, and all its violations, with paths relative to it."""
    reader = _DocumentReader()
    reader.read(document)
    return tuple(reader.operations), tuple(reader.violations)


class _DocumentReader:
    def __init__(self) -> None:
        self.operations: list[ServiceOperation] = []
        self.violations: list[Violation] = []
        self._places: dict[str, str] = {}
        self._shapes: dict[str, str] = {}
        self._of_3_2 = False

    @property
    def _methods(self) -> tuple[str, ...]:
        return _METHODS_OF_3_2 if self._of_3_2 else _METHODS

    def read(self, document: JsonObject) -> None:
        version = document.get("openapi")
        known = _VERSION.fullmatch(version) if isinstance(version, str) else None
        if known is None:
            self._wrong(
                ("openapi",) if "openapi" in document else (),
                "only OpenAPI 3.0, 3.1 and 3.2 documents are read; set 'openapi' to a version like '3.1.0'",
                "chỉ đọc tài liệu OpenAPI 3.0, 3.1 và 3.2; đặt 'openapi' thành phiên bản như '3.1.0'",
            )
        elif known[1] == "2":
            self._of_3_2 = True
        if size(document) > MAX_BYTES:
            self._wrong(
                (),
                f"the document is larger than {MAX_BYTES} bytes; shorten descriptions and examples or "
                f"split the service",
                f"tài liệu lớn hơn {MAX_BYTES} byte; hãy rút gọn mô tả và ví dụ hoặc tách dịch vụ",
            )
        paths = document.get("paths")
        if not isinstance(paths, dict):
            self._wrong(
                ("paths",) if "paths" in document else (),
                "'paths' must be an object with at least one path",
                "'paths' phải là đối tượng có ít nhất một đường dẫn",
            )
            return
        for path, item in paths.items():
            if not path.startswith("x-"):
                self._path(path, item)
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

    def _path(self, path: str, item: object) -> None:
        try:
            shape = normalised(path)
        except InvalidValueError as reason:
            self._wrong(("paths", path), reason.text.en, reason.text.vi)
        else:
            if shape in self._shapes:
                self._wrong(
                    ("paths", path),
                    f"the path is the same as '{self._shapes[shape]}' but for the names of its "
                    f"parameters; keep one",
                    f"đường dẫn trùng với '{self._shapes[shape]}', chỉ khác tên tham số; chỉ giữ một",
                )
            self._shapes.setdefault(shape, path)
        if not isinstance(item, dict):
            self._wrong(
                ("paths", path), "must be an object of methods", "phải là đối tượng gồm các phương thức"
            )
            return
        if "$ref" in item:
            self._wrong(
                ("paths", path, "$ref"),
                "references to path items are not followed; write the methods here",
                "không hỗ trợ tham chiếu tới path item; hãy viết các phương thức tại đây",
            )
        for member in item:
            self._known(path, str(member))
        for method in self._methods:
            if method in item:
                self._operation(path, method.upper(), item[method], ("paths", path, method))
        if _ADDITIONAL in item and self._of_3_2:
            self._additional(path, item[_ADDITIONAL])

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

    def _additional(self, path: str, operations: object) -> None:
        place = ("paths", path, _ADDITIONAL)
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
                self._operation(path, method, operation, (*place, method))

    def _operation(self, path: str, method: str, operation: object, place: tuple[str | int, ...]) -> None:
        if not isinstance(operation, dict):
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
            self.operations.append(ServiceOperation(name, method, path))

    def _wrong(self, path: tuple[str | int, ...], en: str, vi: str) -> None:
        self.violations.append(Violation(path, BilingualText(en, vi)))


def normalised(path: str) -> str:
    """Return the shape of a path template, its parameters without names: `/parcels/{}`.

    Raises:
        InvalidValueError: it is not a path template, or one whose matches would be ambiguous.
    """
    if not path.startswith("/"):
        raise InvalidValueError("a path begins with '/'", "đường dẫn phải bắt đầu bằng '/'")
    if len(path) > MAX_PATH:
        raise InvalidValueError(f"longer than {MAX_PATH} characters", f"dài hơn {MAX_PATH} ký tự")
    if path == "/":
        return path
    names = _PARAMETER.findall(path)
    if len(names) != len(set(names)):
        raise InvalidValueError(
            "the path has a parameter twice; give each its own name",
            "một tham số xuất hiện hai lần trong đường dẫn; hãy đặt tên khác nhau",
        )
    return "".join(f"/{segment}" for segment in _segments(path))


def _segments(path: str) -> Iterator[str]:
    for segment in path[1:].split("/"):
        if segment == "":
            raise InvalidValueError(
                "an empty segment ('//' or a '/' at the end) is never matched; remove it",
                "đoạn rỗng ('//' hoặc '/' ở cuối) không bao giờ khớp; hãy bỏ đi",
            )
        if segment in {".", ".."}:
            raise InvalidValueError(
                f"the segment '{segment}' is never matched; write the path out",
                f"đoạn '{segment}' không bao giờ khớp; hãy viết đường dẫn đầy đủ",
            )
        if len(segment) > MAX_SEGMENT:
            raise InvalidValueError(
                f"a segment of the path is longer than {MAX_SEGMENT} characters; shorten it",
                f"một đoạn của đường dẫn dài hơn {MAX_SEGMENT} ký tự; hãy rút gọn",
            )
        if segment.count("{") > MAX_PARAMETERS:
            raise InvalidValueError(
                f"the segment '{segment}' has more than {MAX_PARAMETERS} parameters, which the gateway does "
                f"not match; put some of them into segments of their own or into the query",
                f"đoạn '{segment}' có hơn {MAX_PARAMETERS} tham số, cổng không hỗ trợ; "
                f"hãy chuyển bớt sang đoạn riêng hoặc vào phần truy vấn",
            )
        if not _SEGMENT.fullmatch(segment):
            raise InvalidValueError(
                f"the segment '{segment}' is not made of plain text (letters, digits and "
                f"-._~!$&'()*+,;=:@) and "
                f"parameters like '{{id}}' with text between them",
                f"đoạn '{segment}' không gồm văn bản thường (chữ cái không dấu, chữ số và "
                f"-._~!$&'()*+,;=:@) và "
                f"các tham số như '{{id}}' có văn bản ở giữa",
            )
        yield _PARAMETER.sub("{}", segment)
