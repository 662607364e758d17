"""How well a service's OpenAPI document serves those who call by it: findings with advice, and a score.

Nothing here is refused. A rule counts the places that it looked at and those where something is missing; the
score is what is in order of a hundred, each rule with its weight. So a document of a thousand operations is
measured as one of two.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from lienthong.catalog.errors import InvalidValueError
from lienthong.catalog.services.domain.naming import style_of
from lienthong.catalog.services.domain.persons import EXTENSION
from lienthong.catalog.services.domain.references import References
from lienthong.kit.json_pointer import JsonPath, pointer
from lienthong.kit.text import BilingualText, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from lienthong.kit.json_text import Json, JsonObject

MOST_FINDINGS: Final = 100
"""Findings that are named; the rest is counted."""
_MOST_NODES: Final = 50_000
"""Objects and lists of a document in which names are looked for, some tenths of a second."""
_METHODS: Final = frozenset(("get", "put", "post", "delete", "options", "head", "patch", "trace", "query"))
_VIETNAMESE: Final = re.compile(
    "[ăâđêôơưàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ]", re.IGNORECASE
)
_PAGING: Final = re.compile(
    r"(page|per_?page|page_?size|page_?number|limit|offset|cursor|after|before|size|skip|top|trang|so_?dong)",
    re.IGNORECASE,
)
_PERSON: Final = re.compile(
    r"(so_?)?(cccd|cmnd|dinh_?danh)|(citizen|person|personal|national|identity)_?(id|number|code|no)",
    re.IGNORECASE,
)
_LISTS: Final = ("items", "data", "results", "content", "records", "value", "danhSach", "danh_sach")


@dataclass(frozen=True, slots=True)
class Rule:
    """Something that a good document has: its weight in the score, what is missing, and what to do."""

    code: str
    weight: int
    missing: BilingualText


RULES: Final = {
    rule.code: rule
    for rule in (
        Rule(
            "title-vi",
            2,
            BilingualText(
                "the title is not Vietnamese; write in 'info.title' what officials call the service",
                "tên chưa bằng tiếng Việt; hãy ghi ở 'info.title' tên mà cán bộ vẫn gọi",
            ),
        ),
        Rule(
            "description",
            2,
            BilingualText(
                "nothing says what the data are, how fresh and from where; write 'info.description'",
                "tài liệu chưa nói dữ liệu là gì, cập nhật khi nào, từ đâu; hãy viết 'info.description'",
            ),
        ),
        Rule(
            "contact",
            1,
            BilingualText(
                "nobody is named whom developers can ask; write 'info.contact'",
                "chưa nêu đầu mối để hỏi; hãy viết 'info.contact'",
            ),
        ),
        Rule(
            "operation-summary",
            4,
            BilingualText(
                "nothing says what the operation does; write 'summary' or 'description'",
                "chưa nói thao tác làm gì; hãy viết 'summary' hoặc 'description'",
            ),
        ),
        Rule(
            "operation-id",
            2,
            BilingualText(
                "the operation has no name; write 'operationId', by which agreements name it",
                "thao tác chưa có tên; hãy viết 'operationId' để thoả thuận gọi đúng tên",
            ),
        ),
        Rule(
            "parameter-description",
            2,
            BilingualText(
                "nothing says what the parameter means; write its 'description'",
                "chưa nói tham số có nghĩa gì; hãy viết 'description'",
            ),
        ),
        Rule(
            "answer-schema",
            4,
            BilingualText(
                "nothing says what the answer looks like; give the 2xx answer a 'schema'",
                "chưa mô tả nội dung trả lời; hãy thêm 'schema' cho trả lời 2xx",
            ),
        ),
        Rule(
            "example",
            3,
            BilingualText(
                "there is no example of the answer; write 'example' with invented values",
                "chưa có ví dụ về trả lời; hãy viết 'example' với dữ liệu giả định",
            ),
        ),
        Rule(
            "error-answers",
            4,
            BilingualText(
                "only success is described; describe the errors to handle too (4xx or 'default')",
                "chỉ mô tả trường hợp thành công; hãy mô tả các lỗi bên gọi phải xử lý (4xx hoặc 'default')",
            ),
        ),
        Rule(
            "pagination",
            3,
            BilingualText(
                "a list comes whole, however long it grows; take parameters such as 'limit' and 'cursor'",
                "danh sách trả về toàn bộ dù dài đến đâu; hãy nhận tham số như 'limit' và 'cursor'",
            ),
        ),
        Rule(
            "person-not-declared",
            5,
            BilingualText(
                "looks like the number of a person and is not declared; write 'x-lgsp-person' there, so that"
                " access to the person can be found",
                "có vẻ là số định danh cá nhân mà chưa khai báo; hãy thêm 'x-lgsp-person' để tra cứu được ai"
                " đã xem dữ liệu của người đó",
            ),
        ),
        Rule(
            "names",
            1,
            BilingualText(
                "is written another way than most names of the document; use one way",
                "viết khác cách của đa số tên trong tài liệu; hãy dùng một cách viết",
            ),
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A place where something is missing; `of` says what stands there, where the place alone does not."""

    rule: Rule
    path: JsonPath
    of: str = ""

    def document(self) -> dict[str, str]:
        """Return the finding as JSON."""
        before = f"'{self.of}': " if self.of else ""
        return {
            "rule": self.rule.code,
            "pointer": pointer(self.path),
            "detail": f"{before}{self.rule.missing.en}",
            "detail_vi": f"{before}{self.rule.missing.vi}",
        }


@dataclass(slots=True)
class Quality:
    """What was found in a document."""

    checked: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def look(self, code: str, path: JsonPath, *, good: bool, of: str = "") -> None:
        """Count a place that a rule looked at."""
        self.checked[code] = self.checked.get(code, 0) + 1
        if good:
            return
        self.failed[code] = self.failed.get(code, 0) + 1
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(RULES[code], path, shown(of, 60) if of else ""))

    @property
    def score(self) -> int:
        """What is in order, of a hundred."""
        weights = sum(RULES[code].weight for code in self.checked)
        if not weights:
            return 100
        lost = sum(
            RULES[code].weight * self.failed.get(code, 0) / number for code, number in self.checked.items()
        )
        return round(100 * (1 - lost / weights))

    def document(self) -> dict[str, Any]:
        """Return the report as JSON."""
        return {
            "score": self.score,
            "rules": [
                {
                    "rule": code,
                    "weight": RULES[code].weight,
                    "checked": number,
                    "failed": self.failed.get(code, 0),
                }
                for code, number in self.checked.items()
            ],
            "findings": [finding.document() for finding in self.findings],
            "more_findings": sum(self.failed.values()) - len(self.findings),
        }


def quality(document: JsonObject) -> Quality:
    """Measure an OpenAPI document that was read; its cost grows with the document alone."""
    found = Quality()
    info = _dict(document.get("info"))
    title, description = str(info.get("title") or ""), str(info.get("description") or "")
    found.look("title-vi", ("info", "title"), good=_VIETNAMESE.search(title) is not None)
    found.look("description", ("info",), good=len(description.strip()) >= 20)
    found.look("contact", ("info",), good=bool(_dict(info.get("contact"))))
    references = References(document)
    declared: set[str] = set()
    for path, method, shared, operation in _operations(document, references):
        _look_at(
            found,
            references,
            ("paths", path, method),
            operation,
            [*shared, *_list(operation.get("parameters"))],
        )
        declared |= _declared_persons(operation)
    _look_at_names(found, document, declared)
    return found


def _operations(
    document: JsonObject, references: References
) -> Iterator[tuple[str, str, Sequence[Json], Mapping[str, Any]]]:
    for path, stated in _dict(document.get("paths")).items():
        item = _resolved(references, stated)
        for method, operation in item.items():
            if method in _METHODS:
                yield path, method, _list(item.get("parameters")), _resolved(references, operation)


def _look_at(
    found: Quality,
    references: References,
    place: JsonPath,
    operation: Mapping[str, Any],
    listed: Sequence[Json],
) -> None:
    said = operation.get("summary") or operation.get("description")
    found.look("operation-summary", place, good=bool(str(said or "").strip()))
    found.look("operation-id", place, good=bool(operation.get("operationId")))
    parameters = [_resolved(references, one) for one in listed]
    names = [str(one.get("name") or "") for one in parameters]
    for one, name in zip(parameters, names, strict=True):
        described = one.get("description") or _dict(one.get("schema")).get("description")
        found.look("parameter-description", (*place, "parameters"), good=bool(described), of=name)
        if _PERSON.fullmatch(name):
            found.look("person-not-declared", (*place, "parameters"), good=EXTENSION in one, of=name)
    responses = _dict(operation.get("responses"))
    errors = any(str(status)[:1] in {"4", "5"} or status == "default" for status in responses)
    found.look("error-answers", (*place, "responses"), good=errors)
    for status, stated in responses.items():
        if not str(status).startswith("2") or str(status) in {"202", "204", "205"}:
            continue
        where = (*place, "responses", str(status))
        media = [_dict(one) for one in _dict(_resolved(references, stated).get("content")).values()]
        schemas = [_resolved(references, one["schema"]) for one in media if one.get("schema") is not None]
        found.look("answer-schema", where, good=bool(schemas))
        found.look("example", where, good=any(map(_has_example, [*media, *schemas])))
        if place[-1] == "get" and any(_is_list(one) for one in schemas):
            found.look("pagination", place, good=any(_PAGING.fullmatch(name) for name in names))


def _declared_persons(operation: Mapping[str, Any]) -> set[str]:
    """Return the names of the members of bodies that an operation says name persons."""
    stated = _dict(operation.get(EXTENSION))
    paths = [path for side in ("request", "answer") for path in _list(stated.get(side))]
    return {re.split(r"[.\[]", path.rstrip("[*]"))[-1] for path in paths if isinstance(path, str)}


def _has_example(stated: Mapping[str, Any]) -> bool:
    return any(stated.get(name) not in (None, [], {}) for name in ("example", "examples", "x-example"))


def _is_list(schema: Mapping[str, Any]) -> bool:
    if schema.get("type") == "array":
        return True
    members = _dict(schema.get("properties"))
    return any(_dict(members.get(name)).get("type") == "array" for name in _LISTS)


def _look_at_names(found: Quality, document: JsonObject, declared: Collection[str]) -> None:
    """Look at the names of members, wherever a schema of the document has some."""
    named: list[tuple[str, str, JsonPath]] = []
    waiting: list[tuple[Json, JsonPath]] = [(document, ())]
    for _ in range(_MOST_NODES):
        if not waiting:
            break
        node, path = waiting.pop()
        if isinstance(node, list):
            waiting += [
                (one, (*path, index)) for index, one in enumerate(node) if isinstance(one, dict | list)
            ]
        if not isinstance(node, dict):
            continue
        for name, value in node.items():
            if name == "properties" and isinstance(value, dict):
                named += [(style, one, (*path, name, one)) for one in value if (style := style_of(one))]
                for one in value:
                    if _PERSON.fullmatch(one):
                        found.look("person-not-declared", (*path, name, one), good=one in declared, of=one)
            if isinstance(value, dict | list) and name not in _NOT_SCHEMAS:
                waiting.append((value, (*path, name)))
    if not named:
        return
    styles = [style for style, _, _ in named]
    usual = max(sorted(set(styles)), key=styles.count)
    for style, name, path in sorted(named, key=lambda one: [str(part) for part in one[2]]):
        found.look("names", path, good=style == usual, of=name)


_NOT_SCHEMAS: Final = frozenset(("example", "examples", "x-example", "default", "enum", "const"))


def _resolved(references: References, value: Json) -> Mapping[str, Any]:
    try:
        return references.resolved(value) if isinstance(value, dict) else {}
    except InvalidValueError:
        return {}


def _dict(value: Json) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Json) -> Sequence[Json]:
    return value if isinstance(value, list) else []
