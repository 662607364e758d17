"""The rooms of the console, and whom the platform's policy lets into each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lienthong.kit.policy import Action, Grant, allowed
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


@dataclass(frozen=True, slots=True)
class Room:
    """Something that people work on."""

    name: str
    action: Action
    title: BilingualText
    about: BilingualText
    or_action: Action | None = None
    """What lets in as well."""

    @property
    def path(self) -> str:
        """Its first page."""
        return f"/{self.name}"


ROOMS: Final = (
    Room(
        "catalog",
        Action.READ_CATALOG,
        BilingualText("Catalog", "Danh mục"),
        BilingualText(
            "Find APIs: services and event types of all agencies, and how to ask for them.",
            "Tìm API: dịch vụ và loại sự kiện của mọi cơ quan, và cách đề nghị khai thác.",
        ),
    ),
    Room(
        "systems",
        Action.MANAGE_SYSTEMS,
        BilingualText("Systems", "Hệ thống"),
        BilingualText(
            "An agency's systems: their keys, certificates and event subscriptions.",
            "Các hệ thống của cơ quan: khoá, chứng thư và đăng ký nhận sự kiện.",
        ),
    ),
    Room(
        "services",
        Action.DRAFT_SERVICES,
        BilingualText("Published data", "Dữ liệu cung cấp"),
        BilingualText(
            "Services that an agency drafts, publishes and ends.",
            "Các dịch vụ mà cơ quan soạn, công bố và ngừng.",
        ),
    ),
    Room(
        "requests",
        Action.REQUEST_AGREEMENTS,
        BilingualText("Requests for agreements", "Đề nghị thoả thuận"),
        BilingualText(
            "What an agency asks others for, and how far each request has come.",
            "Những gì cơ quan đề nghị được khai thác, và tình trạng của từng đề nghị.",
        ),
    ),
    Room(
        "decisions",
        Action.DECIDE_AGREEMENTS,
        BilingualText("Decisions on agreements", "Duyệt thoả thuận"),
        BilingualText(
            "What others ask for of an agency's data: to approve or to reject.",
            "Những đề nghị khai thác dữ liệu của cơ quan: chấp thuận hoặc từ chối.",
        ),
    ),
    Room(
        "usage",
        Action.READ_HEALTH,
        BilingualText("Use", "Sử dụng dịch vụ"),
        BilingualText(
            "Who uses which service, for what and how often, and which calls fail.",
            "Ai dùng dịch vụ nào, cho mục đích gì, bao nhiêu lần, và lời gọi nào bị lỗi.",
        ),
        or_action=Action.READ_RECORDS,
    ),
    Room(
        "records",
        Action.READ_RECORDS,
        BilingualText("Audit trail", "Nhật ký"),
        BilingualText(
            "Who called what and when, with receipts that can be verified.",
            "Ai đã gọi gì, khi nào, kèm biên nhận kiểm chứng được.",
        ),
    ),
    Room(
        "health",
        Action.READ_HEALTH,
        BilingualText("State of the platform", "Tình trạng nền tảng"),
        BilingualText(
            "Which processes run, how they are, and how calls go.",
            "Tiến trình nào đang chạy, tình trạng ra sao, các lời gọi thế nào.",
        ),
    ),
    Room(
        "people",
        Action.READ_PEOPLE,
        BilingualText("People", "Người dùng"),
        BilingualText(
            "An agency's people: their roles and sessions, and accounts to review.",
            "Người dùng của cơ quan: vai trò, phiên đăng nhập, tài khoản cần rà soát.",
        ),
    ),
)


def open_to(grants: Collection[Grant]) -> Sequence[Room]:
    """The rooms in which a person with these roles may do something, for the platform or for some agency."""
    places = {grant.agency for grant in grants}
    return [
        room
        for room in ROOMS
        if any(
            allowed(grants, action, place)
            for action in (room.action, room.or_action)
            if action is not None
            for place in places
        )
    ]
