"""Refusals of the token endpoint (RFC 6749 §5.2), in words that help the caller and tell nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(eq=False)
class TokenError(Exception):
    """A refusal: `error` is the code of RFC 6749 §5.2.

    `description` is ASCII, as the RFC demands of `error_description`; `description_vi` goes beside it.
    """

    error: str
    description: str
    description_vi: str
    status: int = 400
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def document(self) -> dict[str, str]:
        """Give the JSON object of the answer."""
        return {
            "error": self.error,
            "error_description": self.description,
            "error_description_vi": self.description_vi,
        }


def invalid_request(description: str, description_vi: str, *, status: int = 400) -> TokenError:
    """The request itself is wrong: a parameter is missing, doubled or unreadable."""
    return TokenError("invalid_request", description, description_vi, status)


def invalid_client(
    description: str, description_vi: str, *, challenge: str = "private_key_jwt"
) -> TokenError:
    """The client is not proven. `challenge` is the scheme that RFC 9110 §15.5.2 wants named in the answer."""
    headers = {"WWW-Authenticate": f'{challenge} realm="oauth2"'}
    return TokenError("invalid_client", description, description_vi, 401, headers)


def refused_assertion(reason: str) -> TokenError:
    """The assertion is refused for one of `ASSERTION_REASONS`."""
    return invalid_client(*ASSERTION_REASONS[reason])


def unknown_client() -> TokenError:
    """Unknown client, unknown key, wrong signature: one answer, which tells nobody what clients exist."""
    return invalid_client(
        "The client is not registered, or the assertion is not signed with one of its registered keys. "
        "Check client_id, the key and its kid; a system registered just now is known within a second.",
        "Hệ thống chưa được đăng ký, hoặc khẳng định không được ký bằng khoá đã đăng ký của hệ thống. "
        "Hãy kiểm tra client_id, khoá và kid; hệ thống vừa đăng ký sẽ được nhận biết trong vòng một giây.",
    )


def replayed() -> TokenError:
    """The `jti` has been used."""
    return invalid_client(
        "This assertion was used before. Sign a new one, with a jti of its own, for every request.",
        "Khẳng định này đã được dùng. Mỗi yêu cầu cần một khẳng định mới với jti riêng.",
    )


def suspended_client() -> TokenError:
    """The client is genuine, but its system is suspended or removed."""
    return TokenError(
        "unauthorized_client",
        "The system is suspended or removed in the catalog. Ask the operator of the platform to resume it.",
        "Hệ thống đang bị tạm dừng hoặc đã bị xóa khỏi danh mục. Hãy liên hệ đơn vị vận hành nền tảng.",
    )


def invalid_scope(refused: str, allowed: str) -> TokenError:
    """A scope was asked for that the client may not have; said only to the proven client."""
    return TokenError(
        "invalid_scope",
        f"The scope {refused} is not allowed for this client; it may have: {allowed}.",
        f"Phạm vi {refused} không được phép cho hệ thống này; các phạm vi được phép: {allowed}.",
    )


def malformed_scope() -> TokenError:
    """The scope parameter does not follow RFC 6749 §3.3."""
    return TokenError(
        "invalid_scope",
        "The scope must be scope names separated by single spaces (RFC 6749 section 3.3).",
        "Tham số scope phải gồm các tên phạm vi cách nhau bằng một dấu cách (RFC 6749 mục 3.3).",
    )


def unavailable() -> TokenError:
    """The database cannot remember the assertion now, so no token can be given."""
    return TokenError(
        "temporarily_unavailable",
        "The token cannot be issued at the moment. Try again in a second with a new assertion.",
        "Hiện chưa thể cấp mã truy cập. Hãy thử lại sau một giây với khẳng định mới.",
        503,
        {"Retry-After": "1"},
    )


ASSERTION_REASONS: Final[Mapping[str, tuple[str, str]]] = {
    "malformed": (
        "The client_assertion is not a signed JWT in compact form (three base64url parts of JSON).",
        "client_assertion không phải là JWT đã ký ở dạng rút gọn (ba phần base64url chứa JSON).",
    ),
    "crit": (
        "The assertion's header must not contain crit or b64; no such extension is understood here.",
        "Phần đầu của khẳng định không được chứa crit hoặc b64; máy chủ không hỗ trợ phần mở rộng nào.",
    ),
    "foreign_key": (
        "The assertion's header must not bring a key (jwk, jku, x5u, x5c); only registered keys count.",
        "Phần đầu của khẳng định không được kèm khoá (jwk, jku, x5u, x5c); chỉ dùng khoá đã đăng ký.",
    ),
    "typ": (
        "The assertion's typ must be JWT or client-authentication+jwt, or absent.",
        "typ của khẳng định phải là JWT hoặc client-authentication+jwt, hoặc để trống.",
    ),
    "alg": (
        "The assertion's alg must be ES256, EdDSA or PS256.",
        "alg của khẳng định phải là ES256, EdDSA hoặc PS256.",
    ),
    "iss_sub": (
        "The assertion's iss and sub must both be the client_id.",
        "iss và sub của khẳng định đều phải là client_id.",
    ),
    "client_id": (
        "The client_id parameter differs from the assertion's iss and sub.",
        "Tham số client_id khác với iss và sub của khẳng định.",
    ),
    "aud": (
        "The assertion's aud must be this server's issuer or token endpoint only; see its metadata.",
        "aud của khẳng định phải chỉ là issuer hoặc token endpoint của máy chủ (xem metadata).",
    ),
    "exp": (
        "The assertion has no exp.",
        "Khẳng định thiếu exp.",
    ),
    "expired": (
        "The assertion has expired. Sign a new one for every request, and check this machine's clock.",
        "Khẳng định đã hết hạn. Hãy ký khẳng định mới cho mỗi yêu cầu và kiểm tra đồng hồ của máy.",
    ),
    "lifetime": (
        "The assertion lives too long: exp is too far ahead. Set exp to one minute after iat.",
        "Thời hạn của khẳng định quá dài: exp quá xa. Hãy đặt exp bằng iat cộng một phút.",
    ),
    "future": (
        "The assertion's iat or nbf lies in the future. Check this machine's clock.",
        "iat hoặc nbf của khẳng định nằm trong tương lai. Hãy kiểm tra đồng hồ của máy.",
    ),
    "times": (
        "The assertion's exp, iat and nbf must be numbers of seconds since 1970-01-01T00:00:00Z.",
        "exp, iat và nbf của khẳng định phải là số giây kể từ 1970-01-01T00:00:00Z.",
    ),
    "jti": (
        "The assertion needs a jti: a text of 1 to 256 characters that is used once.",
        "Khẳng định cần có jti: chuỗi từ 1 đến 256 ký tự, chỉ dùng một lần.",
    ),
}
"""Reasons of `AssertionRefusedError`: what is wrong and how to mend it, in English (ASCII) and Vietnamese."""


def no_client_authentication(challenge: str = "private_key_jwt") -> TokenError:
    """The request proves no client, or tries to with another method."""
    return invalid_client(
        f"Prove the client with client_assertion_type={ASSERTION_TYPE} and client_assertion "
        "(private_key_jwt, RFC 7523); there is no other method.",
        f"Hãy xác thực bằng client_assertion_type={ASSERTION_TYPE} và client_assertion "
        "(private_key_jwt, RFC 7523); không có cách nào khác.",
        challenge=challenge,
    )


def several_authentications() -> TokenError:
    """The request proves the client in more than one way (RFC 6749 §2.3)."""
    return invalid_request(
        "The request uses more than one way to prove the client; send only client_assertion.",
        "Yêu cầu dùng nhiều hơn một cách xác thực; chỉ gửi client_assertion.",
    )


def no_grant_type() -> TokenError:
    """The `grant_type` is missing."""
    return invalid_request(
        "The parameter grant_type is missing; it must be client_credentials.",
        "Thiếu tham số grant_type; giá trị phải là client_credentials.",
    )


def unsupported_grant_type() -> TokenError:
    """The `grant_type` is another one."""
    return TokenError(
        "unsupported_grant_type",
        "The only grant_type here is client_credentials.",
        "grant_type duy nhất được hỗ trợ là client_credentials.",
    )


def parameters_in_address() -> TokenError:
    """Parameters came in the address, where logs keep them (RFC 6749 §2.3.1)."""
    return invalid_request(
        "Send the parameters in the body, not in the address.",
        "Hãy gửi tham số trong phần thân, không đặt trong địa chỉ.",
    )


def not_a_form() -> TokenError:
    """The Content-Type is another one."""
    return invalid_request(
        "The request's Content-Type must be application/x-www-form-urlencoded.",
        "Content-Type của yêu cầu phải là application/x-www-form-urlencoded.",
    )


def unreadable_form() -> TokenError:
    """The body is not a form."""
    return invalid_request(
        "The request's body is not a form: name=value pairs joined by &, percent-encoded UTF-8.",
        "Phần thân của yêu cầu không phải là biểu mẫu: các cặp tên=giá trị nối bằng &, mã hóa theo UTF-8.",
    )


def doubled_parameter() -> TokenError:
    """A parameter is there twice (RFC 6749 §3.2)."""
    return invalid_request(
        "A parameter stands in the request more than once; each may stand once (RFC 6749 section 3.2).",
        "Có tham số xuất hiện nhiều hơn một lần; mỗi tham số chỉ được một lần (RFC 6749 mục 3.2).",
    )


def too_large(most: int) -> TokenError:
    """The body is longer than `most` bytes."""
    return invalid_request(
        f"The request's body is longer than {most} bytes.",
        f"Phần thân của yêu cầu dài hơn {most} byte.",
        status=413,
    )


def too_slow() -> TokenError:
    """The body did not arrive, or not in time."""
    return invalid_request(
        "The request's body did not arrive in time.",
        "Phần thân của yêu cầu không đến kịp.",
        status=408,
    )
