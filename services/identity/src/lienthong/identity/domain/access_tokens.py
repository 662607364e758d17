"""Access tokens as JWT (RFC 9068): their claims and their signature."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final, Literal, Self

import msgspec
from joserfc.jwk import ECKey
from joserfc.jws import JWSRegistry
from joserfc.util import json_b64encode, urlsafe_b64encode

from lienthong.kit.succession import CLAIM, NOBODY, StandsFor
from lienthong.kit.tokens import Confirmation, Person, act_claim

ALGORITHM: Final = "ES256"


@dataclass(frozen=True, slots=True, eq=False)
class TokenSigningKey:
    """A P-256 key that signs access tokens (ES256). `key_id` is its RFC 7638 thumbprint."""

    key_id: str
    key: ECKey

    @classmethod
    def generate(cls) -> Self:
        """Make a new key."""
        key = ECKey.generate_key("P-256")
        return cls(key.thumbprint(), key)

    @classmethod
    def from_private_jwk(cls, jwk: dict[str, Any]) -> Self:
        """Read a private JWK.

        Raises:
            ValueError: it is no private P-256 key.
        """
        key = ECKey.import_key({name: str(jwk[name]) for name in ("kty", "crv", "x", "y", "d")})
        if key.curve_name != "P-256" or not key.is_private:
            raise ValueError("not a private P-256 key")
        return cls(key.thumbprint(), key)

    def private_jwk(self) -> dict[str, Any]:
        """The private JWK; it leaves the process only encrypted."""
        return dict(self.key.as_dict(private=True))

    def public_jwk(self) -> dict[str, Any]:
        """The public JWK, as verifiers get it."""
        members = self.key.as_dict(private=False)
        return {
            "kty": "EC", "crv": "P-256", "x": members["x"], "y": members["y"],
            "kid": self.key_id, "alg": ALGORITHM, "use": "sig",
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class TokenRules:
    """What all access tokens of this server have in common."""

    issuer: str
    audience: str
    lifetime: timedelta


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A signed access token of a client, its lifetime in seconds and its scopes, separated by spaces.

    `id_token` and `refresh_token` come with tokens of people.
    """

    client_id: str
    access_token: str
    token_type: Literal["Bearer", "DPoP"]
    expires_in: int
    scope: str
    id_token: str | None = None
    refresh_token: str | None = None
    issued_type: str | None = None
    """Of what kind the token is, where it was exchanged for another one (RFC 8693 §2.2.1)."""


def mint(
    key: TokenSigningKey,
    rules: TokenRules,
    *,
    client_id: str,
    scopes: Collection[str],
    now: datetime,
    token_id: str,
    confirmation: Confirmation | None = None,
    person: Person | None = None,
    actors: Sequence[str] = (),
    stands_for: StandsFor = NOBODY,
    not_after: datetime | None = None,
) -> str:
    """Sign an access token for a client (RFC 9068 §2), bound to what `confirmation` names, if anything.

    Its subject is the client itself, or the `person` for whom the client acts; `actors` says through whose
    hands that came (RFC 8693 §4.1), the client's first; `stands_for` names
    the codes of before of agencies. The token lists `scopes` in their order. It expires
    after the lifetime of the rules, or `not_after`. Times are whole seconds (NumericDate).
    """
    issued_at = int(now.timestamp())
    expires_at = issued_at + int(rules.lifetime.total_seconds())
    if not_after is not None:
        expires_at = min(expires_at, int(not_after.timestamp()))
    claims: dict[str, Any] = {
        "iss": rules.issuer,
        "aud": rules.audience,
        "sub": client_id if person is None else person.id,
        "client_id": client_id,
        "scope": " ".join(scopes),
        "iat": issued_at,
        "exp": expires_at,
        "jti": token_id,
    }
    if confirmation is not None:
        claims["cnf"] = confirmation.claim()
    if person is not None:
        claims["sid"] = person.session
        claims["roles"] = sorted(grant.name for grant in person.grants)
    if actors:
        claims["act"] = act_claim(actors)
    if stands_for != NOBODY:
        claims[CLAIM] = stands_for.claim()
    return sign(key, "at+jwt", claims)


def sign(key: TokenSigningKey, kind: str, claims: dict[str, Any]) -> str:
    """A signed JWT of some kind, the `typ` of its header (RFC 8725 §3.11), in compact form."""
    signed = _header(key.key_id, kind) + b"." + urlsafe_b64encode(msgspec.json.encode(claims))
    signature = JWSRegistry.algorithms[ALGORITHM].sign(signed, key.key)
    return (signed + b"." + urlsafe_b64encode(signature)).decode("ascii")


@lru_cache(maxsize=16)
def _header(key_id: str, kind: str) -> bytes:
    """The header of all tokens of a kind that a key signs, as it is signed (RFC 7515 §7.1)."""
    return json_b64encode({"typ": kind, "alg": ALGORITHM, "kid": key_id})
