"""Refusals of callers by their access token (RFC 6750 §3), the same at the gateway and in every service."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from lienthong.kit.problems import general
from lienthong.kit.problems.problem import ProblemError
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lienthong.kit.tokens import Reason

_CHALLENGE: Final = 'Bearer realm="lienthong"'

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
    }
)
"""What is wrong with a token, for each reason of `TokenRefusedError`."""


def no_token() -> ProblemError:
    """The request has no bearer token."""
    detail = BilingualText(
        "The request has no 'Authorization: Bearer …'.", "Yêu cầu không có 'Authorization: Bearer …'."
    )
    return ProblemError(general.NO_TOKEN, detail, {"WWW-Authenticate": _CHALLENGE})


def token_refused(reason: Reason) -> ProblemError:
    """The token was verified and refused; the document's member `reason` carries the reason."""
    why = REASONS[reason]
    detail = BilingualText(
        f"The access token is not accepted: {reason}. {why.en}",
        f"Mã truy cập không được chấp nhận: {reason}. {why.vi}",
    )
    challenge = f'{_CHALLENGE}, error="invalid_token", error_description="{reason}"'
    return ProblemError(
        general.TOKEN_REFUSED, detail, {"WWW-Authenticate": challenge}, extra={"reason": reason}
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
    challenge = f'{_CHALLENGE}, error="invalid_token", error_description="certificate"'
    return ProblemError(general.CERTIFICATE_MISMATCH, detail, {"WWW-Authenticate": challenge})


def insufficient_scope(scope: str) -> ProblemError:
    """The token is valid, but does not carry `scope`."""
    detail = BilingualText(
        f"The access token lacks the scope {scope}.", f"Mã truy cập không có phạm vi {scope}."
    )
    challenge = f'{_CHALLENGE}, error="insufficient_scope", scope="{scope}"'
    return ProblemError(general.INSUFFICIENT_SCOPE, detail, {"WWW-Authenticate": challenge})


def client_suspended(client_id: str) -> ProblemError:
    """The calling system, or client, is suspended or no longer in the catalog."""
    detail = BilingualText(
        f"{client_id} is suspended, or no longer in the catalog.",
        f"{client_id} đang bị tạm ngừng hoặc không còn trong danh mục.",
    )
    return ProblemError(general.CLIENT_SUSPENDED, detail)
