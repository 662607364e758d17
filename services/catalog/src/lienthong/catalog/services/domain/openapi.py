"""Reads the operations of a service out of its OpenAPI document (3.0, 3.1 or 3.2; 2.0 is converted before).

Only what the gateway needs is read: paths, methods, the names of operations, how parameters are written into
paths, which values name persons and, where a service wants that checked, what parameters and bodies may be.
Where one of these is a reference into the document itself, it is followed; nothing is ever fetched, so that
one that leads out of the document is refused.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from lienthong.catalog.domain.operation_names import made_name, operation_name
from lienthong.catalog.domain.resources import ServiceOperation
from lienthong.catalog.errors import MAX_ERRORS, InvalidValueError, Violation
from lienthong.catalog.services.domain.checks import CheckReader
from lienthong.catalog.services.domain.path_items import PathItems
from lienthong.catalog.services.domain.path_templates import matrix_parameters, normalised
from lienthong.catalog.services.domain.persons import EXTENSION, PersonReader
from lienthong.catalog.services.domain.references import REF, References
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from lienthong.catalog.services.domain.path_items import FoundOperation
    from lienthong.kit.json_pointer import JsonPath
    from lienthong.kit.json_text import Json, JsonObject

MAX_BYTES: Final = 20 * 1024 * 1024
MAX_OPERATIONS: Final = 5_000
MAX_ROUTED: Final = 1024 * 1024
"""Bytes of what gateways are sent of all operations of a service: names, paths, and where persons are named.
What bodies and parameters are checked for comes besides."""
MAX_MIXED: Final = 500
"""Templates with text beside a parameter, such as `{id}.json`, that may stand at one place: the gateway tries
one after the other."""

_VERSION: Final = re.compile(r"3\.([0-2])\.[0-9]+(-.*)?")
_ID: Final = "operationId"


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


def routed_violations(operations: Sequence[ServiceOperation], place: JsonPath) -> Iterator[Violation]:
    """Yield what is wrong where gateways would be sent too much of a service's operations."""
    if sum(operation.routed_bytes for operation in operations) > MAX_ROUTED:
        yield Violation(
            place,
            BilingualText(
                f"the names and paths of all operations, with where they name persons, have more than "
                f"{MAX_ROUTED} bytes together; shorten them, or split the service",
                f"tên và đường dẫn của mọi thao tác, cùng nơi nêu người, dài tổng cộng hơn {MAX_ROUTED} "
                f"byte; hãy rút gọn, hoặc tách dịch vụ",
            ),
        )


class _DocumentReader:
    def __init__(self, document: JsonObject, checks: CheckReader | None) -> None:
        self.operations: list[ServiceOperation] = []
        self.violations: list[Violation] = []
        self._document = document
        self._places: dict[str, tuple[FoundOperation, bool]] = {}
        self._shapes: dict[str, str] = {}
        self._mixed: dict[str, set[str]] = {}
        self._of_3_0 = False
        self._of_3_2 = False
        self._references = References(document)
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        self._bytes = len(text.encode("utf-8", "surrogatepass"))
        # To look for it member by member takes longer than all the rest.
        self._persons = PersonReader(document, is_stated=EXTENSION in text)
        self._checks = checks

    def read(self) -> None:
        if not self._version():
            return
        if self._bytes > MAX_BYTES:
            self._wrong(
                (),
                f"the document is larger than {MAX_BYTES} bytes; shorten descriptions and examples or "
                f"split the service",
                f"tài liệu lớn hơn {MAX_BYTES} byte; hãy rút gọn mô tả và ví dụ hoặc tách dịch vụ",
            )
        paths = self._paths()
        if paths is None:
            return
        found = self._found(paths)
        if len(found) > MAX_OPERATIONS:
            self._wrong(
                ("paths",),
                f"more than {MAX_OPERATIONS} operations; split the service",
                f"hơn {MAX_OPERATIONS} thao tác; hãy tách dịch vụ",
            )
            return
        self._read_operations(found)
        self.violations += routed_violations(self.operations, ("paths",))
        self.violations += self._persons.violations
        self.violations += self._persons.misplaced()
        if self._checks is not None:
            self.violations += self._checks.violations

    def _version(self) -> bool:
        """Whether the rest of the document can be read as OpenAPI 3; what is wrong with its version."""
        version = self._document.get("openapi")
        known = _VERSION.fullmatch(version) if isinstance(version, str) else None
        if known is not None:
            self._of_3_0, self._of_3_2 = known[1] == "0", known[1] == "2"
            return True
        stated = next((member for member in ("openapi", "swagger") if member in self._document), None)
        self._wrong(
            () if stated is None else (stated,),
            "only OpenAPI 2.0 ('swagger': '2.0'), 3.0, 3.1 and 3.2 documents are read; set 'openapi' to a "
            "version like '3.1.0'",
            "chỉ đọc tài liệu OpenAPI 2.0 ('swagger': '2.0'), 3.0, 3.1 và 3.2; đặt 'openapi' thành phiên bản "
            "như '3.1.0'",
        )
        return stated == "openapi"

    def _paths(self) -> JsonObject | None:
        """The paths of the document; from 3.1 on it may have webhooks or components alone (section 4.8.1)."""
        others = self._document.get("webhooks") or self._document.get("components")
        if "paths" not in self._document and others and not self._of_3_0:
            return {}
        try:
            paths = self._references.value(self._document.get("paths"))
        except InvalidValueError as reason:
            self._wrong(("paths", REF), reason.text.en, reason.text.vi)
            return None
        if isinstance(paths, dict):
            return paths
        self._wrong(
            ("paths",) if "paths" in self._document else (),
            "'paths' must be an object of paths",
            "'paths' phải là đối tượng gồm các đường dẫn",
        )
        return None

    def _found(self, paths: JsonObject) -> list[FoundOperation]:
        """All operations, or some more than there may be."""
        items = PathItems(self._references, of_3_2=self._of_3_2)
        found: list[FoundOperation] = []
        for path, item in paths.items():
            if path.startswith("x-"):
                continue
            self._keep_apart(path)
            found += items.operations(path, item)
            # What an answer does not name is not looked for: one path item may be that of many paths.
            if len(found) > MAX_OPERATIONS or len(items.violations) > MAX_ERRORS:
                break
        self.violations += items.violations
        return found

    def _keep_apart(self, path: str) -> None:
        """Refuse a path that the gateway cannot match, or cannot tell from another one."""
        try:
            shape = normalised(path)
        except InvalidValueError as reason:
            self._wrong(("paths", path), reason.text.en, reason.text.vi)
            return
        other = self._shapes.setdefault(shape, path)
        if other != path:
            self._wrong(
                ("paths", path),
                f"the path is the same as '{other}' but for the names of its parameters; keep one",
                f"đường dẫn trùng với '{other}', chỉ khác tên tham số; chỉ giữ một",
            )

        before = ""
        for segment in shape.split("/"):
            if "{}" in segment and segment != "{}":
                beside = self._mixed.setdefault(before, set())
                if segment not in beside and len(beside) == MAX_MIXED:
                    self._wrong(
                        ("paths", path),
                        f"more than {MAX_MIXED} paths differ in the text around a parameter here, like "
                        f"'{{id}}:approve'; write the text into a segment of its own",
                        f"hơn {MAX_MIXED} đường dẫn chỉ khác nhau ở văn bản quanh tham số tại đây, như "
                        f"'{{id}}:approve'; hãy viết văn bản thành đoạn riêng",
                    )
                beside.add(segment)
            before = f"{before}/{segment}"

    def _read_operations(self, found: Sequence[FoundOperation]) -> None:
        # An operation of several paths has one operationId for all of them, which then names none.
        uses = Counter(id(one.operation) for one in found)
        for one in found:
            name = self._name(one, names_one=uses[id(one.operation)] == 1)
            if name is None:
                continue
            path, item, operation, place = one.path, one.item, one.operation, one.place
            persons = self._persons.places(path, item, operation, place)
            checks = self._checks.checks(path, item, operation, place) if self._checks is not None else None
            self.operations.append(ServiceOperation(name, one.method, path, persons=persons, checks=checks))
            for parameter in matrix_parameters(self._references, path, item, operation):
                self._wrong(
                    (*place, "parameters"),
                    f"'{parameter}' has the style 'matrix', which puts it behind a ';', and the gateway "
                    f"takes no path in which a ';' decides; use 'simple' or 'label'",
                    f"'{parameter}' dùng kiểu 'matrix', đặt giá trị sau dấu ';', mà cổng không nhận đường "
                    f"dẫn được quyết định bởi dấu ';'; hãy dùng 'simple' hoặc 'label'",
                )

    def _name(self, one: FoundOperation, *, names_one: bool) -> str | None:
        """The name of an operation, None where it cannot have one, which is reported."""
        written: Json = one.operation.get(_ID)
        if written is not None and not isinstance(written, str):
            self._wrong(
                (*one.place, _ID), "must be text, like 'getParcel'", "phải là văn bản, ví dụ 'getParcel'"
            )
            return None
        stated = written.strip() if names_one and written is not None else ""
        is_written, name = bool(stated), made_name(one.method, one.path)
        if is_written:
            try:
                name = operation_name(stated)
            except InvalidValueError as reason:
                self._wrong((*one.place, _ID), reason.text.en, reason.text.vi)
                return None
        other, other_is_written = self._places.setdefault(name, (one, is_written))
        if other is one:
            return name
        self._twice(
            name, *((one, other) if is_written else (other, one)), both=is_written and other_is_written
        )
        return None

    def _twice(self, name: str, written: FoundOperation, other: FoundOperation, *, both: bool) -> None:
        """Refuse the `operationId` that another operation has too, or is called by as it has none itself."""
        where = f"{other.method} {other.path}"
        if both:
            self._wrong(
                (*written.place, _ID),
                f"'{name}' is already the operationId of {where}; give each its own",
                f"'{name}' đã là operationId của {where}; mỗi thao tác cần một tên riêng",
            )
        else:
            self._wrong(
                (*written.place, _ID),
                f"'{name}' is what {where} is called, which has no operationId of its own; use another one",
                f"'{name}' là tên của thao tác {where}, vốn không có operationId riêng; hãy dùng tên khác",
            )

    def _wrong(self, path: JsonPath, en: str, vi: str) -> None:
        self.violations.append(Violation(path, BilingualText(en, vi)))
