"""Tokens that a provider signs: ID tokens (OpenID Connect Core §3.1.3.7) and logout tokens (Back-Channel
Logout 1.0 §2.6)."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lienthong.kit.jws import NotJwsError, base64url, decoded, json_object, numeric_date, split
from lienthong.relying.errors import TokenRefusedError, UnknownKeyError
from lienthong.relying.keys import ALGORITHMS, VerifyingKey, chosen

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

LARGEST: Final = 32 * 1024
"""Characters of a token; some providers put all groups of a person into one."""
LEEWAY_S: Final = 30
"""Seconds by which two clocks may differ."""
_OLDEST_S: Final = 900
"""Seconds since an ID token was issued: it comes straight from the provider, for a sign-in of ten minutes."""
_LONGEST_SUBJECT: Final = 255
"""ASCII characters of `sub` (OpenID Connect Core §2)."""
_LOGOUT_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
_TYPES: Final = (None, "JWT", "jwt")
_LOGOUT_TYPES: Final = (*_TYPES, "logout+jwt", "application/logout+jwt")


@dataclass(frozen=True, slots=True)
class Expected:
    """What every token of one provider for one client has in common."""

    issuer: str
    client_id: str
    algorithms: Collection[str]


@dataclass(frozen=True, slots=True)
class LogoutToken:
    """Who was signed out at the provider: a session, or everywhere; and when that was said."""

    subject: str | None
    session: str | None
    issued_at: float


def id_claims(
    token: str,
    keys: Sequence[VerifyingKey],
    expected: Expected,
    *,
    nonce: str,
    now: datetime,
    access_token: str | None = None,
) -> dict[str, Any]:
    """The claims of an ID token, once all of it has been checked.

    Raises:
        UnknownKeyError: its key is not among these; the provider may have a new one.
        TokenRefusedError: it does not prove who has signed in here, for this attempt.
    """
    claims, algorithm = _verified(token, keys, expected.algorithms, _TYPES)
    _check_parties(claims, expected)
    seconds = now.timestamp()
    expires_at, issued_at = numeric_date(claims.get("exp")), numeric_date(claims.get("iat"))
    if expires_at is None or seconds >= expires_at + LEEWAY_S:
        raise TokenRefusedError("exp")
    if issued_at is None or not -LEEWAY_S <= seconds - issued_at <= _OLDEST_S:
        raise TokenRefusedError("iat")
    if "nbf" in claims:
        begins_at = numeric_date(claims["nbf"])
        if begins_at is None or seconds < begins_at - LEEWAY_S:
            raise TokenRefusedError("nbf")
    said = claims.get("nonce")
    if not isinstance(said, str) or not hmac.compare_digest(_bytes(said), nonce.encode()):
        raise TokenRefusedError("nonce")
    subject(claims)
    if "at_hash" in claims and access_token is not None:
        hashed = claims["at_hash"]
        right = half_hash(access_token, algorithm)
        if not isinstance(hashed, str) or not hmac.compare_digest(_bytes(hashed), right.encode()):
            raise TokenRefusedError("at_hash")
    return claims


def logout_token(
    token: str, keys: Sequence[VerifyingKey], expected: Expected, *, now: datetime
) -> LogoutToken:
    """Whom a logout token signs out.

    Raises:
        UnknownKeyError: its key is not among these.
        TokenRefusedError: it is none, or of another time.
    """
    claims, _ = _verified(token, keys, expected.algorithms, _LOGOUT_TYPES)
    _check_parties(claims, expected)
    seconds = now.timestamp()
    issued_at = numeric_date(claims.get("iat"))
    if issued_at is None or not -LEEWAY_S <= seconds - issued_at <= _OLDEST_S:
        raise TokenRefusedError("iat")
    if "exp" in claims:
        expires_at = numeric_date(claims["exp"])
        if expires_at is None or seconds >= expires_at + LEEWAY_S:
            raise TokenRefusedError("exp")
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(_LOGOUT_EVENT), dict):
        raise TokenRefusedError("events")
    if "nonce" in claims:
        # Else an ID token could be taken for one.
        raise TokenRefusedError("nonce")
    if not isinstance(claims.get("jti"), str):
        raise TokenRefusedError("jti")
    who = subject(claims) if "sub" in claims else None
    session = session_of(claims)
    if who is None and session is None:
        raise TokenRefusedError("sub")
    return LogoutToken(who, session, issued_at)


def subject(claims: dict[str, Any]) -> str:
    """The `sub` of a token: who, at this issuer.

    Raises:
        TokenRefusedError: it is missing, or nothing that a provider may send (OpenID Connect Core §2).
    """
    found = claims.get("sub")
    if not isinstance(found, str) or not 0 < len(found) <= _LONGEST_SUBJECT:
        raise TokenRefusedError("sub")
    if not (found.isascii() and found.isprintable()):
        raise TokenRefusedError("sub")
    return found


def session_of(claims: dict[str, Any]) -> str | None:
    """The `sid` of a token: the session at the provider, where it says it in a way that can be kept."""
    found = claims.get("sid")
    if not isinstance(found, str) or not 0 < len(found) <= _LONGEST_SUBJECT:
        return None
    return found if found.isascii() and found.isprintable() else None


def half_hash(text: str, algorithm: str) -> str:
    """The left half of a digest of a text, of the hash function of an algorithm (OpenID Connect Core
    §3.1.3.6); with Ed25519 it is SHA-512."""
    bits = algorithm[-3:] if algorithm[-3:] in ("256", "384", "512") else "512"
    if algorithm == "Ed25519":
        bits = "512"
    digest = hashlib.new(f"sha{bits}", text.encode("utf-8", "surrogatepass")).digest()
    return base64url(digest[: len(digest) // 2])


def _verified(
    token: str, keys: Sequence[VerifyingKey], allowed: Collection[str], types: Collection[str | None]
) -> tuple[dict[str, Any], str]:
    try:
        header_part, payload_part, signature_part = split(token, LARGEST)
        header = json_object(header_part)
        signature = decoded(signature_part)
        claims = json_object(payload_part)
    except NotJwsError:
        raise TokenRefusedError("malformed") from None
    algorithm, key_id, kind = header.get("alg"), header.get("kid"), header.get("typ")
    if not isinstance(algorithm, str) or algorithm not in allowed or algorithm not in ALGORITHMS:
        raise TokenRefusedError("alg")
    if "crit" in header:
        # No extension is known here, and one that is marked critical must be (RFC 7515 §4.1.11).
        raise TokenRefusedError("crit")
    if not isinstance(kind, str | None) or kind not in types:
        raise TokenRefusedError("typ")
    if not isinstance(key_id, str | None):
        raise TokenRefusedError("kid")
    # Keys that a token brings itself (`jwk`, `jku`, `x5c`, `x5u`) are nobody's word, and not looked at.
    key = chosen(keys, key_id, algorithm)
    if key is None:
        raise UnknownKeyError("kid")
    if not key.verifies(algorithm, f"{header_part}.{payload_part}".encode("ascii"), signature):
        raise TokenRefusedError("signature")
    return claims, algorithm


def _check_parties(claims: dict[str, Any], expected: Expected) -> None:
    if claims.get("iss") != expected.issuer:
        raise TokenRefusedError("iss")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if expected.client_id not in audiences:
        raise TokenRefusedError("aud")
    party = claims.get("azp")
    if party not in (None, expected.client_id) or (party is None and len(audiences) > 1):
        # Made for somebody else, who was given it and hands it on.
        raise TokenRefusedError("azp")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
