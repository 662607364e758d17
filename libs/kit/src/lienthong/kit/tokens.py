"""Access tokens (JWTs of RFC 9068), verified strictly and locally, without a request to identity."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec

from lienthong.kit.json_text import is_portable_text
from lienthong.kit.jwk import ALGORITHMS, KeyFault, KeyRefusedError, PublicKey, read_public_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lienthong.kit.clock import Clock

Reason: TypeAlias = Literal[
    "malformed",
    "typ",
    "alg",
    "crit",
    "kid",
    "signature",
    "claims",
    "issuer",
    "audience",
    "expired",
    "not_yet",
]
_LARGEST_TOKEN = 8192
_LATEST = 253_402_300_799  # 9999-12-31, the end of datetime
_TYPES = frozenset({"at+jwt", "application/at+jwt"})
_CERTIFICATE = "x5t#S256"
_SHA256_BYTES = 32


class TokenRefusedError(Exception):
    """The token is not valid; `reason` says why, without repeating the token."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Who alone may use a token (the claim `cnf`, RFC 7800 §3.1)."""

    certificate: str
    """Who shows this certificate: the SHA-256 of its DER form, in hex (`x5t#S256`, RFC 8705 §3.1)."""

    def claim(self) -> dict[str, str]:
        """The value of `cnf`."""
        digest = bytes.fromhex(self.certificate)
        return {_CERTIFICATE: base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")}


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What a verified token says."""

    client_id: str
    scopes: frozenset[str]
    jti: str
    issued_at: datetime
    not_before: datetime
    """It is valid from then on: `iat`, or `nbf` where that is later (RFC 7519 §4.1.5)."""
    expires_at: datetime
    key_id: str = ""
    """Under which id the key that it was signed with is published."""
    confirmation: Confirmation | None = None
    """None for a token that whoever holds it may use (RFC 6750)."""


class KeySet:
    """Public keys by key id, each bound to the one algorithm that its type allows."""

    def __init__(self, keys: Mapping[str, PublicKey]) -> None:
        self._keys = MappingProxyType(dict(keys))

    @classmethod
    def from_jwks(cls, text: str) -> KeySet:
        """Read a JWK set (RFC 7517 §5). Keys of unknown types, or not for signatures, are skipped.

        Raises:
            ValueError: not a JWK set, a private or symmetric key in it, or two keys under one id.
        """
        try:
            document = msgspec.json.decode(text, type=_JwkSet)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise ValueError(f"not a JWK set: {error}") from error
        keys: dict[str, PublicKey] = {}
        for entry in document.keys:
            try:
                key = read_public_key(entry)
            except KeyRefusedError as error:
                if all(refusal.fault is KeyFault.UNSUITABLE for refusal in error.refusals):
                    continue
                if any(refusal.fault is KeyFault.SECRET for refusal in error.refusals):
                    raise ValueError(
                        "the JWK set holds a private or symmetric key: publish public keys only"
                    ) from error
                raise ValueError(f"a key of the JWK set cannot be read: {error}") from error
            kid = key.key_id or key.thumbprint
            if kid in keys:
                raise ValueError(f"the JWK set has two keys under the id {kid}")
            keys[kid] = key
        return cls(keys)

    def get(self, kid: str) -> PublicKey | None:
        """The key under this id."""
        return self._keys.get(kid)

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, kid: object) -> bool:
        return kid in self._keys


class _JwkSet(msgspec.Struct):
    keys: list[dict[str, Any]]


class TokenVerifier:
    """Checks everything that RFC 9068 §4 requires; two clocks may differ by `leeway` seconds."""

    def __init__(self, issuer: str, audience: str, clock: Clock, leeway: float = 5) -> None:
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._leeway = leeway

    def verify(self, token: str, keys: KeySet) -> AccessToken:
        """The contents of `token`, once it has been verified.

        Raises:
            TokenRefusedError: it is not valid; the reason is one word.
        """
        header_part, payload_part, signature_part = _split(token)
        header = _json_object(header_part)
        key = _choose(header, keys)
        signed = f"{header_part}.{payload_part}".encode("ascii")
        if not key.verifies(signed, _decode(signature_part)):
            raise TokenRefusedError("signature")
        return self._check(_json_object(payload_part), str(header["kid"]))

    def in_time(self, access: AccessToken) -> bool:
        """Whether a token is valid now by its times alone, without allowance for another clock."""
        return access.not_before <= self._clock.now() < access.expires_at

    def _check(self, claims: dict[str, Any], key_id: str) -> AccessToken:
        issued_at, expires_at = _time(claims, "iat"), _time(claims, "exp")
        not_before = _time(claims, "nbf") if "nbf" in claims else issued_at
        client_id, jti = _text(claims, "client_id"), _text(claims, "jti")
        # Client credentials: the client is the subject (RFC 9068 §2.2).
        if _text(claims, "sub") != client_id:
            raise TokenRefusedError("claims")
        scope = claims.get("scope", "")
        if not isinstance(scope, str):
            raise TokenRefusedError("claims")
        if claims.get("iss") != self._issuer:
            raise TokenRefusedError("issuer")
        audience = claims.get("aud")
        if self._audience not in (audience if isinstance(audience, list) else [audience]):
            raise TokenRefusedError("audience")
        now = self._clock.now().timestamp()
        if now >= expires_at + self._leeway:
            raise TokenRefusedError("expired")
        begins_at = max(issued_at, not_before)
        if now < begins_at - self._leeway:
            raise TokenRefusedError("not_yet")
        return AccessToken(
            client_id=client_id,
            scopes=frozenset(scope.split()),
            jti=jti,
            issued_at=datetime.fromtimestamp(issued_at, UTC),
            not_before=datetime.fromtimestamp(begins_at, UTC),
            expires_at=datetime.fromtimestamp(expires_at, UTC),
            key_id=key_id,
            confirmation=_confirmation(claims["cnf"]) if "cnf" in claims else None,
        )


def _choose(header: dict[str, Any], keys: KeySet) -> PublicKey:
    typ, algorithm, kid = header.get("typ"), header.get("alg"), header.get("kid")
    if not isinstance(typ, str) or typ.lower() not in _TYPES:
        raise TokenRefusedError("typ")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise TokenRefusedError("alg")
    if "crit" in header:
        # No extension is known here, and one that is marked critical must be (RFC 7515 §4.1.11).
        raise TokenRefusedError("crit")
    found = keys.get(kid) if isinstance(kid, str) else None
    if found is None:
        raise TokenRefusedError("kid")
    if found.algorithm != algorithm:
        raise TokenRefusedError("alg")
    return found


def _split(token: str) -> tuple[str, str, str]:
    parts = token.split(".", 3)
    if len(token) > _LARGEST_TOKEN or len(parts) != 3 or not all(parts):
        raise TokenRefusedError("malformed")
    return parts[0], parts[1], parts[2]


def _decode(part: str) -> bytes:
    """Base64url as RFC 7515 §2 has it: no padding, no white space, one spelling for each value."""
    try:
        raw = part.encode("ascii")
        decoded = base64.b64decode(raw + b"=" * (-len(raw) % 4), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error, ValueError):
        raise TokenRefusedError("malformed") from None
    if base64.urlsafe_b64encode(decoded).rstrip(b"=") != raw:
        raise TokenRefusedError("malformed")
    return decoded


def _json_object(part: str) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(_decode(part))
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise TokenRefusedError("malformed") from None
    if not isinstance(document, dict):
        raise TokenRefusedError("malformed")
    return document


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    # It is kept and recorded, where no other text can be.
    if not isinstance(value, str) or not value or not is_portable_text(value):
        raise TokenRefusedError("claims")
    return value


def _confirmation(claim: object) -> Confirmation:
    """What a token is bound to. One that is not known here is refused: ignored, it would bind nobody."""
    if not isinstance(claim, dict) or set(claim) != {_CERTIFICATE}:
        raise TokenRefusedError("claims")
    thumbprint = claim[_CERTIFICATE]
    if not isinstance(thumbprint, str) or len(digest := _decode(thumbprint)) != _SHA256_BYTES:
        raise TokenRefusedError("claims")
    return Confirmation(certificate=digest.hex())


def _time(claims: dict[str, Any], name: str) -> float:
    """A NumericDate (RFC 7519 §2)."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LATEST:
        raise TokenRefusedError("claims")
    return float(value)
