"""The catalog's problems (RFC 9457), in English and Vietnamese."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lienthong.kit.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lienthong.catalog.kinds import Key
    from lienthong.catalog.mistakes import Mistake, ValueRefusedError

MAX_ERRORS = 500


class MalformedRequestError(ProblemError):
    """The body cannot be read at all."""

    def __init__(self, refusal: ValueRefusedError) -> None:
        super().__init__(
            "malformed-request",
            400,
            "Malformed request",
            f"{refusal.en}.",
            title_vi="Yêu cầu sai định dạng",
            detail_vi=f"{refusal.vi}.",
        )


class NotAllowedError(ProblemError):
    """The caller is known, but this is not for it."""

    def __init__(self, en: str, vi: str) -> None:
        super().__init__("not-allowed", 403, "Not allowed", en, title_vi="Không được phép", detail_vi=vi)


class UnknownResourceError(ProblemError):
    """There is no such resource."""

    def __init__(self, key: Key) -> None:
        kind, identity = key
        super().__init__(
            "unknown-resource",
            404,
            "Unknown resource",
            f"There is no {kind.word} '{identity}' in the catalog.",
            title_vi="Không tìm thấy",
            detail_vi=f"Không có {kind.word_vi} '{identity}' trong danh mục.",
        )


class RequestTooLargeError(ProblemError):
    """The body is larger than the catalog reads."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            "request-too-large",
            413,
            "Request too large",
            f"At most {limit} bytes are read; apply in smaller portions.",
            title_vi="Yêu cầu quá lớn",
            detail_vi=f"Chỉ nhận tối đa {limit} byte; hãy chia thành nhiều lần.",
        )


class UnsupportedMediaTypeError(ProblemError):
    """The body is said not to be JSON."""

    def __init__(self) -> None:
        super().__init__(
            "unsupported-media-type",
            415,
            "Unsupported media type",
            "Send JSON, with 'Content-Type: application/json'.",
            title_vi="Không hỗ trợ kiểu nội dung",
            detail_vi="Hãy gửi JSON với 'Content-Type: application/json'.",
        )


class InvalidCursorError(ProblemError):
    """The cursor is not one that a page named as its next."""

    def __init__(self) -> None:
        super().__init__(
            "invalid-request",
            422,
            "Invalid request",
            "The 'cursor' is not one of ours; use the 'next' of the page before, or leave it out to begin.",
            title_vi="Yêu cầu không hợp lệ",
            detail_vi="'cursor' không hợp lệ; hãy dùng 'next' của trang trước, hoặc bỏ trống để bắt đầu.",
        )


class ConflictError(ProblemError):
    """What was asked contradicts what was decided before, or another resource of that name."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__(
            "conflict",
            409,
            "Conflict",
            _summary(mistakes, [mistake.detail for mistake in mistakes]),
            title_vi="Xung đột",
            detail_vi=_summary(mistakes, [mistake.detail_vi for mistake in mistakes]),
            extra=_errors(mistakes),
        )


class InvalidManifestsError(ProblemError):
    """Something in the body is wrong; `errors` names all of it."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__(
            "invalid-manifests",
            422,
            "Invalid manifests",
            _summary(mistakes, [mistake.detail for mistake in mistakes]),
            title_vi="Bản khai không hợp lệ",
            detail_vi=_summary(mistakes, [mistake.detail_vi for mistake in mistakes]),
            extra=_errors(mistakes),
        )


def refuse(mistakes: Sequence[Mistake]) -> None:
    """Raise what fits the mistakes; nothing when there are none.

    Raises:
        InvalidManifestsError: at least one is a mistake in what was sent.
        ConflictError: all are conflicts with what stands.
    """
    if any(not mistake.conflict for mistake in mistakes):
        raise InvalidManifestsError(mistakes)
    if mistakes:
        raise ConflictError(mistakes)


def _errors(mistakes: Sequence[Mistake]) -> dict[str, Any]:
    extra: dict[str, Any] = {"errors": [mistake.document() for mistake in mistakes[:MAX_ERRORS]]}
    if len(mistakes) > MAX_ERRORS:
        extra["more_errors"] = len(mistakes) - MAX_ERRORS
    return extra


def _summary(mistakes: Sequence[Mistake], details: Sequence[str], limit: int = 3) -> str:
    lines = [f"{mistake.pointer or '/'}: {detail}" for mistake, detail in zip(mistakes, details, strict=True)]
    more = f" (+{len(lines) - limit})" if len(lines) > limit else ""
    return "; ".join(lines[:limit]) + more
