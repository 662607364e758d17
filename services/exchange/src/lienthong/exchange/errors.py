"""The problems that the exchange answers with; each function is named as the problem's code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lienthong.kit.problems import ProblemError, agreements, general
from lienthong.kit.problems import exchange as kinds
from lienthong.kit.problems.callers import client_suspended
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "EventViolation",
    "SecretUnusableError",
    "batch_too_large",
    "bus_unavailable",
    "client_suspended",
    "event_id_reused",
    "event_store_full",
    "event_too_large",
    "malformed_event",
    "no_agreement",
    "not_ready",
    "not_the_provider",
    "provider_suspended",
    "schema_mismatch",
    "schema_unusable",
    "subscription_exists",
    "too_costly",
    "too_many_subscriptions",
    "unknown_event_type",
    "unknown_subscription",
    "unsupported_media_type",
]

_RETRY_SOON: Final = {"Retry-After": "1"}
_RETRY_LATER: Final = {"Retry-After": "60"}
_ACCEPTED: Final = {"Accept-Post": "application/cloudevents+json, application/cloudevents-batch+json"}


class SecretUnusableError(Exception):
    """The secret of acknowledgement tokens is missing or too short; says how to mend it."""


@dataclass(frozen=True, slots=True)
class EventViolation:
    """One rule that an event breaks; `pointer` (RFC 6901) names the place in what was sent."""

    pointer: str
    detail: str


def malformed_event(violations: Sequence[EventViolation]) -> ProblemError:
    """What was sent is not a CloudEvent."""
    detail = BilingualText(
        f"Not a CloudEvents 1.0 event: {_sentence(violations)}.",
        f"Nội dung gửi lên không đúng chuẩn CloudEvents 1.0, ở: {_places(violations)}.",
    )
    return ProblemError(kinds.MALFORMED_EVENT, detail, extra=_listed(violations))


def unsupported_media_type(reason: str) -> ProblemError:
    """The content mode is not understood; `reason` is in English."""
    detail = BilingualText(
        f"{reason}.",
        "Chỉ nhận CloudEvents ở dạng structured, batch hoặc binary, với dữ liệu JSON mã hoá UTF-8.",
    )
    return ProblemError(general.UNSUPPORTED_MEDIA_TYPE, detail, _ACCEPTED)


def event_too_large(event_id: str | None, limit: int) -> ProblemError:
    """An event has more than `limit` bytes; without an id it is the whole request."""
    detail = (
        BilingualText(
            f"The request has more than {limit} bytes.", f"Yêu cầu có dung lượng vượt quá {limit} byte."
        )
        if event_id is None
        else BilingualText(
            f"The event {event_id!r} has more than {limit} bytes.",
            f"Sự kiện {event_id!r} có dung lượng vượt quá {limit} byte.",
        )
    )
    return ProblemError(kinds.EVENT_TOO_LARGE, detail)


def batch_too_large(limit: int) -> ProblemError:
    """A batch has no event, or too many."""
    detail = BilingualText(
        f"A batch has at least one event and at most {limit}.", f"Một lô có từ 1 đến {limit} sự kiện."
    )
    return ProblemError(kinds.BATCH_TOO_LARGE, detail)


def schema_mismatch(violations: Sequence[EventViolation]) -> ProblemError:
    """Events are not what their event type, or its schema, says."""
    detail = BilingualText(
        f"{_sentence(violations)}. Nothing of this request was accepted.",
        f"Không khớp với loại sự kiện, ở: {_places(violations)}. Không sự kiện nào của yêu cầu được nhận.",
    )
    return ProblemError(kinds.SCHEMA_MISMATCH, detail, extra=_listed(violations))


def schema_unusable(event_type: str, reason: str) -> ProblemError:
    """The event type's own schema cannot be used; `reason` is in English."""
    detail = BilingualText(
        f"The schema of {event_type} cannot be used: {reason}.",
        f"Không dùng được lược đồ của {event_type}: {reason}.",
    )
    return ProblemError(kinds.SCHEMA_UNUSABLE, detail)


def too_costly(event_type: str) -> ProblemError:
    """To check the events of a request against their schema takes longer than a request may take."""
    detail = BilingualText(
        f"Checking these events against the schema of {event_type} takes too long.",
        f"Kiểm tra các sự kiện này theo lược đồ của {event_type} mất quá nhiều thời gian.",
    )
    return ProblemError(general.TOO_COSTLY, detail)


def event_id_reused(event_id: str) -> ProblemError:
    """Another event was accepted under the same source and id."""
    detail = BilingualText(
        f"Another event of this source was accepted under the id {event_id!r}.",
        f"Một sự kiện khác của cùng nguồn đã được nhận với mã {event_id!r}.",
    )
    return ProblemError(kinds.EVENT_ID_REUSED, detail)


def unknown_event_type(event_type: str) -> ProblemError:
    """The catalog does not know the event type."""
    detail = BilingualText(
        f"The catalog has no event type {event_type}.", f"Danh mục không có loại sự kiện {event_type}."
    )
    return ProblemError(kinds.UNKNOWN_EVENT_TYPE, detail)


def not_the_provider(event_type: str) -> ProblemError:
    """A system publishes events of a type that is another system's."""
    detail = BilingualText(
        f"Only the system that {event_type} belongs to may publish its events.",
        f"Chỉ hệ thống sở hữu {event_type} mới được gửi sự kiện loại này.",
    )
    return ProblemError(kinds.NOT_THE_PROVIDER, detail)


def provider_suspended(event_type: str) -> ProblemError:
    """The system that the event type belongs to is suspended, or the event type itself."""
    detail = BilingualText(
        f"{event_type}, or the system that it belongs to, is suspended.",
        f"{event_type} hoặc hệ thống sở hữu đang bị tạm ngừng.",
    )
    return ProblemError(kinds.PROVIDER_SUSPENDED, detail)


def no_agreement(event_type: str) -> ProblemError:
    """The caller has no agreement on these events, or only such as were rejected or lapsed."""
    detail = BilingualText(
        f"No agreement lets this system receive {event_type}.",
        f"Chưa có thoả thuận cho phép hệ thống này nhận {event_type}.",
    )
    return ProblemError(agreements.NO_AGREEMENT, detail)


def unknown_subscription(name: str) -> ProblemError:
    """The caller has no subscription of this name."""
    detail = BilingualText(
        f"This system has no subscription {name!r}.", f"Hệ thống này không có đăng ký {name!r}."
    )
    return ProblemError(kinds.UNKNOWN_SUBSCRIPTION, detail)


def subscription_exists(name: str) -> ProblemError:
    """The name is taken by a subscription with other properties."""
    detail = BilingualText(
        f"The subscription {name!r} exists with other properties.",
        f"Đăng ký {name!r} đã có với nội dung khác.",
    )
    return ProblemError(kinds.SUBSCRIPTION_EXISTS, detail)


def too_many_subscriptions(limit: int) -> ProblemError:
    """The caller has as many subscriptions as a system may have."""
    detail = BilingualText(
        f"A system may have at most {limit} subscriptions.", f"Mỗi hệ thống có tối đa {limit} đăng ký."
    )
    return ProblemError(kinds.TOO_MANY_SUBSCRIPTIONS, detail)


def bus_unavailable(already: Sequence[object] = ()) -> ProblemError:
    """The bus did not confirm; `already` lists the events of this request that it did confirm."""
    detail = BilingualText(
        "The event bus did not confirm in time.", "Trục sự kiện không xác nhận trong thời hạn."
    )
    extra = {"accepted": list(already)} if already else {}
    return ProblemError(kinds.BUS_UNAVAILABLE, detail, _RETRY_SOON, extra)


def event_store_full(already: Sequence[object] = ()) -> ProblemError:
    """The stream of events holds as much as it may; `already` lists what it took of this request."""
    detail = BilingualText(
        "The event bus has no room for further events.", "Trục sự kiện không còn chỗ lưu sự kiện mới."
    )
    extra = {"accepted": list(already)} if already else {}
    return ProblemError(kinds.EVENT_STORE_FULL, detail, _RETRY_LATER, extra)


def not_ready() -> ProblemError:
    """The catalog is not known yet, or was last confirmed too long ago."""
    detail = BilingualText(
        "The exchange has no recent copy of the catalog.",
        "Hệ thống trao đổi sự kiện chưa có bản danh mục đủ mới.",
    )
    return ProblemError(general.NOT_READY, detail, _RETRY_SOON)


def _listed(violations: Sequence[EventViolation]) -> dict[str, object]:
    return {
        "errors": [{"pointer": violation.pointer, "detail": violation.detail} for violation in violations]
    }


def _sentence(violations: Sequence[EventViolation]) -> str:
    first = "; ".join(f"{violation.pointer or '/'} {violation.detail}" for violation in violations[:3])
    return first + (f"; and {len(violations) - 3} more" if len(violations) > 3 else "")


def _places(violations: Sequence[EventViolation]) -> str:
    first = "; ".join(violation.pointer or "/" for violation in violations[:3])
    return first + (f"; và {len(violations) - 3} chỗ khác" if len(violations) > 3 else "")
