"""The catalog's problems (RFC 9457), in English and Vietnamese."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lienthong.kit.problems import ProblemError, general
from lienthong.kit.problems import catalog as kinds
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lienthong.catalog.kinds import Key
    from lienthong.catalog.mistakes import Mistake, ValueRefusedError

MAX_ERRORS = 500


class MalformedRequestError(ProblemError):
    """The body cannot be read at all."""

    def __init__(self, refusal: ValueRefusedError) -> None:
        super().__init__(general.MALFORMED_REQUEST, BilingualText(f"{refusal.en}.", f"{refusal.vi}."))


class NotAllowedError(ProblemError):
    """The caller is known, but may not do this."""

    def __init__(self, en: str, vi: str) -> None:
        super().__init__(kinds.NOT_ALLOWED, BilingualText(en, vi))


class UnknownResourceError(ProblemError):
    """There is no such resource."""

    def __init__(self, key: Key) -> None:
        kind, identity = key
        detail = BilingualText(
            f"There is no {kind.word} '{identity}' in the catalog.",
            f"Không có {kind.word_vi} '{identity}' trong danh mục.",
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
    """The body is said not to be JSON."""

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
    """What was asked contradicts what was decided before, or another resource of that name."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__(kinds.CONFLICT, _summary(mistakes), extra=_errors(mistakes))


class InvalidManifestsError(ProblemError):
    """Something in the body is wrong; `errors` names all of it."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__(kinds.INVALID_MANIFESTS, _summary(mistakes), extra=_errors(mistakes))


def refuse(mistakes: Sequence[Mistake]) -> None:
    """Raise what fits the mistakes; nothing when there are none.

    Raises:
        ProblemError: `invalid-manifests` when at least one is a mistake in what was sent, `conflict` when all
            contradict what the catalog holds.
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


def _summary(mistakes: Sequence[Mistake], limit: int = 3) -> BilingualText:
    places = [mistake.pointer or "/" for mistake in mistakes[:limit]]
    more = f" (+{len(mistakes) - limit})" if len(mistakes) > limit else ""
    en = [f"{place}: {mistake.detail}" for place, mistake in zip(places, mistakes, strict=False)]
    vi = [f"{place}: {mistake.detail_vi}" for place, mistake in zip(places, mistakes, strict=False)]
    return BilingualText("; ".join(en) + more, "; ".join(vi) + more)
