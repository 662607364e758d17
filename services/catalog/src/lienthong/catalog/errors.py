"""What can be wrong with a request: values, violations in a document, and the problems that report them.

Each function that makes a problem is named as the problem's code.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from lienthong.kit.json_pointer import JsonPath, pointer
from lienthong.kit.problems import ProblemError, general
from lienthong.kit.problems import catalog as kinds
from lienthong.kit.problems.problem import MOST_LISTED
from lienthong.kit.rates import RateLimit, limit_headers
from lienthong.kit.text import BilingualText, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_ERRORS = MOST_LISTED
"""The most violations that a problem document names; the rest is counted."""

_LONGEST_PLACE = 300


class InvalidValueError(ValueError):
    """A value is not acceptable; `text` says why."""

    def __init__(self, en: str, vi: str) -> None:
        super().__init__(en)
        self.text = BilingualText(en, vi)


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule that a document breaks: where, what is wrong and how to correct it.

    A `conflict` is not wrong by itself but contradicts what was decided before.
    """

    path: JsonPath
    text: BilingualText
    conflict: bool = False

    @property
    def pointer(self) -> str:
        """The path as a JSON pointer (RFC 6901)."""
        return pointer(self.path)

    def under(self, *prefix: str | int) -> Violation:
        """Return the violation as seen from an enclosing document, in which this one stands at `prefix`."""
        return replace(self, path=(*prefix, *self.path))

    def document(self) -> dict[str, str]:
        """Return the violation as an entry of `errors` in a problem document."""
        return {"pointer": self.pointer, "detail": self.text.en, "detail_vi": self.text.vi}


def malformed_request(reason: BilingualText) -> ProblemError:
    """The body cannot be read at all."""
    detail = BilingualText(f"The body cannot be read: {reason.en}.", f"Không đọc được nội dung: {reason.vi}.")
    return ProblemError(general.MALFORMED_REQUEST, detail)


def not_allowed(en: str, vi: str) -> ProblemError:
    """The caller is known, but may not do this."""
    return ProblemError(kinds.NOT_ALLOWED, BilingualText(en, vi))


def unknown_resource(kind_en: str, kind_vi: str, resource_id: str) -> ProblemError:
    """There is no such resource."""
    detail = BilingualText(
        f"There is no {kind_en} '{resource_id}' in the catalog.",
        f"Không có {kind_vi} '{resource_id}' trong danh mục.",
    )
    return ProblemError(kinds.UNKNOWN_RESOURCE, detail)


def too_many_open_requests(system: str, limit: int, days: int) -> ProblemError:
    """As many requests of a system wait for a decision as may."""
    detail = BilingualText(
        f"{limit} requests of '{system}' wait for a decision, and no more may. Each ends when the provider "
        f"approves or rejects it, or after {days} days.",
        f"{limit} đề nghị của '{system}' đang chờ duyệt, đã đạt mức tối đa. Mỗi đề nghị kết thúc khi bên "
        f"cung cấp duyệt hoặc từ chối, hoặc sau {days} ngày.",
    )
    return ProblemError(kinds.TOO_MANY_OPEN_REQUESTS, detail)


def too_many_requests_in_a_day(system: str, limit: int, wait: timedelta) -> ProblemError:
    """A system has asked for as many agreements as it may within 24 hours; one more after `wait`."""
    detail = BilingualText(
        f"{limit} agreements of '{system}' were made within the last 24 hours, and no more may be.",
        f"'{system}' đã có {limit} thoả thuận được tạo trong 24 giờ qua, đã đạt mức tối đa.",
    )
    rate = RateLimit("agreement-requests-per-day", limit / timedelta(days=1).total_seconds(), limit)
    return ProblemError(general.RATE_LIMITED, detail, limit_headers(rate, wait.total_seconds()))


def too_many_systems(agency: str, limit: int, held: int, new: int) -> ProblemError:
    """An agency would have more systems than it may."""
    detail = BilingualText(
        f"Agency '{agency}' may have {limit} systems. It has {held}, and this request would add {new}.",
        f"Cơ quan '{agency}' được có tối đa {limit} hệ thống; đang có {held}, yêu cầu này thêm {new}.",
    )
    return ProblemError(kinds.TOO_MANY_SYSTEMS, detail, extra={"limit": limit, "systems": held})


def request_too_large(limit: int, *, fixed: bool) -> ProblemError:
    """The body is larger than the catalog reads; `fixed` where no setting says how much that is."""
    if fixed:
        detail = BilingualText(
            f"At most {limit} bytes are read here; this limit is fixed.",
            f"Ở đây chỉ nhận tối đa {limit} byte; giới hạn này cố định.",
        )
    else:
        detail = BilingualText(
            f"At most {limit} bytes are read; apply in smaller portions. The operator may raise the limit: "
            "LIENTHONG_CATALOG_MAX_REQUEST_BYTES.",
            f"Chỉ nhận tối đa {limit} byte; hãy chia thành nhiều lần. Đơn vị vận hành có thể nâng mức này: "
            "LIENTHONG_CATALOG_MAX_REQUEST_BYTES.",
        )
    return ProblemError(general.REQUEST_TOO_LARGE, detail)


def unsupported_media_type() -> ProblemError:
    """The body is declared as something other than JSON."""
    detail = BilingualText(
        "Send JSON, with 'Content-Type: application/json'.",
        "Hãy gửi JSON với 'Content-Type: application/json'.",
    )
    return ProblemError(general.UNSUPPORTED_MEDIA_TYPE, detail)


def invalid_cursor() -> ProblemError:
    """The cursor is not one that a page named as its next."""
    detail = BilingualText(
        "The 'cursor' is not valid; use the 'next' of the page before, or leave it out to begin.",
        "'cursor' không hợp lệ; hãy dùng 'next' của trang trước, hoặc bỏ trống để bắt đầu.",
    )
    return ProblemError(general.INVALID_REQUEST, detail)


def invalid_search(text: BilingualText) -> ProblemError:
    """What is searched for cannot be read."""
    return ProblemError(general.INVALID_REQUEST, BilingualText(f"{text.en}.", f"{text.vi}."))


def too_costly() -> ProblemError:
    """To check manifests takes longer than a request may take."""
    detail = BilingualText(
        "Checking these manifests, their OpenAPI documents and schemas takes too long.",
        "Kiểm tra các tệp khai báo này cùng tài liệu OpenAPI và lược đồ mất quá nhiều thời gian.",
    )
    return ProblemError(general.TOO_COSTLY, detail)


def conflict(violations: Sequence[Violation]) -> ProblemError:
    """What was asked contradicts what was decided before, or another resource with the same id."""
    return ProblemError(kinds.CONFLICT, _summary(violations), extra=_errors(violations))


Made = tuple[str, str]
"""Who made a version, and when, as it is shown."""


def overtaken(stated: int, version: int, made: Made) -> BilingualText:
    """Say that something has another version than was stated, and who made it."""
    by, at = made
    return BilingualText(
        f"version {stated} was read, and '{by}' has changed it since ({at}, version {version})",
        f"đã đọc phiên bản {stated}, từ đó '{by}' đã sửa ({at}, phiên bản {version})",
    )


def changed_since(stated: int, version: int, made: Made) -> ProblemError:
    """Something has another version than `If-Match` states."""
    text = overtaken(stated, version, made)
    detail = BilingualText(f"'If-Match': {text.en}.", f"'If-Match': {text.vi}.")
    return ProblemError(kinds.CHANGED_SINCE, detail, {"ETag": f'"{version}"'})


def changed_since_read(violations: Sequence[Violation]) -> ProblemError:
    """Manifests state other versions than the catalog has; `errors` names all of them."""
    return ProblemError(kinds.CHANGED_SINCE, _summary(violations), extra=_errors(violations))


def invalid_if_match() -> ProblemError:
    """`If-Match` is no version."""
    detail = BilingualText(
        "'If-Match' states one version as it stood in 'ETag', like \"1764547200000\".",
        "'If-Match' nêu một phiên bản như trong 'ETag', ví dụ \"1764547200000\".",
    )
    return ProblemError(general.INVALID_REQUEST, detail)


def invalid_manifests(violations: Sequence[Violation]) -> ProblemError:
    """Something in the body is wrong; `errors` names all of it."""
    return ProblemError(kinds.INVALID_MANIFESTS, _summary(violations), extra=_errors(violations))


def raise_for(violations: Sequence[Violation]) -> None:
    """Raise the problem that reports the violations, if there are any.

    Raises:
        ProblemError: `invalid-manifests` when at least one is a mistake in what was sent, `conflict` when
            all of them contradict what the catalog holds.
    """
    if any(not violation.conflict for violation in violations):
        raise invalid_manifests(violations)
    if violations:
        raise conflict(violations)


def _errors(violations: Sequence[Violation]) -> dict[str, Any]:
    extra: dict[str, Any] = {"errors": [violation.document() for violation in violations[:MAX_ERRORS]]}
    if len(violations) > MAX_ERRORS:
        extra["more_errors"] = len(violations) - MAX_ERRORS
    return extra


def _summary(violations: Sequence[Violation], limit: int = 3) -> BilingualText:
    named = violations[:limit]
    more = f" (+{len(violations) - limit})" if len(violations) > limit else ""
    places = [shown(violation.pointer, _LONGEST_PLACE) or "/" for violation in named]
    en = "; ".join(f"{place}: {violation.text.en}" for place, violation in zip(places, named, strict=True))
    vi = "; ".join(f"{place}: {violation.text.vi}" for place, violation in zip(places, named, strict=True))
    return BilingualText(en + more, vi + more)
