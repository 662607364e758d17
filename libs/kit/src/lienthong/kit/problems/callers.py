"""Refusals of callers by their access token (RFC 6750 §3) or their DPoP proof (RFC 9449 §7.1), the same at
the gateway and in every service.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from lienthong.kit.dpop import NONCE_FAULTS, NONCE_HEADER
from lienthong.kit.jwk import ALGORITHMS
from lienthong.kit.problems import general
from lienthong.kit.problems.problem import ProblemError
from lienthong.kit.problems.proofs import INVALID_TOKEN, fault_text
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lienthong.kit.dpop import Fault
    from lienthong.kit.tokens import Reason

_REALM: Final = 'realm="lienthong"'
_ALGORITHMS: Final = f'algs="{" ".join(ALGORITHMS)}"'
_CHALLENGE: Final = f"Bearer {_REALM}"
_DPOP_CHALLENGE: Final = f"DPoP {_REALM}"
_ALSO_DPOP: Final = f"{_DPOP_CHALLENGE}, {_ALGORITHMS}"
"""The other scheme, with what its proofs may be signed with (RFC 9449 §7.1)."""

REASONS: Final[Mapping[Reason, BilingualText]] = MappingProxyType(
    {
        "malformed": BilingualText("It is not a signed JWT.", "Mã không phải là JWT đã ký."),
        "typ": BilingualText("It is not an access token.", "Mã không phải là mã truy cập."),
        "alg": BilingualText(
            "Its signature algorithm is not allowed.", "Thuật toán ký của mã không được phép."
        ),
        "crit": BilingualText(
            "It needs an extension that is not supported.", "Mã yêu cầu phần mở rộng không được hỗ trợ."
        ),
        "kid": BilingualText(
            "It was signed with a key that is not known here.", "Mã được ký bằng khoá không xác định."
        ),
        "signature": BilingualText("Its signature is wrong.", "Chữ ký của mã không đúng."),
        "claims": BilingualText(
            "A claim is missing or has a wrong value.", "Mã thiếu thông tin hoặc có thông tin sai."
        ),
        "issuer": BilingualText("Another server issued it.", "Mã do máy chủ khác cấp."),
        "audience": BilingualText("It was issued for another platform.", "Mã được cấp cho nền tảng khác."),
        "expired": BilingualText("It has expired.", "Mã đã hết hạn."),
        "not_yet": BilingualText("It is not valid yet.", "Mã chưa có hiệu lực."),
        "ahead": BilingualText(
            "It was issued by a clock that is ahead of the one here.",
            "Mã được cấp theo một đồng hồ đi trước đồng hồ ở đây.",
        ),
        "ended": BilingualText(
            "The sign-in that it came of has ended: the person signed out or may sign in no more, the "
            "application revoked it, or a code or refresh token was used twice.",
            "Lượt đăng nhập sinh ra mã này đã kết thúc: người dùng đã đăng xuất hoặc không còn được đăng "
            "nhập, ứng dụng đã thu hồi, hoặc một mã uỷ quyền hay mã làm mới đã được dùng hai lần.",
        ),
    }
)
"""What is wrong with a token, for each reason of `TokenRefusedError`."""
_SIGN_IN_AGAIN: Final = BilingualText(
    "Send the person to sign in again.", "Hãy đưa người dùng đến trang đăng nhập để đăng nhập lại."
)


def no_token() -> ProblemError:
    """The request has no access token."""
    detail = BilingualText(
        "The request has no 'Authorization: Bearer …' or 'Authorization: DPoP …'.",
        "Yêu cầu không có 'Authorization: Bearer …' hay 'Authorization: DPoP …'.",
    )
    return ProblemError(general.NO_TOKEN, detail, {"WWW-Authenticate": f"{_CHALLENGE}, {_ALSO_DPOP}"})


def token_refused(reason: Reason, seconds: float | None = None, *, with_proof: bool = False) -> ProblemError:
    """The token was verified and refused; the document's member `reason` carries the reason, and the detail
    how far its time lies from the clock here, where that is it. The error stands in the challenge of the
    scheme that was used: DPoP, if it came `with_proof`."""
    why = REASONS[reason]
    if seconds is not None:
        why = BilingualText(
            f"{why.en} The difference is {seconds:.0f} seconds.", f"{why.vi} Chênh lệch {seconds:.0f} giây."
        )
    detail = BilingualText(
        f"The access token is not accepted: {reason}. {why.en}",
        f"Mã truy cập không được chấp nhận: {reason}. {why.vi}",
    )
    error = f'error="invalid_token", error_description="{reason}"'
    challenge = f"{_CHALLENGE}, {error}, {_ALSO_DPOP}"
    if with_proof:
        challenge = f"{_DPOP_CHALLENGE}, {error}, {_ALGORITHMS}, {_CHALLENGE}"
    return ProblemError(
        general.TOKEN_REFUSED,
        detail,
        {"WWW-Authenticate": challenge},
        extra={"reason": reason},
        other_advice=_SIGN_IN_AGAIN if reason == "ended" else None,
    )


def certificate_mismatch(*, shown: bool) -> ProblemError:
    """The token is bound to a certificate (RFC 8705 §3), and the request came without it: with another one
    where one was `shown`."""
    if shown:
        detail = BilingualText(
            "The access token is bound to another certificate than the one that this request came with.",
            "Mã truy cập gắn với chứng thư khác với chứng thư của yêu cầu này.",
        )
    else:
        detail = BilingualText(
            "The access token is bound to a certificate, and this request came without one.",
            "Mã truy cập gắn với một chứng thư, nhưng yêu cầu này không kèm chứng thư nào.",
        )
    challenge = f'{_CHALLENGE}, error="invalid_token", error_description="certificate", {_ALSO_DPOP}'
    return ProblemError(general.CERTIFICATE_MISMATCH, detail, {"WWW-Authenticate": challenge})


def proof_refused(fault: Fault, about: str = "", *, fresh_nonce: str | None = None) -> ProblemError:
    """The token is bound to a key (RFC 9449 §7), and the request does not show that it comes from its holder;
    or it needs another nonce, which the answer gives (§9). The member `reason` carries the fault."""
    needs_nonce = fault in NONCE_FAULTS
    error = "invalid_token" if fault in INVALID_TOKEN else "invalid_dpop_proof"
    if needs_nonce:
        error = "use_dpop_nonce"
    # One challenge alone: client libraries take the nonce from no other answer.
    challenge = f'{_DPOP_CHALLENGE}, error="{error}", error_description="{fault}", {_ALGORITHMS}'
    headers = {"WWW-Authenticate": challenge}
    if fresh_nonce is not None:
        headers[NONCE_HEADER] = fresh_nonce
    kind = general.DPOP_NONCE_REQUIRED if needs_nonce else general.DPOP_PROOF_REFUSED
    return ProblemError(kind, fault_text(fault, about), headers, extra={"reason": fault})


def insufficient_scope(scope: str) -> ProblemError:
    """The token is valid, but does not carry `scope`."""
    detail = BilingualText(
        f"The access token lacks the scope {scope}.", f"Mã truy cập không có phạm vi {scope}."
    )
    challenge = f'{_CHALLENGE}, error="insufficient_scope", scope="{scope}"'
    return ProblemError(general.INSUFFICIENT_SCOPE, detail, {"WWW-Authenticate": challenge})


def person_refused(client_id: str) -> ProblemError:
    """The token is a person's, and what is asked for is for systems."""
    detail = BilingualText(
        f"The access token is of a person who has signed in to {client_id}; here systems call with tokens of "
        "their own.",
        f"Mã truy cập là của một người đã đăng nhập vào {client_id}; địa chỉ này chỉ nhận mã truy cập của "
        "chính hệ thống.",
    )
    return ProblemError(general.PERSON_REFUSED, detail)


def client_suspended(client_id: str) -> ProblemError:
    """The calling system, or client, is suspended or no longer in the catalog."""
    detail = BilingualText(
        f"{client_id} is suspended, or no longer in the catalog.",
        f"{client_id} đang bị tạm ngừng hoặc không còn trong danh mục.",
    )
    return ProblemError(general.CLIENT_SUSPENDED, detail)
