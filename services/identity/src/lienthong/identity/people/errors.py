"""The problems that people meet, one function each. None repeats a login, a password or a code."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from lienthong.kit.failures import invalid
from lienthong.kit.policy import Grant
from lienthong.kit.problems import ProblemError, general, people
from lienthong.kit.rates import RateLimit, limit_detail, limit_headers
from lienthong.kit.text import BilingualText
from lienthong.kit.validation import error_details

_BUSY_S: Final = 2
_AWAY_S: Final = 30
_WHY_CLOSED: Final = {
    "locked": BilingualText("locked, as nobody signed in for so long", "bị khoá vì đã lâu không đăng nhập"),
    "suspended": BilingualText("suspended", "đang bị tạm ngừng"),
    "invited": BilingualText("not taken over yet: open your link", "chưa được nhận: hãy mở liên kết đã gửi"),
}


def cannot_grant(refused: Sequence[Grant]) -> ProblemError:
    """The caller may not give or take some of the roles."""
    named = ", ".join(f"{one.role}@{one.agency or 'platform'}" for one in refused)
    detail = BilingualText(
        f"You may not give or take away: {named}.", f"Bạn không được cấp hoặc thu hồi vai trò: {named}."
    )
    return ProblemError(people.ROLE_REQUIRED, detail)


def own_account() -> ProblemError:
    """The caller acts on the account that it acts by."""
    detail = BilingualText(
        "Nobody changes the roles or the state of their own account.",
        "Không ai được thay đổi vai trò hay trạng thái của chính tài khoản mình.",
    )
    return ProblemError(people.OWN_ACCOUNT, detail)


def unknown_person() -> ProblemError:
    """There is no such account, or the caller may not see it: one answer."""
    detail = BilingualText(
        "There is no such person, or your role does not let you see the account.",
        "Không có người này, hoặc vai trò của bạn không được xem tài khoản.",
    )
    return ProblemError(people.UNKNOWN_PERSON, detail)


def login_taken() -> ProblemError:
    """Another account has this login; told to those who may invite."""
    detail = BilingualText("An account has this login already.", "Tên đăng nhập này đã có tài khoản.")
    return ProblemError(people.LOGIN_TAKEN, detail)


def account_state(state: str) -> ProblemError:
    """What was asked for is not possible in this state."""
    detail = BilingualText(f"The account is {state}.", f"Tài khoản đang ở trạng thái {state}.")
    return ProblemError(people.ACCOUNT_STATE, detail)


def has_operator() -> ProblemError:
    """Somebody runs the platform already, and invites others."""
    detail = BilingualText(
        "There is a platform operator already, who invites others.",
        "Nền tảng đã có người vận hành; người này mời những người khác.",
    )
    return ProblemError(people.ACCOUNT_STATE, detail)


def link_refused() -> ProblemError:
    """Unknown, used, too old: one answer."""
    detail = BilingualText(
        "The link was used, has expired, or was replaced by a newer one.",
        "Liên kết đã được dùng, đã hết hạn, hoặc đã được thay bằng liên kết mới hơn.",
    )
    return ProblemError(people.LINK_REFUSED, detail)


def unusable(member: str, text: BilingualText) -> ProblemError:
    """A member of the body cannot be used; `text` says why."""
    return invalid([error_details(("body", member), text)])


def all_unusable(faults: Mapping[str, BilingualText]) -> ProblemError:
    """Members of the body cannot be used, by their names; each text says why."""
    return invalid([error_details(("body", member), text) for member, text in faults.items()])


def sign_in_refused() -> ProblemError:
    """Unknown login, wrong password: one answer, which tells nobody which accounts exist."""
    detail = BilingualText(
        "The login or the password is not right.", "Tên đăng nhập hoặc mật khẩu không đúng."
    )
    return ProblemError(people.SIGN_IN_REFUSED, detail)


def old_password_refused() -> ProblemError:
    """Who wants another password has not typed the present one."""
    detail = BilingualText("The present password is not right.", "Mật khẩu hiện tại không đúng.")
    return ProblemError(people.SIGN_IN_REFUSED, detail)


def code_refused() -> ProblemError:
    """It is no code of the authenticator application, or was used."""
    detail = BilingualText(
        "The code is not right. Enter the one shown now (it changes every 30 seconds); if it still fails, "
        "let the telephone set its clock by itself.",
        "Mã không đúng. Hãy nhập mã đang hiển thị (đổi sau mỗi 30 giây); nếu vẫn sai, hãy bật giờ tự động "
        "trên điện thoại.",
    )
    return ProblemError(people.SIGN_IN_REFUSED, detail)


def recovery_code_refused() -> ProblemError:
    """It is no recovery code of the person, or was used: one answer."""
    detail = BilingualText(
        "Not right, or used already: each is good once.",
        "Mã không đúng hoặc đã dùng; mỗi mã chỉ dùng một lần.",
    )
    return ProblemError(people.SIGN_IN_REFUSED, detail)


def passkey_refused() -> ProblemError:
    """What the browser answered proves no passkey of the person, or answers an earlier challenge."""
    detail = BilingualText(
        "The passkey was not taken: it is not known here, or this was too late. Try again.",
        "Khoá truy cập không được chấp nhận: chưa đăng ký ở đây, hoặc đã quá lâu. Hãy thử lại.",
    )
    return ProblemError(people.SIGN_IN_REFUSED, detail)


def sign_in_expired() -> ProblemError:
    """The sign-in has taken too long, has ended, or never began."""
    detail = BilingualText(
        "The sign-in took too long, or has ended already.",
        "Lượt đăng nhập kéo dài quá lâu hoặc đã kết thúc.",
    )
    return ProblemError(people.SIGN_IN_EXPIRED, detail)


def sign_in_too_old() -> ProblemError:
    """Whoever sits there may not be who signed in: what lets somebody in is not changed by that."""
    detail = BilingualText(
        "What lets you in is changed only shortly after signing in.",
        "Chỉ có thể thay đổi cách đăng nhập ngay sau khi đăng nhập.",
    )
    return ProblemError(people.SIGN_IN_TOO_OLD, detail)


def sign_in_blocked(wait: timedelta) -> ProblemError:
    """So many failures that nobody may try for a time."""
    seconds = max(1, -int(-wait.total_seconds() // 1))
    detail = BilingualText(
        f"Too many attempts failed; the next one is possible in {seconds} seconds.",
        f"Quá nhiều lần đăng nhập sai; có thể thử lại sau {seconds} giây.",
    )
    return ProblemError(people.SIGN_IN_BLOCKED, detail, {"Retry-After": str(seconds)})


def account_not_active(state: str) -> ProblemError:
    """The account is closed; told only to who has proved to be its owner."""
    why = _WHY_CLOSED.get(state, BilingualText(state, state))
    detail = BilingualText(f"Your account is {why.en}.", f"Tài khoản của bạn {why.vi}.")
    return ProblemError(people.ACCOUNT_NOT_ACTIVE, detail)


def unknown_provider() -> ProblemError:
    """There is no such provider, or none any more."""
    detail = BilingualText(
        "Nobody signs in by this provider here.", "Ở đây không đăng nhập bằng nhà cung cấp này."
    )
    return ProblemError(people.UNKNOWN_PROVIDER, detail)


def provider_away(name: BilingualText) -> ProblemError:
    """The provider does not answer, or not so that it could be used."""
    detail = BilingualText(
        f"{name.en} does not answer as it should at the moment.", f"{name.vi} hiện không phản hồi đúng."
    )
    return ProblemError(people.PROVIDER_AWAY, detail, {"Retry-After": str(_AWAY_S)})


def provider_refused(name: BilingualText, code: str) -> ProblemError:
    """The provider, or the person there, has said no; `code` is the provider's word for it."""
    detail = BilingualText(
        f"{name.en} did not sign you in ({code}).", f"{name.vi} đã không đăng nhập cho bạn ({code})."
    )
    return ProblemError(people.PROVIDER_REFUSED, detail)


def provider_unproved(name: BilingualText, why: str) -> ProblemError:
    """What came from the provider does not prove who has signed in."""
    detail = BilingualText(
        f"The answer of {name.en} was not accepted ({why}).",
        f"Phản hồi của {name.vi} không được chấp nhận ({why}).",
    )
    return ProblemError(people.PROVIDER_REFUSED, detail)


def provider_not_anew(name: BilingualText) -> ProblemError:
    """The person was to prove anew who it is, and the provider does not say that it did."""
    detail = BilingualText(
        f"{name.en} does not say that you have just signed in there. Sign in here with your password or a "
        "passkey.",
        f"{name.vi} không xác nhận rằng bạn vừa đăng nhập lại. Hãy đăng nhập tại đây bằng mật khẩu hoặc khoá "
        "truy cập.",
    )
    return ProblemError(people.PROVIDER_REFUSED, detail)


def provider_account_unknown(name: BilingualText) -> ProblemError:
    """Nobody here is linked to who has signed in there."""
    detail = BilingualText(
        f"Your account at {name.en} is not linked to an account here.",
        f"Tài khoản {name.vi} của bạn chưa được liên kết với tài khoản nào ở đây.",
    )
    return ProblemError(people.PROVIDER_ACCOUNT_UNKNOWN, detail)


def provider_account_taken() -> ProblemError:
    """It is another account's, or this account has one of the provider already."""
    detail = BilingualText(
        "It is linked to another account here, or another one of the same provider is linked to yours.",
        "Tài khoản đó đã liên kết với một tài khoản khác ở đây, hoặc tài khoản của bạn đã liên kết với một "
        "tài khoản khác của cùng nhà cung cấp.",
    )
    return ProblemError(people.PROVIDER_ACCOUNT_TAKEN, detail)


def way_in_needed() -> ProblemError:
    """Without it nobody could sign in to the account."""
    detail = BilingualText(
        "It is the only way to sign in that is left.", "Đây là cách đăng nhập duy nhất còn lại."
    )
    return ProblemError(people.WAY_IN_NEEDED, detail)


def factor_needed() -> ProblemError:
    """The last second factor of someone whose roles demand one."""
    detail = BilingualText(
        "Your roles demand a second factor, and this is the only one.",
        "Vai trò của bạn bắt buộc có yếu tố xác thực thứ hai, và đây là yếu tố duy nhất.",
    )
    return ProblemError(people.FACTOR_NEEDED, detail)


def too_many_passkeys(most: int) -> ProblemError:
    """The person has as many passkeys as one may have."""
    detail = BilingualText(
        f"An account has at most {most} passkeys.", f"Mỗi tài khoản có tối đa {most} khoá truy cập."
    )
    return ProblemError(people.TOO_MANY_PASSKEYS, detail)


def too_many_starts(limit: RateLimit, wait: float) -> ProblemError:
    """One network begins to sign in too often; it may again in `wait` seconds."""
    return ProblemError(general.RATE_LIMITED, limit_detail(limit), limit_headers(limit, wait))


def too_many_sign_ins() -> ProblemError:
    """As many passwords as may wait are being verified."""
    detail = BilingualText(
        "Too many people sign in at this moment.", "Hiện có quá nhiều người đăng nhập cùng lúc."
    )
    return ProblemError(general.BUSY, detail, {"Retry-After": str(_BUSY_S)})
