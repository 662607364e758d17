"""Tokens of Kubernetes service accounts by which systems in a cluster authenticate (RFC 7523 §2.2).

A kubelet projects them into pods and renews them; their form is that of the TokenRequest API
(authentication.k8s.io/v1). They are used until they expire, and so are no assertions for one request.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from lienthong.identity.errors import TokenError, invalid_client
from lienthong.kit.jws import NotJwsError, decoded, json_object, numeric_date, split
from lienthong.kit.text import BilingualText

LONGEST: Final = 8192
"""Characters of a token; usual ones have 1,200."""
LONGEST_LIFE_S: Final = 3607
"""An hour, and the seven seconds more that a pod's own token is asked for; where that is for the API server,
it is made to live a year."""
ALGORITHMS: Final = ("RS256", "ES256", "ES384", "ES512")
"""By which the API server signs: one for each type of key."""
_AHEAD_S: Final = 60
_FOREIGN: Final = frozenset(("crit", "b64", "jwk", "jku", "x5u", "x5c"))
_SUBJECT: Final = re.compile(r"system:serviceaccount:([a-z0-9-]{1,63}):([a-z0-9.-]{1,253})")
_LONGEST_KEY_ID: Final = 256
_CENTURY_S: Final = 3.2e9


@dataclass(frozen=True, slots=True, order=True)
class ServiceAccount:
    """A service account of a cluster, which its `issuer` stands for."""

    issuer: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class AccountToken:
    """A token as it was read; nothing of it is verified."""

    algorithm: str
    key_id: str
    claims: Mapping[str, Any]
    signing_input: bytes
    signature: bytes


def issuer_of(text: str) -> str | None:
    """Whose token a JWT says it is; None for what is none."""
    try:
        issuer = json_object(split(text, LONGEST)[1]).get("iss")
    except NotJwsError:
        return None
    return issuer if isinstance(issuer, str) else None


def read_account_token(text: str) -> AccountToken:
    """Read a token in compact form, and check its header.

    Raises:
        TokenError: `invalid_client`.
    """
    try:
        head, payload, signature = split(text, LONGEST)
        header, claims, signed = json_object(head), json_object(payload), decoded(signature)
    except NotJwsError:
        raise refused("malformed") from None
    if header.keys() & _FOREIGN or str(header.get("typ", "JWT")).upper() != "JWT":
        raise refused("header")
    algorithm, key_id = header.get("alg"), header.get("kid")
    if algorithm not in ALGORITHMS:
        raise refused("alg")
    if not isinstance(key_id, str) or not 0 < len(key_id) <= _LONGEST_KEY_ID:
        raise refused("key")
    return AccountToken(str(algorithm), key_id, claims, f"{head}.{payload}".encode("ascii"), signed)


def account_of(
    claims: Mapping[str, Any], *, audiences: Collection[str], leeway_s: float, now: datetime
) -> ServiceAccount:
    """Whose token it is, of one whose signature was good.

    Raises:
        TokenError: `invalid_client`: it is for another audience, too old, too long-lived, or no token of a
            service account.
    """
    audience = claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    # One that another server may take too could be presented here by it.
    if not named or not all(isinstance(one, str) and one in audiences for one in named):
        raise refused("aud")
    _check_times(claims, leeway_s, now.timestamp())
    subject = _SUBJECT.fullmatch(_text(claims.get("sub")))
    said = claims.get("kubernetes.io")
    if subject is None or not isinstance(said, dict):
        raise refused("sub")
    namespace, name = subject.groups()
    account = said.get("serviceaccount")
    if said.get("namespace") != namespace or not isinstance(account, dict) or account.get("name") != name:
        raise refused("sub")
    if not _text(account.get("uid")):
        raise refused("sub")
    return ServiceAccount(_text(claims.get("iss")), namespace, name)


def refused(reason: str, seconds: float | None = None) -> TokenError:
    """The token is refused for one of `REASONS`; `seconds` is how far its time lies from the clock here."""
    why = REASONS[reason]
    if seconds is not None and seconds < _CENTURY_S:
        why = BilingualText(
            f"{why.en} By the clock here the difference is {seconds:.0f} seconds.",
            f"{why.vi} Theo đồng hồ ở đây, chênh lệch là {seconds:.0f} giây.",
        )
    return invalid_client(why)


def _check_times(claims: Mapping[str, Any], leeway_s: float, now: float) -> None:
    issued_at, expires_at = numeric_date(claims.get("iat")), numeric_date(claims.get("exp"))
    not_before = numeric_date(claims.get("nbf", issued_at))
    if issued_at is None or expires_at is None or not_before is None:
        raise refused("times")
    if now >= expires_at + leeway_s:
        raise refused("expired", now - expires_at)
    if expires_at - issued_at > LONGEST_LIFE_S:
        raise refused("lifetime")
    if not_before > now + leeway_s or issued_at > now + _AHEAD_S:
        raise refused("future", max(not_before, issued_at) - now)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


REASONS: Final[Mapping[str, BilingualText]] = {
    "malformed": BilingualText(
        "The service account token is not a signed JWT in compact form.",
        "Mã của service account không phải là JWT đã ký ở dạng rút gọn.",
    ),
    "header": BilingualText(
        "The header of the service account token must have typ JWT or none, and carry no key and no crit.",
        "Phần header của mã service account phải có typ là JWT hoặc để trống, không kèm khoá, không có crit.",
    ),
    "alg": BilingualText(
        "The alg of the service account token must be RS256, ES256, ES384 or ES512.",
        "alg của mã service account phải là RS256, ES256, ES384 hoặc ES512.",
    ),
    "key": BilingualText(
        "The service account token is signed with no key that its cluster publishes.",
        "Mã service account không được ký bằng khoá mà cụm (cluster) công bố.",
    ),
    "aud": BilingualText(
        "The aud of the service account token must be this server's issuer or token endpoint only; set "
        "audience in the projected volume.",
        "aud của mã service account phải chỉ là issuer hoặc token endpoint của máy chủ; hãy đặt audience "
        "trong projected volume.",
    ),
    "times": BilingualText(
        "The service account token needs exp and iat. Tokens of Secrets have none: project one into the pod.",
        "Mã service account phải có exp và iat. Mã nằm trong Secret không có: hãy dùng projected volume.",
    ),
    "expired": BilingualText(
        "The service account token has expired. Read its file again for each request: the kubelet renews it.",
        "Mã service account đã hết hạn. Hãy đọc lại tệp cho mỗi yêu cầu: kubelet tự gia hạn mã.",
    ),
    "lifetime": BilingualText(
        "The service account token lives too long. Set expirationSeconds to 3600 or less in the projected "
        "volume.",
        "Thời hạn của mã service account quá dài. Hãy đặt expirationSeconds không quá 3600 trong projected "
        "volume.",
    ),
    "future": BilingualText(
        "The service account token is not valid yet. Check the clocks.",
        "Mã service account chưa có hiệu lực. Hãy kiểm tra đồng hồ.",
    ),
    "sub": BilingualText(
        "The token is not one of a service account: sub and the claim kubernetes.io must name the same one.",
        "Không phải mã của service account: sub và kubernetes.io phải chỉ cùng một service account.",
    ),
    "client_id": BilingualText(
        "Send client_id beside a service account token: it does not say which client it stands for.",
        "Hãy gửi client_id cùng mã service account: mã này không cho biết hệ thống nào.",
    ),
    "client": BilingualText(
        "The client is not registered, or the service account is none of its serviceAccounts in the catalog. "
        "Check client_id, issuer, namespace and name; what was registered just now is known within a second.",
        "Hệ thống chưa được đăng ký, hoặc service account không nằm trong serviceAccounts của hệ thống trong "
        "danh mục. Hãy kiểm tra client_id, issuer, namespace và name; thông tin vừa đăng ký sẽ được nhận "
        "biết trong vòng một giây.",
    ),
}
"""What is wrong and how to correct it; the English is ASCII (RFC 6749 §5.2)."""
