"""What can go wrong between the console and the rest of the platform, in words for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from lienthong.kit.problems import ProblemError, catalog, general, people
from lienthong.kit.problems.registry import REGISTRY
from lienthong.kit.rates import RateLimit, limit_detail, limit_headers
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Mapping


class CredentialsUnusableError(Exception):
    """The key of the client `console` is missing or damaged; the process does not start."""


class SessionEndedError(Exception):
    """The person's session at identity has ended: what the console keeps of it is worth nothing."""


class NobodySignedInError(Exception):
    """The page is for somebody who is signed in; the application leads to where that is done."""


def refused(status: int, document: Mapping[str, Any], retry_after: str | None = None) -> ProblemError:
    """What the platform refused a request with, as its problem document says (RFC 9457).

    It keeps the transaction id under which the platform knows it.
    """
    code = str(document.get("code", ""))
    kind = REGISTRY.get(code) or msgspec.structs.replace(general.HTTP_ERROR, status=status)
    en = str(document.get("detail") or document.get("error_description") or kind.title.en)
    detail = BilingualText(en, str(document.get("detail_vi") or kind.title.vi))
    kept = {name: document[name] for name in ("instance", "errors") if name in document}
    waits = retry_after is not None and retry_after.isascii() and retry_after.isdecimal()
    advice, advice_vi = document.get("advice"), document.get("advice_vi")
    both = isinstance(advice, str) and isinstance(advice_vi, str)
    other = BilingualText(str(advice), str(advice_vi)) if both else None
    headers = {"Retry-After": str(retry_after)} if waits else {}
    return ProblemError(kind, detail, headers, kept, other)


def changed_meanwhile() -> ProblemError:
    """409 `conflict`: somebody else has changed it since the page was made."""
    return ProblemError(
        catalog.CONFLICT,
        BilingualText(
            "Somebody else has changed it since this page was made. Nothing was changed by your form: look "
            "at what is there now, and choose again.",
            "Nội dung này đã được người khác thay đổi sau khi trang được mở. Biểu mẫu của bạn chưa làm thay "
            "đổi gì: hãy xem lại nội dung hiện tại rồi chọn lại.",
        ),
    )


def agency_missing(field: str) -> ProblemError:
    """422 `invalid-request`: a role for an agency was chosen, and its code is not in `field`."""
    detail = BilingualText(
        "enter the code of the agency for which the roles are held", "hãy nhập mã cơ quan gắn với các vai trò"
    )
    listed = [{"pointer": f"/{field}", "detail": detail.en, "detail_vi": detail.vi}]
    return ProblemError(general.INVALID_REQUEST, detail, extra={"errors": listed})


def system_taken() -> ProblemError:
    """409 `conflict`: there is a system of this id already; registering it again would take its keys away."""
    return ProblemError(
        catalog.CONFLICT,
        BilingualText(
            "There is a system with this code already. Nothing was changed: choose another code, or open it.",
            "Đã có hệ thống mang mã này. Chưa có gì thay đổi: hãy chọn mã khác, hoặc mở hệ thống đó.",
        ),
    )


def agency_taken() -> ProblemError:
    """409 `conflict`: there is an agency of this code already; registering it again would change it."""
    return ProblemError(
        catalog.CONFLICT,
        BilingualText(
            "There is an agency with this code already. Nothing was changed: check the code, or open it.",
            "Đã có cơ quan mang mã này. Chưa có gì thay đổi: hãy kiểm tra mã, hoặc mở cơ quan đó.",
        ),
    )


def service_taken() -> ProblemError:
    """409 `conflict`: there is a service of this id already; drafting it again would change it."""
    return ProblemError(
        catalog.CONFLICT,
        BilingualText(
            "There is a service with this code already. Nothing was changed: choose another code, or open "
            "that service.",
            "Đã có dịch vụ mang mã này. Chưa có gì thay đổi: hãy chọn mã khác, hoặc mở dịch vụ đó.",
        ),
    )


def key_unreadable(*, private: bool = False) -> ProblemError:
    """422 `invalid-request`: what was sent is no public key; `private` says that it is more than one."""
    detail = BilingualText(
        "must be one public key, as in the file public.jwks",
        "phải là một khoá công khai, như trong tệp public.jwks",
    )
    if private:
        detail = BilingualText(
            "this is the private half, which nobody is to see but the system: it was not kept here. Make "
            "another key, and paste what is in public.jwks",
            "đây là phần bí mật, chỉ hệ thống được giữ: nội dung này không được lưu lại. Hãy tạo khoá khác "
            "và dán nội dung tệp public.jwks",
        )
    listed = [{"pointer": "/jwk", "detail": detail.en, "detail_vi": detail.vi}]
    return ProblemError(general.INVALID_REQUEST, detail, extra={"errors": listed})


def nothing_there() -> ProblemError:
    """404 `not-found`: no page can be at this address."""
    return ProblemError(
        general.NOT_FOUND,
        BilingualText("Nothing is at this address.", "Không có nội dung nào tại địa chỉ này."),
    )


def room_closed(what: BilingualText) -> ProblemError:
    """403 `role-required`: none of the person's roles opens the page."""
    return ProblemError(
        people.ROLE_REQUIRED,
        BilingualText(
            f"None of your roles opens this page: {what.en}.",
            f"Không vai trò nào của bạn mở được trang này: {what.vi}.",
        ),
        other_advice=BilingualText(
            "Ask an administrator of your agency, who gives roles.",
            "Hãy liên hệ quản trị viên của cơ quan bạn, người cấp vai trò.",
        ),
    )


def platform_away() -> ProblemError:
    """503 `platform-unavailable`: the gateway or identity does not answer as it should."""
    return ProblemError(
        general.PLATFORM_UNAVAILABLE,
        BilingualText(
            "The console cannot reach the part of the platform that knows people.",
            "Bảng điều khiển không kết nối được tới phần quản lý người dùng của nền tảng.",
        ),
    )


def too_many_starts(limit: RateLimit, wait: float) -> ProblemError:
    """429 `rate-limited`: one network begins to sign in too often; it may again in `wait` seconds."""
    return ProblemError(general.RATE_LIMITED, limit_detail(limit), limit_headers(limit, wait))


def not_signed_in() -> ProblemError:
    """403 `sign-in-expired`: what came back answers no sign-in that this browser still waits for."""
    return ProblemError(
        people.SIGN_IN_EXPIRED,
        BilingualText(
            "A newer sign-in has taken the place of this one (in another tab, for example), or ten minutes "
            "have passed. Press Sign in; usually no password is asked.",
            "Lượt đăng nhập này đã được thay bằng một lượt mới hơn (chẳng hạn ở thẻ khác), hoặc đã quá mười "
            "phút. Hãy bấm Đăng nhập; thường không phải nhập lại mật khẩu.",
        ),
    )
