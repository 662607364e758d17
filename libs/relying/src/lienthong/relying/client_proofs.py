"""How a client proves itself to a provider (OpenID Connect Core §9)."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import quote_plus

from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LASTS_S: Final = 60
_OF_CURVE: Final = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512", "Ed25519": "EdDSA"}
_RSA: Final = "PS256"

PrivateKey: TypeAlias = ECKey | OKPKey | RSAKey


@dataclass(frozen=True, slots=True)
class Proof:
    """What a request carries: fields of the form, and of the head."""

    form: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SecretBasic:
    """`client_secret_basic`: a shared secret in the head (RFC 6749 §2.3.1)."""

    secret: str = field(repr=False)

    def proof(self, client_id: str, _audience: str, _now: datetime) -> Proof:
        """Both are encoded like a form first, as the RFC has it and many leave out."""
        pair = f"{quote_plus(client_id)}:{quote_plus(self.secret)}"
        basic = base64.b64encode(pair.encode()).decode()
        return Proof({}, {"Authorization": f"Basic {basic}"})


@dataclass(frozen=True, slots=True)
class SecretPost:
    """`client_secret_post`: a shared secret in the form (RFC 6749 §2.3.1)."""

    secret: str = field(repr=False)

    def proof(self, client_id: str, _audience: str, _now: datetime) -> Proof:
        """The secret beside the client's id."""
        return Proof({"client_id": client_id, "client_secret": self.secret}, {})


@dataclass(frozen=True, slots=True)
class SignedAssertion:
    """`private_key_jwt`: a JWT of this moment, signed with the client's key (RFC 7523 §2.2)."""

    key: PrivateKey = field(repr=False)

    def proof(self, client_id: str, audience: str, now: datetime) -> Proof:
        """A new assertion for `audience`, good for a minute."""
        form = {
            "client_id": client_id,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": client_assertion(self.key, client_id, audience, now),
        }
        return Proof(form, {})


Authentication: TypeAlias = SecretBasic | SecretPost | SignedAssertion


def client_assertion(key: PrivateKey, client_id: str, audience: str, now: datetime) -> str:
    """An assertion (RFC 7523 §3), good for a minute; by the algorithm that the key names, or its type has."""
    seconds = int(now.timestamp())
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "jti": secrets.token_urlsafe(16),
        "iat": seconds,
        "exp": seconds + _LASTS_S,
    }
    algorithm = algorithm_of(key)
    header = {"alg": algorithm, "kid": key.kid or key.thumbprint()}
    return jwt.encode(header, claims, key, registry=JWSRegistry(algorithms=[algorithm]))


def algorithm_of(key: PrivateKey) -> str:
    """The algorithm by which a key signs: its `alg`, or the one that its type has."""
    said = key.alg
    if isinstance(said, str):
        return said
    return _RSA if isinstance(key, RSAKey) else _OF_CURVE.get(key.curve_name, "ES256")
