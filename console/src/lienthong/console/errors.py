"""What can go wrong between the console and the rest of the platform, in words for people."""

from __future__ import annotations

from lienthong.kit.problems import ProblemError, general, people
from lienthong.kit.rates import RateLimit, limit_detail, limit_headers
from lienthong.kit.text import BilingualText


class CredentialsUnusableError(Exception):
    """The key of the client `console` is missing or damaged; the process does not start."""


class SessionEndedError(Exception):
    """The person's session at identity has ended: what the console keeps of it is worth nothing."""


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
