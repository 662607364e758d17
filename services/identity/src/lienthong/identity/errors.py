"""Refusals of the token endpoint (RFC 6749 §5.2), in words that help the caller and tell nothing else."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from lienthong.kit.clock import rfc3339
from lienthong.kit.dpop import NONCE_FAULTS, NONCE_HEADER, Fault
from lienthong.kit.problems import ProblemType, oauth
from lienthong.kit.problems.proofs import fault_text
from lienthong.kit.rates import RateLimit, limit_detail, limit_headers
from lienthong.kit.text import BilingualText

_CENTURY_S: Final = 3.2e9
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(eq=False)
class TokenError(Exception):
    """A refusal of the token endpoint: one of the errors of RFC 6749 §5.2 and RFC 9449 §5.

    `detail` says what was wrong this time, in ASCII where it is English, as the RFC demands of
    `error_description`. `status` is the kind's own where it is not given.
    """

    kind: ProblemType
    detail: BilingualText
    headers: Mapping[str, str] = field(default_factory=dict)
    other_status: int | None = None
    client_id: str | None = None
    """The client, where it has proved itself before it was refused."""

    @property
    def error(self) -> str:
        """The error code of the RFC."""
        return self.kind.code

    @property
    def status(self) -> int:
        """The HTTP status of the answer."""
        return self.other_status or self.kind.status

    def __str__(self) -> str:
        return f"{self.kind.code}: {self.detail.en}"

    def document(self) -> dict[str, str]:
        """The JSON object of the answer (RFC 6749 §5.2), with a Vietnamese description beside."""
        return {
            "error": self.kind.code,
            "error_description": self.detail.en,
            "error_description_vi": self.detail.vi,
        }


def invalid_request(en: str, vi: str, *, status: int | None = None) -> TokenError:
    """The request itself is wrong: a parameter is missing, repeated or unreadable."""
    return TokenError(oauth.INVALID_REQUEST, BilingualText(en, vi), other_status=status)


def invalid_client(detail: BilingualText, *, challenge: str = "private_key_jwt") -> TokenError:
    """The client is not authenticated; `challenge` names the scheme (RFC 9110 §15.5.2 wants one)."""
    headers = {"WWW-Authenticate": f'{challenge} realm="oauth2"'}
    return TokenError(oauth.INVALID_CLIENT, detail, headers)


def refused_assertion(reason: str, seconds: float | None = None) -> TokenError:
    """The assertion is refused for one of `ASSERTION_REASONS`; `seconds` is how far its time lies from the
    clock here, where that is the reason."""
    why = ASSERTION_REASONS[reason]
    if seconds is not None and seconds < _CENTURY_S:
        why = BilingualText(
            f"{why.en} By the clock here the difference is {seconds:.0f} seconds.",
            f"{why.vi} Theo đồng hồ ở đây, chênh lệch là {seconds:.0f} giây.",
        )
    return invalid_client(why)


def unknown_client() -> TokenError:
    """Unknown client, unknown key, wrong signature: one answer, which tells nobody what clients exist."""
    detail = BilingualText(
        "The client is not registered, or the assertion is not signed with one of its registered keys. "
        "Check client_id, the key and its kid; a system registered just now is known within a second.",
        "Hệ thống chưa được đăng ký, hoặc JWT xác thực không được ký bằng khoá đã đăng ký của hệ thống. "
        "Hãy kiểm tra client_id, khoá và kid; hệ thống vừa đăng ký sẽ được nhận biết trong vòng một giây.",
    )
    return invalid_client(detail)


def ended_key(thumbprint: str, ends_at: int) -> TokenError:
    """The assertion is signed with a key that has ended."""
    end = rfc3339(datetime.fromtimestamp(ends_at, UTC))
    detail = BilingualText(
        f"The key {thumbprint} ended on {end}. Make a new key and register it: in the console, "
        "or by lienthong keys new and lienthong apply.",
        f"Khoá {thumbprint} đã hết hạn từ {end}. Hãy tạo khoá mới và đăng ký cho hệ thống: trên bảng điều "
        "khiển, hoặc bằng lienthong keys new và lienthong apply.",
    )
    return invalid_client(detail)


def unknown_certificate() -> TokenError:
    """Unknown client, other certificate: one answer, which tells nobody what clients exist."""
    detail = BilingualText(
        "The client is not registered, or the certificate that was shown is not one of its certificates in "
        "the catalog. Check client_id and the SHA-256 of the certificate; what was registered just now is "
        "known within a second.",
        "Hệ thống chưa được đăng ký, hoặc chứng thư đã dùng không nằm trong các chứng thư của hệ thống trong "
        "danh mục. Hãy kiểm tra client_id và SHA-256 của chứng thư; thông tin vừa đăng ký sẽ được nhận biết "
        "trong vòng một giây.",
    )
    return invalid_client(detail, challenge="tls_client_auth")


def no_client_id() -> TokenError:
    """A certificate was shown, and nothing says whose it is (RFC 8705 §2)."""
    detail = BilingualText(
        "A certificate was shown: send client_id beside it, or authenticate with client_assertion.",
        "Yêu cầu có chứng thư: hãy gửi kèm client_id, hoặc xác thực bằng client_assertion.",
    )
    return invalid_client(detail, challenge="tls_client_auth")


def replayed() -> TokenError:
    """The `jti` has been used."""
    detail = BilingualText(
        "This assertion was used before. Sign a new one, with a jti of its own, for every request.",
        "JWT xác thực này đã được dùng. Mỗi yêu cầu cần một JWT xác thực mới với jti riêng.",
    )
    return invalid_client(detail)


def refused_proof(fault: Fault, about: str = "", *, fresh_nonce: str | None = None) -> TokenError:
    """The DPoP proof is not accepted (RFC 9449 §5), or needs another nonce, which the answer gives (§8)."""
    kind = oauth.USE_DPOP_NONCE if fault in NONCE_FAULTS else oauth.INVALID_DPOP_PROOF
    headers = {} if fresh_nonce is None else {NONCE_HEADER: fresh_nonce}
    return TokenError(kind, fault_text(fault, about), headers)


def suspended_client() -> TokenError:
    """The client is authenticated, but its system is suspended or removed."""
    detail = BilingualText(
        "The system is suspended or removed in the catalog. Ask the operator of the platform to resume it.",
        "Hệ thống đang bị tạm ngừng hoặc đã bị xoá khỏi danh mục. Hãy liên hệ đơn vị vận hành nền tảng.",
    )
    return TokenError(oauth.UNAUTHORIZED_CLIENT, detail)


def only_for_people() -> TokenError:
    """The client is an application of people, and does nothing of its own."""
    detail = BilingualText(
        "This client signs people in and has no tokens of its own; use grant_type authorization_code.",
        "Ứng dụng này chỉ dùng để người dùng đăng nhập, không có mã truy cập riêng; hãy dùng grant_type "
        "authorization_code.",
    )
    return TokenError(oauth.UNAUTHORIZED_CLIENT, detail)


def invalid_scope(refused: str, allowed: str) -> TokenError:
    """A scope was asked for that the client may not have; told only to an authenticated client."""
    detail = BilingualText(
        f"The scope {refused} is not allowed for this client; it may have: {allowed}.",
        f"Phạm vi {refused} không được phép cho hệ thống này; các phạm vi được phép: {allowed}.",
    )
    return TokenError(oauth.INVALID_SCOPE, detail)


def malformed_scope() -> TokenError:
    """The scope parameter does not follow RFC 6749 §3.3."""
    detail = BilingualText(
        "The scope must be scope names separated by single spaces (RFC 6749 section 3.3).",
        "Tham số scope phải gồm các tên phạm vi cách nhau bằng một dấu cách (RFC 6749 mục 3.3).",
    )
    return TokenError(oauth.INVALID_SCOPE, detail)


def too_many_requests(limit: RateLimit, wait: float) -> TokenError:
    """An authenticated client asks for more tokens than it may; there is another one in `wait` seconds."""
    text = limit_detail(limit)
    detail = BilingualText(
        f"{text.en} Keep the access token until it expires.",
        f"{text.vi} Hãy dùng mã truy cập đến khi hết hạn.",
    )
    headers = limit_headers(limit, wait)
    return TokenError(oauth.TEMPORARILY_UNAVAILABLE, detail, headers, other_status=429)


def unavailable() -> TokenError:
    """No token can be given now, by no fault of the client: the database fails, or no key signs."""
    detail = BilingualText(
        "The token cannot be issued at the moment. Try again in a second; the same assertion will do until "
        "it expires, unless the answer then is that it was used.",
        "Hiện chưa thể cấp mã truy cập. Hãy thử lại sau một giây; có thể gửi lại JWT xác thực này khi còn "
        "hạn, trừ khi câu trả lời cho biết nó đã được dùng.",
    )
    return TokenError(oauth.TEMPORARILY_UNAVAILABLE, detail, {"Retry-After": "1"})


ASSERTION_REASONS: Final[Mapping[str, BilingualText]] = {
    "malformed": BilingualText(
        "The client_assertion is not a signed JWT in compact form (three base64url parts of JSON).",
        "client_assertion không phải là JWT đã ký ở dạng rút gọn (ba phần base64url chứa JSON).",
    ),
    "crit": BilingualText(
        "The assertion's header must not contain crit or b64; no such extension is supported.",
        "Phần header của JWT xác thực không được chứa crit hoặc b64; máy chủ không hỗ trợ phần mở rộng nào.",
    ),
    "foreign_key": BilingualText(
        "The assertion's header must not carry a key (jwk, jku, x5u, x5c); only registered keys are used.",
        "Phần header của JWT xác thực không được kèm khoá (jwk, jku, x5u, x5c); chỉ dùng khoá đã đăng ký.",
    ),
    "typ": BilingualText(
        "The assertion's typ must be JWT or client-authentication+jwt, or absent.",
        "typ của JWT xác thực phải là JWT hoặc client-authentication+jwt, hoặc để trống.",
    ),
    "alg": BilingualText(
        "The assertion's alg must be ES256, EdDSA or PS256.",
        "alg của JWT xác thực phải là ES256, EdDSA hoặc PS256.",
    ),
    "iss_sub": BilingualText(
        "The assertion's iss and sub must both be the client_id.",
        "iss và sub của JWT xác thực đều phải là client_id.",
    ),
    "client_id": BilingualText(
        "The client_id parameter differs from the assertion's iss and sub.",
        "Tham số client_id khác với iss và sub của JWT xác thực.",
    ),
    "aud": BilingualText(
        "The assertion's aud must be this server's issuer or token endpoint only; see its metadata. "
        "The endpoint for pushed requests may stand there too.",
        "aud của JWT xác thực phải chỉ là issuer hoặc token endpoint của máy chủ (xem metadata), hoặc là địa "
        "chỉ nhận yêu cầu gửi trước (PAR).",
    ),
    "exp": BilingualText(
        "The assertion has no exp.",
        "JWT xác thực thiếu exp.",
    ),
    "expired": BilingualText(
        "The assertion has expired. Sign a new one for every request, and check this machine's clock.",
        "JWT xác thực đã hết hạn. Hãy ký JWT xác thực mới cho mỗi yêu cầu và kiểm tra đồng hồ của máy.",
    ),
    "lifetime": BilingualText(
        "The assertion's lifetime is too long. Set exp to one minute after iat.",
        "Thời hạn của JWT xác thực quá dài. Hãy đặt exp bằng iat cộng một phút.",
    ),
    "future": BilingualText(
        "The assertion's iat or nbf is in the future. Check this machine's clock.",
        "iat hoặc nbf của JWT xác thực là thời điểm trong tương lai. Hãy kiểm tra đồng hồ của máy.",
    ),
    "times": BilingualText(
        "The assertion's exp, iat and nbf must be numbers of seconds since 1970-01-01T00:00:00Z.",
        "exp, iat và nbf của JWT xác thực phải là số giây kể từ 1970-01-01T00:00:00Z.",
    ),
    "jti": BilingualText(
        "The assertion needs a jti: a text of 1 to 256 characters that is used only once.",
        "JWT xác thực cần có jti: chuỗi từ 1 đến 256 ký tự, chỉ dùng một lần.",
    ),
}
"""What is wrong and how to correct it, for each reason of `AssertionRefusedError`; the English is ASCII."""


def no_client_authentication(challenge: str = "private_key_jwt") -> TokenError:
    """The request does not authenticate the client, or tries to by another method."""
    detail = BilingualText(
        f"Authenticate the client with client_assertion_type={ASSERTION_TYPE} and client_assertion "
        "(private_key_jwt, RFC 7523), or with a certificate at the edge and client_id (tls_client_auth, "
        "RFC 8705); no other method is supported.",
        f"Hãy xác thực bằng client_assertion_type={ASSERTION_TYPE} và client_assertion "
        "(private_key_jwt, RFC 7523), hoặc bằng chứng thư tại cửa ngõ kèm client_id (tls_client_auth, "
        "RFC 8705); không hỗ trợ cách nào khác.",
    )
    return invalid_client(detail, challenge=challenge)


def several_authentications() -> TokenError:
    """The request authenticates the client in more than one way (RFC 6749 §2.3)."""
    return invalid_request(
        "The request authenticates the client in more than one way; send only client_assertion.",
        "Yêu cầu dùng nhiều hơn một cách xác thực; chỉ gửi client_assertion.",
    )


def no_grant_type(supported: Collection[str]) -> TokenError:
    """The `grant_type` is missing."""
    one = ", ".join(supported)
    return invalid_request(
        f"The parameter grant_type is missing; it must be one of: {one}.",
        f"Thiếu tham số grant_type; giá trị phải là một trong: {one}.",
    )


def unsupported_grant_type(supported: Collection[str]) -> TokenError:
    """The `grant_type` is another one."""
    one = ", ".join(supported)
    detail = BilingualText(
        f"This grant_type is not supported; those that are: {one}.",
        f"grant_type này không được hỗ trợ; các loại được hỗ trợ: {one}.",
    )
    return TokenError(oauth.UNSUPPORTED_GRANT_TYPE, detail)


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
        "Phần thân của yêu cầu không phải là biểu mẫu: các cặp tên=giá trị nối bằng &, mã hoá theo UTF-8.",
    )


def doubled_parameter() -> TokenError:
    """A parameter was sent twice (RFC 6749 §3.2)."""
    return invalid_request(
        "A parameter is in the request more than once; each may be given only once (RFC 6749 section 3.2).",
        "Có tham số xuất hiện nhiều hơn một lần; mỗi tham số chỉ được gửi một lần (RFC 6749 mục 3.2).",
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
        "Phần thân của yêu cầu không đến đủ trong thời hạn.",
        status=408,
    )
