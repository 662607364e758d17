"""What proves to a provider that a call came through this installation: `LGSP-Assertion`, a signed JWT.

RFC 7519 in the form of RFC 8725: a type of its own (`lgsp-assertion+jwt`), one algorithm (ES256), one
audience, a minute to live. docs/guide/providers.md says how providers verify it.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any, Final

import msgspec

from lienthong.gateway.http1.fields import field_prefix
from lienthong.kit.tokens import act_claim

if TYPE_CHECKING:
    from datetime import datetime

    from lienthong.gateway.assertion_keys import AssertionKeys, SigningKey
    from lienthong.gateway.call import Call
    from lienthong.gateway.table import ServiceRoute

LIFETIME_S: Final = 60
TYPE: Final = "lgsp-assertion+jwt"
_FIELD: Final = field_prefix(b"lgsp-assertion")


class Claims(msgspec.Struct, omit_defaults=True, gc=False):
    """What an assertion says."""

    iss: str
    """The gateway's public address, as in access tokens."""
    aud: str
    """The providing system."""
    sub: str
    """The calling system."""
    iat: int
    exp: int
    jti: str
    """The transaction id, with `.2` behind it where the request is sent again: each is used once."""
    service: str
    operation: str
    agreement: str
    purpose: str
    method: str
    target_digest: str
    """Of the path and query below the service's base address."""
    content_digest: str | None = None
    """Of the body, None where it was sent on while it came. Both have the form of RFC 9530 section 2."""
    case: str | None = None
    user: str | None = None
    person: str | None = None
    """Who has signed in, for whom `sub` acts by token exchange: the id of the account."""
    act: dict[str, Any] | None = None
    """Through whose hands the person's token came, as in access tokens (RFC 8693 section 4.1)."""


class Assertions:
    """Signs what this gateway asserts."""

    def __init__(self, issuer: str, keys: AssertionKeys) -> None:
        self._issuer = issuer
        self._keys = keys
        self._signer: SigningKey | None = None
        self._header = b""

    def fields(
        self,
        call: Call,
        route: ServiceRoute,
        target: bytes,
        now: datetime,
        *,
        body_known: bool,
        attempt: int = 1,
    ) -> tuple[bytes, bytes]:
        """The field, as it is written, for a call that was let in.

        `target` is what follows the service's base address; `body_known` says that the whole body was read,
        `attempt` how often the request was sent: each has an assertion of its own.
        """
        grant, operation, client, body = call.grant, call.operation, call.client, call.body
        if grant is None or operation is None or client is None:
            raise RuntimeError("a call that was not let in is asserted")
        at = int(now.timestamp())
        claims = Claims(
            iss=self._issuer,
            aud=route.system_id,
            sub=client,
            iat=at,
            exp=at + LIFETIME_S,
            jti=call.tx if attempt == 1 else f"{call.tx}.{attempt}",
            service=route.id,
            operation=operation.id,
            agreement=grant.agreement,
            purpose=grant.purpose,
            method=call.method,
            target_digest=_digest(hashlib.sha256(target).digest()),
            content_digest=_digest(bytes.fromhex(body.sha256)) if body_known and body is not None else None,
            case=call.context.case,
            user=call.context.user,
        )
        token = call.token
        if token is not None and token.person is not None:
            claims.person = token.person.id
            claims.act = act_claim(token.actors) if token.actors else None
        return _FIELD, self._signed(msgspec.json.encode(claims), now.timestamp())

    def _signed(self, payload: bytes, at: float) -> bytes:
        """A JWS in compact form (RFC 7515 section 7.1)."""
        key = self._keys.signing(at)
        if key is not self._signer:
            self._signer = key
            self._header = _base64url(msgspec.json.encode({"alg": "ES256", "kid": key.kid, "typ": TYPE}))
        signed = self._header + b"." + _base64url(payload)
        return signed + b"." + _base64url(key.sign(signed))


def _digest(sha256: bytes) -> str:
    return f"sha-256=:{base64.b64encode(sha256).decode()}:"


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
