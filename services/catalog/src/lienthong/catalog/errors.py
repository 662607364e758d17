"""What can be wrong with a request: values, violations in a document, and the problems that report them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lienthong.kit.json_pointer import JsonPath, pointer
from lienthong.kit.problems import ProblemError, general
from lienthong.kit.problems import catalog as kinds
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_ERRORS = 500
"""The most violations that a problem document names; the rest is counted."""


class InvalidValueError(ValueError):
    """A value is not acceptable; carries the reason in English and in Vietnamese."""

    def __init__(self, en: str, vi: str) -> None:
        super().__init__(en)
        self.en = en
        self.vi = vi


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule that a document breaks: where, what is wrong and how to correct it.

    A `conflict` is not wrong by itself but contradicts what was decided before.
    """

    path: JsonPath
    en: str
    vi: str
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
        return {"pointer": self.pointer, "detail": self.en, "detail_vi": self.vi}


class MalformedRequestError(ProblemError):
    """The body cannot be read at all."""

    def __init__(self, reason: BilingualText) -> None:
        detail = BilingualText(
            f"The body cannot be read: {reason.en}.", f"Không đọc được nội dung: {reason.vi}."
        )
        super().__init__(general.MALFORMED_REQUEST, detail)


class NotAllowedError(ProblemError):
    """The caller is known, but may not do this."""

    def __init__(self, en: str, vi: str) -> None:
        super().__init__(kinds.NOT_ALLOWED, BilingualText(en, vi))


class UnknownResourceError(ProblemError):
    """There is no such resource."""

    def __init__(self, kind_en: str, kind_vi: str, resource_id: str) -> None:
        detail = BilingualText(
            f"There is no {kind_en} '{resource_id}' in the catalog.",
            f"Không có {kind_vi} '{resource_id}' trong danh mục.",
        )
        super().__init__(kinds.UNKNOWN_RESOURCE, detail)


class RequestTooLargeError(ProblemError):
    """The body is larger than the catalog reads."""

    def __init__(self, limit: int) -> None:
        detail = BilingualText(
            f"At most {limit} bytes are read; apply in smaller portions.",
            f"Chỉ nhận tối đa {limit} byte; hãy chia thành nhiều lần.",
        )
        super().__init__(general.REQUEST_TOO_LARGE, detail)


class UnsupportedMediaTypeError(ProblemError):
    """The body is declared as something other than JSON."""

    def __init__(self) -> None:
        detail = BilingualText(
            "Send JSON, with 'Content-Type: application/json'.",
            "Hãy gửi JSON với 'Content-Type: application/json'.",
        )
        super().__init__(general.UNSUPPORTED_MEDIA_TYPE, detail)


class InvalidCursorError(ProblemError):
    """The cursor is not one that a page named as its next."""

    def __init__(self) -> None:
        detail = BilingualText(
            "The 'cursor' is not one of ours; use the 'next' of the page before, or leave it out to begin.",
            "'cursor' không hợp lệ; hãy dùng 'next' của trang trước, hoặc bỏ trống để bắt đầu.",
        )
        super().__init__(general.INVALID_REQUEST, detail)


class ConflictError(ProblemError):
    """What was asked contradicts what was decided before, or another resource with the same id."""

    def __init__(self, violations: Sequence[Violation]) -> None:
        super().__init__(kinds.CONFLICT, _summary(violations), extra=_errors(violations))


class InvalidManifestsError(ProblemError):
    """Something in the body is wrong; `errors` names all of it."""

    def __init__(self, violations: Sequence[Violation]) -> None:
        super().__init__(kinds.INVALID_MANIFESTS, _summary(violations), extra=_errors(violations))


def raise_for(violations: Sequence[Violation]) -> None:
    """Raise the problem that reports the violations, if there are any.

    Raises:
        InvalidManifestsError: at least one is a mistake in what was sent.
        ConflictError: all of them contradict what the catalog holds.
    """
    if any(not violation.conflict for violation in violations):
        raise InvalidManifestsError(violations)
    if violations:
        raise ConflictError(violations)


def _errors(violations: Sequence[Violation]) -> dict[str, Any]:
    extra: dict[str, Any] = {"errors": [violation.document() for violation in violations[:MAX_ERRORS]]}
    if len(violations) > MAX_ERRORS:
        extra["more_errors"] = len(violations) - MAX_ERRORS
    return extra


def _summary(violations: Sequence[Violation], limit: int = 3) -> BilingualText:
    named = violations[:limit]
    more = f" (+{len(violations) - limit})" if len(violations) > limit else ""
    en = "; ".join(f"{violation.pointer or '/'}: {violation.en}" for violation in named)
    vi = "; ".join(f"{violation.pointer or '/'}: {violation.vi}" for violation in named)
    return BilingualText(en + more, vi + more)
