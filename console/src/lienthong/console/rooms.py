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
    """Something that people work on. `command` is how it is done by a program, with the key of a client.

    Where there are no pages for it yet, `coming` says what will be there, and `now` what to do meanwhile.
    """

    name: str
    action: Action
    title: BilingualText
    about: BilingualText
    command: str
    coming: BilingualText | None = None
    now: BilingualText | None = None

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
        "lienthong search WORDS",
    ),
    Room(
        "systems",
        Action.MANAGE_SYSTEMS,
        BilingualText("Systems", "Hệ thống"),
        BilingualText(
            "An agency's systems: their keys, certificates and event subscriptions.",
            "Các hệ thống của cơ quan: khoá, chứng thư và đăng ký nhận sự kiện.",
        ),
        "lienthong apply -f FILE",
    ),
    Room(
        "services",
        Action.DRAFT_SERVICES,
        BilingualText("Published data", "Dữ liệu cung cấp"),
        BilingualText(
            "Services that an agency drafts, publishes and ends.",
            "Các dịch vụ mà cơ quan soạn, công bố và ngừng.",
        ),
        "lienthong apply -f FILE",
    ),
    Room(
        "requests",
        Action.REQUEST_AGREEMENTS,
        BilingualText("Requests for agreements", "Đề nghị thoả thuận"),
        BilingualText(
            "What an agency asks others for, and how far each request has come.",
            "Những gì cơ quan đề nghị được khai thác, và tình trạng của từng đề nghị.",
        ),
        "lienthong agreement request ID --service … --purpose … --legal-ground …",
    ),
    Room(
        "decisions",
        Action.DECIDE_AGREEMENTS,
        BilingualText("Decisions on agreements", "Duyệt thoả thuận"),
        BilingualText(
            "What others ask for of an agency's data: to approve or to reject.",
            "Những đề nghị khai thác dữ liệu của cơ quan: chấp thuận hoặc từ chối.",
        ),
        "lienthong agreement approve ID",
    ),
    Room(
        "records",
        Action.READ_RECORDS,
        BilingualText("Audit trail", "Nhật ký"),
        BilingualText(
            "Who called what and when, with receipts that can be verified.",
            "Ai đã gọi gì, khi nào, kèm biên nhận kiểm chứng được.",
        ),
        "lienthong audit search",
        BilingualText(
            "Here you will search who called what and when, and download receipts whose proofs anyone can "
            "verify.",
            "Tại đây bạn sẽ tra cứu ai đã gọi gì, khi nào, và tải biên nhận mà bất kỳ ai cũng kiểm chứng "
            "được.",
        ),
        BilingualText(
            "For now, whoever holds the key of the auditor searches from a terminal:",
            "Hiện tại, người giữ khoá kiểm toán tra cứu bằng dòng lệnh:",
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
        "lienthong status",
    ),
    Room(
        "people",
        Action.READ_PEOPLE,
        BilingualText("People", "Người dùng"),
        BilingualText(
            "An agency's people: their roles and sessions, and accounts to review.",
            "Người dùng của cơ quan: vai trò, phiên đăng nhập, tài khoản cần rà soát.",
        ),
        "GET /identity/v1/people",
    ),
)


def open_to(grants: Collection[Grant]) -> Sequence[Room]:
    """The rooms in which a person with these roles may do something, for the platform or for some agency."""
    places = {grant.agency for grant in grants}
    return [room for room in ROOMS if any(allowed(grants, room.action, place) for place in places)]
