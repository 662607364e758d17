"""For providers: whether a request came through the gateway, by its `LGSP-Assertion`.

    verifier = CallVerifier("https://lgsp.example.vn", "H11.05/land")
    call = verifier.verify(headers.get("LGSP-Assertion"), method="GET", target="/parcels/7?a=b", body=b"")
    call.client          # who calls, proven; the other LGSP headers are not to be asked any more

The assertion is a JWT signed by the gateway (docs/reference/gateway.md): this module is what RFC 8725 asks of
its reader. One verifier serves a whole process, from several threads too.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import json
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from joserfc import jws
from joserfc.errors import JoseError

from lienthong.client.errors import Text, UnprovenCallError
from lienthong.client.gateway_keys import GatewayKeys

if TYPE_CHECKING:
    from collections.abc import Callable

ASSERTION_HEADER: Final = "LGSP-Assertion"
KEYS_PATH: Final = "/.well-known/lgsp-assertion-keys.json"
_TYPE: Final = "lgsp-assertion+jwt"
_MAX_CHARACTERS: Final = 16 * 1024
_ISSUED_AHEAD_S: Final = 60
"""`iat` tells the age and is no not-before (RFC 7519 section 4.1.6): beyond it one of the clocks is wrong."""
_TEXTS: Final = ("sub", "jti", "service", "operation", "agreement", "purpose", "method", "target_digest")
_TEXTS_IF_ANY: Final = ("content_digest", "case", "user", "person")
_MOST_ACTORS: Final = 8


@dataclass(frozen=True, slots=True)
class ProvenCall:
    """What the gateway asserts of a request."""

    client: str
    """The system that calls, e.g. `H11.01/one-stop`."""
    transaction_id: str
    service: str
    operation: str
    agreement: str
    purpose: str
    case: str | None
    user: str | None
    issued_at: int
    """Unix seconds."""
    content_digest: str | None
    """Of the body, as RFC 9530 writes it; None where the gateway sent the body on while it came."""
    person: str | None = None
    """The official for whom the client acts, by the account's id: proved, not only stated as `user` is."""
    actors: tuple[str, ...] = ()
    """Through which systems the person's token came, the client first (RFC 8693 section 4.1)."""

    def has_body(self, body: bytes) -> bool:
        """Whether this is the body that the gateway saw: False also where it saw none as a whole."""
        return self.content_digest is not None and hmac.compare_digest(self.content_digest, digest(body))


class UsedAssertions(Protocol):
    """Remembers which assertions were used: each is good for one request."""

    def first_use(self, transaction_id: str, forget_after: float) -> bool:
        """Note a use; False if it is not the first. `forget_after` is in Unix seconds."""
        ...


class UsedInThisProcess:
    """In the memory of this process; where several serve one system, share a store instead.

    Beyond `most` the oldest is forgotten.
    """

    def __init__(self, most: int = 200_000, *, now: Callable[[], float] = time.time) -> None:
        self._most = most
        self._now = now
        self._until: dict[str, float] = {}
        self._lock = threading.Lock()

    def first_use(self, transaction_id: str, forget_after: float) -> bool:
        """Note a use; False if it is not the first."""
        with self._lock:
            while self._until:
                oldest = next(iter(self._until))
                if self._until[oldest] > self._now() and len(self._until) < self._most:
                    break
                del self._until[oldest]
            if transaction_id in self._until:
                return False
            self._until[transaction_id] = forget_after
            return True


class CallVerifier:
    """Verifies the assertions of one gateway for one providing system.

    `gateway` is its public address, the issuer of its tokens; `system` is yours. `base_path` is the path of
    the base address that you registered, if it has one. The keys are fetched from `keys_url` (by default the
    gateway's own) when they are needed. The clocks may differ by `leeway` seconds. `needs_digest` refuses
    requests whose body the gateway did not see as a whole: in chunks, or over 64 KiB.
    """

    def __init__(
        self,
        gateway: str,
        system: str,
        *,
        base_path: str = "",
        keys_url: str | None = None,
        leeway: float = 10.0,
        needs_digest: bool = False,
        used: UsedAssertions | None = None,
        keys: GatewayKeys | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._issuer = gateway.rstrip("/")
        self._system = system
        self._base_path = base_path.rstrip("/")
        self._leeway = leeway
        self._needs_digest = needs_digest
        self._used = used if used is not None else UsedInThisProcess(now=now)
        self._keys = keys if keys is not None else GatewayKeys(keys_url or self._issuer + KEYS_PATH)
        self._now = now

    def verify(
        self, assertion: str | None, *, method: str, target: str, body: bytes | None = None
    ) -> ProvenCall:
        """What is proven of a request, whose `target` is path and query as they came, percent-encoded.

        Give the `body` where it was read; without it, use `ProvenCall.has_body` later. Raises
        `UnprovenCallError`, whose `code` says why, and `UnreachableError` while there are no keys.
        """
        header = self._header(assertion)
        self._keys.fetch_for(header["kid"])
        return self._verified(str(assertion), header["kid"], method, target, body)

    async def verify_async(
        self, assertion: str | None, *, method: str, target: str, body: bytes | None = None
    ) -> ProvenCall:
        """The same where an event loop must not wait: keys are fetched in a thread."""
        header = self._header(assertion)
        if self._keys.lacks(header["kid"]) or self._keys.get(header["kid"]) is None:
            await asyncio.to_thread(self._keys.fetch_for, header["kid"])
        return self._verified(str(assertion), header["kid"], method, target, body)

    def _header(self, assertion: str | None) -> dict[str, str]:
        if not assertion:
            raise _refused(
                "assertion-missing",
                f"Yêu cầu không có {ASSERTION_HEADER}: nó không đi qua cổng, hoặc dịch vụ chưa đặt"
                " assertion: true.",
                f"The request has no {ASSERTION_HEADER}: it did not come through the gateway, or the service"
                " lacks assertion: true.",
            )
        header = _json(assertion.partition(".")[0]) if len(assertion) <= _MAX_CHARACTERS else None
        if header is None or assertion.count(".") != 2 or not isinstance(header.get("kid"), str):
            raise _refused("assertion-malformed", "Không phải JWT đã ký.", "It is not a signed JWT.")
        if header.get("typ") != _TYPE or header.get("alg") != "ES256" or "crit" in header:
            raise _refused(
                "assertion-malformed",
                f"Loại hoặc thuật toán khác với {_TYPE}, ES256.",
                f"Its type or algorithm is not {_TYPE}, ES256.",
            )
        return header

    def _verified(self, assertion: str, kid: str, method: str, target: str, body: bytes | None) -> ProvenCall:
        key = self._keys.get(kid)
        if key is None:
            raise _refused(
                "assertion-unknown-key",
                f"Cổng {self._issuer} không công bố khoá {kid[:64]!r}.",
                f"The gateway {self._issuer} publishes no key {kid[:64]!r}.",
            )
        try:
            signed = jws.deserialize_compact(assertion, key, algorithms=["ES256"])
        except (JoseError, ValueError):
            raise _refused("assertion-signature", "Chữ ký không đúng.", "The signature is wrong.") from None
        claims = _claims(signed.payload)
        self._check_claims(claims)
        self._check_request(claims, method, target, body)
        forget_after = claims["exp"] + self._leeway
        if not self._used.first_use(claims["jti"], forget_after):
            raise _refused(
                "assertion-replayed",
                f"Mã giao dịch {claims['jti']} đã được dùng.",
                f"The transaction {claims['jti']} was used before.",
            )
        return ProvenCall(
            client=claims["sub"],
            transaction_id=claims["jti"].partition(".")[0],
            service=claims["service"],
            operation=claims["operation"],
            agreement=claims["agreement"],
            purpose=claims["purpose"],
            case=claims.get("case"),
            user=claims.get("user"),
            issued_at=claims["iat"],
            content_digest=claims.get("content_digest"),
            person=claims.get("person"),
            actors=_actors(claims.get("act")),
        )

    def _check_claims(self, claims: dict[str, Any]) -> None:
        if claims["iss"] != self._issuer:
            raise _refused(
                "assertion-issuer",
                f"Do {claims['iss']!r} cấp, không phải {self._issuer!r}.",
                f"It is of {claims['iss']!r}, not of {self._issuer!r}.",
            )
        if claims["aud"] != self._system:
            raise _refused(
                "assertion-audience",
                f"Dành cho {claims['aud']!r}, không phải {self._system!r}.",
                f"It is meant for {claims['aud']!r}, not for {self._system!r}.",
            )
        now = self._now()
        if claims["exp"] + self._leeway <= now:
            raise _refused(
                "assertion-expired",
                f"Hết hạn {now - claims['exp']:.0f} giây trước; hãy xem đồng hồ của máy chủ.",
                f"It expired {now - claims['exp']:.0f} seconds ago; look at the clock of this server.",
            )
        if claims["iat"] - max(self._leeway, _ISSUED_AHEAD_S) > now:
            raise _refused(
                "assertion-not-yet-valid",
                f"Được cấp trước đồng hồ ở đây {claims['iat'] - now:.0f} giây; hãy xem đồng hồ của máy chủ.",
                f"It was issued {claims['iat'] - now:.0f} seconds ahead; look at the clock of this server.",
            )

    def _check_request(self, claims: dict[str, Any], method: str, target: str, body: bytes | None) -> None:
        below = target.removeprefix(self._base_path)
        if claims["method"] != method or claims["target_digest"] != digest(below.encode()):
            raise _refused(
                "assertion-other-request",
                f"Thuộc về yêu cầu khác, không phải {method} {below.partition('?')[0]}"
                " (xem lại base_path; target gồm cả phần truy vấn).",
                f"It is of another request than {method} {below.partition('?')[0]}"
                " (check base_path; the target has its query too).",
            )
        stated = claims.get("content_digest")
        if stated is None and self._needs_digest:
            raise _refused(
                "assertion-without-digest",
                "Cổng đã chuyển tiếp nội dung khi đang nhận nên không nêu giá trị băm.",
                "The gateway sent the body on while it came, and states no digest of it.",
            )
        if stated is not None and body is not None and stated != digest(body):
            raise _refused(
                "assertion-other-body",
                "Nội dung không phải là nội dung mà cổng đã chuyển.",
                "The body is not the one that the gateway sent.",
            )


def digest(content: bytes) -> str:
    """The SHA-256 digest as RFC 9530 section 2 writes it: `sha-256=:…:`."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"


def _claims(payload: bytes | None) -> dict[str, Any]:
    """The claims, each of its type; the rest of the code may rely on that."""
    try:
        claims = json.loads(payload or b"")
    except ValueError:
        claims = None
    right = (
        isinstance(claims, dict)
        and all(isinstance(claims.get(name), str) for name in ("iss", "aud", *_TEXTS))
        and all(isinstance(claims.get(name, ""), str) for name in _TEXTS_IF_ANY)
        and all(type(claims.get(name)) is int for name in ("iat", "exp"))
    )
    if not right:
        raise _refused("assertion-malformed", "Thiếu nội dung cần có.", "It lacks what it has to say.")
    found: dict[str, Any] = claims
    return found


def _actors(claim: object) -> tuple[str, ...]:
    actors: list[str] = []
    while isinstance(claim, dict) and isinstance(claim.get("sub"), str) and len(actors) < _MOST_ACTORS:
        actors.append(claim["sub"])
        claim = claim.get("act")
    return tuple(actors)


def _json(part: str) -> dict[str, Any] | None:
    try:
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, binascii.Error):
        return None
    return found if isinstance(found, dict) else None


def _refused(code: str, vi: str, en: str) -> UnprovenCallError:
    return UnprovenCallError(
        Text("Không chứng minh được yêu cầu đến từ cổng", "The request does not prove the gateway"),
        Text(vi, en),
        code=code,
    )
