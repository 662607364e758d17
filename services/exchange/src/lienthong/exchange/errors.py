"""The problems that the exchange answers with; the function's name is the problem's code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lienthong.kit.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class EventViolation:
    """One rule that an event breaks; `pointer` (RFC 6901) names the place in what was sent."""

    pointer: str
    detail: str


def _listed(violations: Sequence[EventViolation]) -> dict[str, object]:
    return {
        "errors": [{"pointer": violation.pointer, "detail": violation.detail} for violation in violations]
    }


def _sentence(violations: Sequence[EventViolation]) -> str:
    first = "; ".join(f"{violation.pointer or '/'} {violation.detail}" for violation in violations[:3])
    return first + (f"; and {len(violations) - 3} more" if len(violations) > 3 else "")


def malformed_event(violations: Sequence[EventViolation]) -> ProblemError:
    """What was sent is not a CloudEvent."""
    return ProblemError(
        code="malformed-event",
        status=400,
        title="Malformed event",
        title_vi="Sự kiện sai định dạng",
        detail=f"Not a CloudEvents 1.0 event: {_sentence(violations)}.",
        detail_vi="Nội dung gửi lên không đúng chuẩn CloudEvents 1.0; xem danh sách lỗi.",
        extra=_listed(violations),
    )


def unsupported_media_type(detail: str) -> ProblemError:
    """The content mode is not understood."""
    return ProblemError(
        code="unsupported-media-type",
        status=415,
        title="Unsupported media type",
        title_vi="Kiểu nội dung không được hỗ trợ",
        detail=f"{detail}.",
        detail_vi="Gửi CloudEvents ở dạng structured, batch hoặc binary.",
        headers={"Accept-Post": "application/cloudevents+json, application/cloudevents-batch+json"},
    )


def event_too_large(what: str, limit: int) -> ProblemError:
    """An event, or the whole request, has too many bytes."""
    return ProblemError(
        code="event-too-large",
        status=413,
        title="Event too large",
        title_vi="Sự kiện quá lớn",
        detail=f"{what} has more than {limit} bytes; send a link to large data instead.",
        detail_vi=f"Vượt quá {limit} byte; dữ liệu lớn hãy gửi bằng đường dẫn.",
    )


def batch_too_large(limit: int) -> ProblemError:
    """A batch has too many events."""
    return ProblemError(
        code="batch-too-large",
        status=413,
        title="Batch too large",
        title_vi="Lô sự kiện quá lớn",
        detail=f"A batch has at least one event and at most {limit}.",
        detail_vi=f"Một lô có từ 1 đến {limit} sự kiện.",
    )


def schema_mismatch(violations: Sequence[EventViolation]) -> ProblemError:
    """Events are not what their event type, or its schema, says."""
    return ProblemError(
        code="schema-mismatch",
        status=422,
        title="Event does not match its type",
        title_vi="Sự kiện không khớp với loại sự kiện",
        detail=f"{_sentence(violations)}. Nothing of this request was accepted.",
        detail_vi="Dữ liệu không đúng lược đồ của loại sự kiện; không sự kiện nào được nhận.",
        extra=_listed(violations),
    )


def schema_unusable(event_type: str, reason: str) -> ProblemError:
    """The event type's own schema cannot be used."""
    return ProblemError(
        code="schema-unusable",
        status=422,
        title="The event type's schema cannot be used",
        title_vi="Lược đồ của loại sự kiện không dùng được",
        detail=f"The schema of {event_type} cannot be used: {reason}. Mend it in the catalog.",
        detail_vi="Hãy sửa lược đồ của loại sự kiện trong danh mục.",
    )


def event_id_reused(event_id: str) -> ProblemError:
    """Another event was accepted under the same source and id."""
    return ProblemError(
        code="event-id-reused",
        status=409,
        title="Event id used twice",
        title_vi="Mã sự kiện đã được dùng",
        detail=f"Another event of this source was accepted under the id {event_id!r}; give each its own.",
        detail_vi="Mỗi sự kiện cần một mã riêng trong cùng một nguồn.",
    )


def unknown_event_type(event_type: str) -> ProblemError:
    """The catalog does not know the event type."""
    return ProblemError(
        code="unknown-event-type",
        status=404,
        title="Unknown event type",
        title_vi="Không có loại sự kiện này",
        detail=f"The catalog has no event type {event_type}.",
        detail_vi="Loại sự kiện chưa được đăng ký trong danh mục.",
    )


def not_the_provider(event_type: str) -> ProblemError:
    """Somebody else than the event type's system publishes."""
    return ProblemError(
        code="not-the-provider",
        status=403,
        title="Not the provider",
        title_vi="Không phải bên cung cấp",
        detail=f"Only the system that {event_type} belongs to publishes its events.",
        detail_vi="Chỉ hệ thống sở hữu loại sự kiện mới được gửi sự kiện.",
    )


def client_suspended(client_id: str) -> ProblemError:
    """The calling system is suspended, or the catalog does not know it (any more)."""
    return ProblemError(
        code="client-suspended",
        status=403,
        title="Client suspended",
        title_vi="Hệ thống gọi bị tạm ngừng",
        detail=f"The system {client_id} is suspended or not registered; ask the operator.",
        detail_vi="Hệ thống bị tạm ngừng hoặc chưa đăng ký; hãy liên hệ đơn vị vận hành.",
    )


def provider_suspended(event_type: str) -> ProblemError:
    """The system that the event type belongs to is suspended, or the event type itself."""
    return ProblemError(
        code="provider-suspended",
        status=403,
        title="Provider suspended",
        title_vi="Bên cung cấp bị tạm ngừng",
        detail=f"{event_type} or the system it belongs to is suspended.",
        detail_vi="Loại sự kiện hoặc hệ thống cung cấp đang bị tạm ngừng.",
    )


def no_agreement(event_type: str) -> ProblemError:
    """No agreement in force lets the caller receive these events."""
    return ProblemError(
        code="no-agreement",
        status=403,
        title="No agreement",
        title_vi="Chưa có thoả thuận chia sẻ dữ liệu",
        detail=f"No approved agreement in force lets this system receive {event_type}.",
        detail_vi="Chưa có thoả thuận còn hiệu lực cho phép nhận loại sự kiện này.",
    )


def unknown_subscription(name: str) -> ProblemError:
    """The caller has no subscription of this name."""
    return ProblemError(
        code="unknown-subscription",
        status=404,
        title="Unknown subscription",
        title_vi="Không có đăng ký này",
        detail=f"This system has no subscription {name!r}; create it with PUT.",
        detail_vi="Hệ thống chưa đăng ký nhận với tên này; hãy tạo bằng PUT.",
    )


def subscription_exists(name: str) -> ProblemError:
    """The name is taken by a subscription with other properties."""
    return ProblemError(
        code="subscription-exists",
        status=409,
        title="Subscription exists",
        title_vi="Tên đăng ký đã được dùng",
        detail=f"The subscription {name!r} exists with other properties; delete it or take another name.",
        detail_vi="Đăng ký cùng tên đã có với nội dung khác; hãy xoá hoặc đặt tên khác.",
    )


def too_many_subscriptions(limit: int) -> ProblemError:
    """The caller has as many subscriptions as a system may have."""
    return ProblemError(
        code="too-many-subscriptions",
        status=409,
        title="Too many subscriptions",
        title_vi="Quá nhiều đăng ký nhận sự kiện",
        detail=f"A system has at most {limit} subscriptions; delete one that is not needed.",
        detail_vi=f"Mỗi hệ thống có tối đa {limit} đăng ký; hãy xoá bớt.",
    )


def bus_unavailable(already: Sequence[object] = ()) -> ProblemError:
    """The bus did not confirm; `already` lists the events of this request that it did confirm."""
    return ProblemError(
        code="bus-unavailable",
        status=503,
        title="Bus unavailable",
        title_vi="Trục sự kiện tạm thời gián đoạn",
        detail="The event bus did not confirm in time. Send the same request again: nothing is taken twice.",
        detail_vi="Hãy gửi lại nguyên yêu cầu; sự kiện đã nhận sẽ không bị nhận hai lần.",
        headers={"Retry-After": "1"},
        extra={"accepted": list(already)} if already else {},
    )


def not_ready() -> ProblemError:
    """The exchange has not yet learned the catalog."""
    return ProblemError(
        code="not-ready",
        status=503,
        title="Not ready",
        title_vi="Hệ thống chưa sẵn sàng",
        detail="The exchange has not yet received the catalog; try again in a moment.",
        detail_vi="Hệ thống đang tải danh mục; hãy thử lại sau giây lát.",
        headers={"Retry-After": "1"},
    )
