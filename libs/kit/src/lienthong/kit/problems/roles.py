"""The refusals of people whose roles do not suffice, the same in every service; they say which could."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from lienthong.kit.policy import Action, Grant, Role, who_may
from lienthong.kit.problems.catalog import SUSPENDED_BY_PLATFORM
from lienthong.kit.problems.people import ROLE_REQUIRED
from lienthong.kit.problems.problem import MOST_LISTED, ProblemError
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ACTIONS: Final[Mapping[Action, BilingualText]] = MappingProxyType(
    {
        Action.READ_CATALOG: BilingualText("read the catalog", "xem danh mục"),
        Action.MANAGE_AGENCIES: BilingualText("register or change agencies", "đăng ký hoặc sửa cơ quan"),
        Action.MANAGE_SYSTEMS: BilingualText(
            "register or change systems and their keys", "đăng ký hoặc sửa hệ thống và khoá của hệ thống"
        ),
        Action.SUSPEND_SYSTEMS: BilingualText(
            "suspend or resume systems", "tạm ngừng hoặc cho hệ thống hoạt động trở lại"
        ),
        Action.DRAFT_SERVICES: BilingualText("draft services", "soạn bản nháp dịch vụ"),
        Action.MANAGE_SERVICES: BilingualText(
            "publish or change services and event types", "công bố hoặc sửa dịch vụ và loại sự kiện"
        ),
        Action.REQUEST_AGREEMENTS: BilingualText("request agreements", "đề nghị thoả thuận"),
        Action.DECIDE_AGREEMENTS: BilingualText(
            "approve or reject agreements", "chấp thuận hoặc từ chối thoả thuận"
        ),
        Action.REVOKE_AGREEMENTS: BilingualText("revoke agreements", "thu hồi thoả thuận"),
        Action.READ_RECORDS: BilingualText("read the audit records", "xem nhật ký kiểm toán"),
        Action.READ_HEALTH: BilingualText("see health and figures", "xem tình trạng và số liệu"),
        Action.READ_PEOPLE: BilingualText("see people", "xem danh sách người dùng"),
        Action.MANAGE_PEOPLE: BilingualText("manage people", "quản lý người dùng"),
        Action.SUSPEND_PEOPLE: BilingualText(
            "suspend people or sign them out", "tạm ngừng hoặc đăng xuất người dùng"
        ),
    }
)
"""What each action is, after `You may not`."""
ROLES: Final[Mapping[Role, BilingualText]] = MappingProxyType(
    {
        Role.PLATFORM_OPERATOR: BilingualText("platform operator", "người vận hành nền tảng"),
        Role.AGENCY_ADMINISTRATOR: BilingualText("agency administrator", "quản trị viên cơ quan"),
        Role.DEVELOPER: BilingualText("developer", "người phát triển"),
        Role.DATA_OWNER: BilingualText("data owner", "chủ quản dữ liệu"),
        Role.SECURITY_OFFICER: BilingualText("security officer", "cán bộ an toàn thông tin"),
        Role.AUDITOR: BilingualText("auditor", "kiểm toán viên"),
    }
)
"""What each role is called."""


def role_required(
    action: Action, agency: str | None, errors: Sequence[Mapping[str, str]] = ()
) -> ProblemError:
    """No role of the caller allows this on things of `agency`; "" are the platform's own, None any agency's.

    The document's member `action` has the action, `roles` those that could; `errors` the places of a body
    that need more.
    """
    could = who_may(action, agency)
    detail = BilingualText(
        f"You may not {ACTIONS[action].en}{_where(agency).en}. This role could: "
        f"{'; '.join(_named(one).en for one in could)}.",
        f"Bạn không được {ACTIONS[action].vi}{_where(agency).vi}. Vai trò được phép: "
        f"{'; '.join(_named(one).vi for one in could)}.",
    )
    if len(could) > 1:
        detail = BilingualText(detail.en.replace("This role could", "These roles could", 1), detail.vi)
    extra: dict[str, Any] = {"action": action.value, "roles": [_name(one) for one in could]}
    if errors:
        extra["errors"] = [dict(one) for one in errors[:MOST_LISTED]]
        if len(errors) > MOST_LISTED:
            extra["more_errors"] = len(errors) - MOST_LISTED
    return ProblemError(ROLE_REQUIRED, detail, extra=extra)


def suspended_by_platform(thing: str, action: Action = Action.SUSPEND_SYSTEMS) -> ProblemError:
    """The platform has suspended something, so that whoever may resume that of an agency alone may not.

    `action` is what it takes, for the whole platform. The document's members are those of `role_required`.
    """
    could = who_may(action, "")
    detail = BilingualText(
        f"The platform has suspended '{thing}'; its agency cannot let it go on. These roles could: "
        f"{'; '.join(_named(one).en for one in could)}.",
        f"Nền tảng đã tạm ngừng '{thing}'; cơ quan không tự cho hoạt động trở lại được. Vai trò được phép: "
        f"{'; '.join(_named(one).vi for one in could)}.",
    )
    extra = {"action": action.value, "roles": [_name(one) for one in could]}
    return ProblemError(SUSPENDED_BY_PLATFORM, detail, extra=extra)


def _where(agency: str | None) -> BilingualText:
    if agency is None:
        return BilingualText(" for any agency", " cho bất kỳ cơ quan nào")
    if not agency:
        return BilingualText(" (the whole platform)", " (toàn nền tảng)")
    return BilingualText(f" (agency {agency})", f" (cơ quan {agency})")


def _named(grant: tuple[Role, str | None]) -> BilingualText:
    role, agency = grant
    if agency is None:
        return ROLES[role]
    if not agency:
        if role is Role.PLATFORM_OPERATOR:
            return ROLES[role]
        return BilingualText(f"{ROLES[role].en} of the platform", f"{ROLES[role].vi} của toàn nền tảng")
    return BilingualText(f"{ROLES[role].en} of {agency}", f"{ROLES[role].vi} của {agency}")


def _name(grant: tuple[Role, str | None]) -> str:
    role, agency = grant
    return role.value if agency is None else Grant(role, agency).name
