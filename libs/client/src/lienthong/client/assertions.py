"""The signed assertion that proves a client to the token endpoint (`private_key_jwt`, RFC 7523)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from joserfc import jwt
from joserfc.jws import JWSRegistry

from lienthong.client.credentials import ALGORITHMS

if TYPE_CHECKING:
    from joserfc._rfc7515.model import JWSAlgModel

    from lienthong.client.credentials import Credentials

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LIFETIME_SECONDS = 60


class _Registry(JWSRegistry):
    """The three algorithms of the bus.

    Keeps the name EdDSA (RFC 8037), which OAuth servers advertise, without the library's warning that
    RFC 9864 calls it Ed25519.
    """

    def get_alg(self, name: str) -> JWSAlgModel:
        return self.algorithms[name]


_REGISTRY = _Registry(algorithms=list(ALGORITHMS))


def client_assertion(credentials: Credentials, *, now: float, jti: str) -> str:
    """A compact JWT: `iss` and `sub` the client, `aud` the issuer, valid a minute from `now` (Unix time)."""
    issued = int(now)
    claims: dict[str, Any] = {
        "iss": credentials.client_id,
        "sub": credentials.client_id,
        "aud": credentials.issuer,
        "iat": issued,
        "exp": issued + LIFETIME_SECONDS,
        "jti": jti,
    }
    header = {"alg": credentials.algorithm, "kid": credentials.key.thumbprint()}
    if credentials.key.kid:
        header["kid"] = credentials.key.kid
    return jwt.encode(header, claims, credentials.key, registry=_REGISTRY)


def token_form(credentials: Credentials, *, now: float, jti: str) -> dict[str, str]:
    """The form of a client credentials request (RFC 6749 §4.4 with RFC 7523 §2.2)."""
    return {
        "grant_type": "client_credentials",
        "client_id": credentials.client_id,
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": client_assertion(credentials, now=now, jti=jti),
    }
