"""ID tokens (OpenID Connect Core §2) and logout tokens (Back-Channel Logout §2.4): their claims; and how a
person proved who it is, by the names that such claims have."""

import hashlib
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from lienthong.identity.people.domain.accounts import Account
from lienthong.identity.people.domain.sessions import Factor, Session, are_two
from lienthong.kit.jws import NotJwsError, base64url, decoded, json_object, split
from lienthong.kit.tokens import KeySet

ID_TOKEN: Final = "JWT"  # noqa: S105  a kind
LOGOUT_TOKEN: Final = "logout+jwt"  # noqa: S105  a kind
LIFETIME: Final = timedelta(minutes=5)
LOGOUT_LIFETIME: Final = timedelta(minutes=2)
_LARGEST: Final = 8192
_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"

ONE_FACTOR: Final = "urn:lgsp:acr:one-factor"
TWO_FACTORS: Final = "urn:lgsp:acr:two-factors"
ACR_VALUES: Final = (ONE_FACTOR, TWO_FACTORS)
_METHODS: Final[Mapping[Factor, tuple[str, ...]]] = {
    Factor.PASSWORD: ("pwd",),
    Factor.TOTP: ("otp",),
    Factor.PASSKEY: ("hwk", "user"),
    # A code that is good once; RFC 8176 has no name of its own for one that was written down.
    Factor.RECOVERY_CODE: ("otp",),
    # By what the person has signed in there, only that provider knows.
    Factor.UPSTREAM: (),
    Factor.UPSTREAM_TWO: (),
}


class HintRefusedError(Exception):
    """A text is no ID token that was issued here."""


def methods(factors: Collection[Factor]) -> list[str]:
    """How the person proved who it is (`amr`, RFC 8176 §2)."""
    used = [method for factor in factors for method in _METHODS[factor]]
    return [*used, "mfa"] if are_two(factors) else used


def context(factors: Collection[Factor]) -> str:
    """How sure that is (`acr`)."""
    return TWO_FACTORS if are_two(factors) else ONE_FACTOR


def id_claims(
    issuer: str,
    client_id: str,
    session: Session,
    *,
    now: datetime,
    nonce: str | None,
    access_token: str,
) -> dict[str, Any]:
    """Who has signed in, for one application. Times are whole seconds."""
    issued_at = int(now.timestamp())
    claims: dict[str, Any] = {
        "iss": issuer,
        "sub": session.person_id,
        "aud": client_id,
        "iat": issued_at,
        "exp": issued_at + int(LIFETIME.total_seconds()),
        "auth_time": int(session.proved_at.timestamp()),
        "acr": context(session.factors),
        "amr": methods(session.factors),
        "sid": session.id,
        "at_hash": base64url(hashlib.sha256(access_token.encode("ascii")).digest()[:16]),
    }
    if nonce is not None:
        claims["nonce"] = nonce
    return claims


def logout_claims(
    issuer: str, client_id: str, *, person_id: str, session_id: str, now: datetime, token_id: str
) -> dict[str, Any]:
    """That a session has ended, for one application."""
    issued_at = int(now.timestamp())
    return {
        "iss": issuer,
        "sub": person_id,
        "aud": client_id,
        "iat": issued_at,
        "exp": issued_at + int(LOGOUT_LIFETIME.total_seconds()),
        "jti": token_id,
        "events": {_EVENT: {}},
        "sid": session_id,
    }


def person_claims(account: Account, scopes: Collection[str]) -> dict[str, Any]:
    """What an application is told of a person (OpenID Connect Core §5.1); `agency` and `roles` are ours."""
    claims: dict[str, Any] = {"sub": account.id}
    if "profile" in scopes:
        claims |= {"name": account.name, "preferred_username": account.login, "agency": account.agency}
    if "roles" in scopes:
        claims["roles"] = sorted(grant.name for grant in account.grants)
    return claims


def read_hint(token: str, keys: KeySet, issuer: str) -> dict[str, str]:
    """`sub`, `aud` and `sid` of an ID token that was issued here, also of one that has expired.

    Raises:
        HintRefusedError: it was not.
    """
    try:
        header_part, payload_part, signature_part = split(token, _LARGEST)
        header = json_object(header_part)
        kid = header.get("kid")
        key = keys.get(kid) if isinstance(kid, str) else None
        if key is None or header.get("typ") != ID_TOKEN or header.get("alg") != key.algorithm:
            raise HintRefusedError
        if not key.verifies(f"{header_part}.{payload_part}".encode("ascii"), decoded(signature_part)):
            raise HintRefusedError
        claims = json_object(payload_part)
    except NotJwsError:
        raise HintRefusedError from None
    if claims.get("iss") != issuer:
        raise HintRefusedError
    found = {name: claims.get(name) for name in ("sub", "aud", "sid")}
    if not all(isinstance(value, str) for value in found.values()):
        raise HintRefusedError
    return {name: str(value) for name, value in found.items()}
