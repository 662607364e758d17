"""Access tokens (JWTs of RFC 9068), verified strictly and locally, without a request to identity."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec

from lienthong.kit.json_text import is_portable_text
from lienthong.kit.jwk import ALGORITHMS, KeyFault, KeyRefusedError, PublicKey, read_public_key
from lienthong.kit.jws import NotJwsError, base64url, decoded, json_object, numeric_date, split
from lienthong.kit.policy import Grant
from lienthong.kit.succession import CLAIM, NOBODY, StandsFor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
    "ahead",
    "ended",
]
_LARGEST_TOKEN = 8192
_ISSUED_AHEAD_S = 60
"""How far ahead of the clock here a token may have been issued. `iat` tells its age and is no not-before (RFC
7519 §4.1.6): a clock that is a little behind refuses nothing, and beyond this one of the clocks is wrong."""
_TYPES = frozenset({"at+jwt", "application/at+jwt"})
_CERTIFICATE, _KEY = "x5t#S256", "jkt"
_SHA256_BYTES = 32
_MOST_ROLES = 200
_OF_PEOPLE = ("sid", "roles", "act")
"""Claims that only tokens of people have."""
MOST_ACTORS = 4
"""Through how many hands what is done for a person may go."""


class TokenRefusedError(Exception):
    """The token is not valid; `reason` says why, without repeating the token."""

    def __init__(self, reason: Reason, seconds: float | None = None) -> None:
        super().__init__(reason)
        self.reason: Reason = reason
        self.seconds = seconds
        """How far its time lies from the clock here, where that is the reason."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Who alone may use a token (the claim `cnf`, RFC 7800 §3.1): whoever shows all that it names."""

    certificate: str | None = None
    """A certificate: the SHA-256 of its DER form, in hex (`x5t#S256`, RFC 8705 §3.1)."""
    key: str | None = None
    """A key, by proofs that are signed with it: its RFC 7638 thumbprint (`jkt`, RFC 9449 §6.1)."""

    def claim(self) -> dict[str, str]:
        """The value of `cnf`."""
        named = {} if self.key is None else {_KEY: self.key}
        if self.certificate is not None:
            named[_CERTIFICATE] = base64url(bytes.fromhex(self.certificate))
        return named


@dataclass(frozen=True, slots=True)
class Person:
    """The person for whom an application has a token: who has signed in there."""

    id: str
    """The claim `sub`."""
    session: str
    """In which the person has signed in (`sid`); who ends it ends what came of it."""
    grants: frozenset[Grant]
    """The roles when the token was issued (`roles`, RFC 9068 §2.2.3.1)."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What a verified token says."""

    client_id: str
    """The system; of a person's token, the application that has it."""
    scopes: frozenset[str]
    jti: str
    issued_at: datetime
    not_before: datetime
    """It is valid from then on: `nbf` (RFC 7519 §4.1.5), or as far before `iat` as clocks may differ."""
    expires_at: datetime
    key_id: str = ""
    """Under which id the key that it was signed with is published."""
    confirmation: Confirmation | None = None
    """None for a token that whoever holds it may use (RFC 6750)."""
    person: Person | None = None
    """None for a token of a system, which acts for itself."""
    actors: tuple[str, ...] = ()
    """Who acts for the person by token exchange (the claim `act`, RFC 8693 §4.1): first the client itself,
    then through whose hands it came, at last the application where the person has signed in. Empty where the
    client is that application, and there was no exchange."""
    stands_for: StandsFor = NOBODY
    """The codes of before of the agencies of the person or the system (the claim `stands_for`)."""


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
                if error.is_secret:
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
        try:
            header_part, payload_part, signature_part = split(token, _LARGEST_TOKEN)
            header = json_object(header_part)
            key = _choose(header, keys)
            signature = decoded(signature_part)
        except NotJwsError:
            raise TokenRefusedError("malformed") from None
        if not key.verifies(f"{header_part}.{payload_part}".encode("ascii"), signature):
            raise TokenRefusedError("signature")
        return self._check(_object(payload_part), str(header["kid"]))

    def in_time(self, access: AccessToken) -> bool:
        """Whether a token is valid now by its times alone, without allowance for another clock."""
        return access.not_before <= self._clock.now() < access.expires_at

    def _check(self, claims: dict[str, Any], key_id: str) -> AccessToken:
        issued_at, expires_at = _time(claims, "iat"), _time(claims, "exp")
        not_before = _time(claims, "nbf") if "nbf" in claims else 0.0
        client_id, jti = _text(claims, "client_id"), _text(claims, "jti")
        person = _person(claims, client_id)
        actors = _actors(claims["act"], client_id) if "act" in claims else ()
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
            raise TokenRefusedError("expired", now - expires_at)
        if now < not_before - self._leeway:
            raise TokenRefusedError("not_yet", not_before - now)
        if now < issued_at - _ISSUED_AHEAD_S:
            raise TokenRefusedError("ahead", issued_at - now)
        begins_at = max(issued_at - _ISSUED_AHEAD_S, not_before, 0.0)
        return AccessToken(
            client_id=client_id,
            scopes=frozenset(scope.split()),
            jti=jti,
            issued_at=datetime.fromtimestamp(issued_at, UTC),
            not_before=datetime.fromtimestamp(begins_at, UTC),
            expires_at=datetime.fromtimestamp(expires_at, UTC),
            key_id=key_id,
            confirmation=_confirmation(claims["cnf"]) if "cnf" in claims else None,
            person=person,
            actors=actors,
            stands_for=_stands_for(claims[CLAIM]) if CLAIM in claims else NOBODY,
        )


def act_claim(actors: Sequence[str]) -> dict[str, Any]:
    """The claim `act` (RFC 8693 §4.1): who acts, and within it who did so before. There is at least one."""
    claim: dict[str, Any] = {"sub": actors[-1]}
    for actor in reversed(actors[:-1]):
        claim = {"sub": actor, "act": claim}
    return claim


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


def _object(part: str) -> dict[str, Any]:
    try:
        return json_object(part)
    except NotJwsError:
        raise TokenRefusedError("malformed") from None


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    # It is kept and recorded, where no other text can be.
    if not isinstance(value, str) or not value or not is_portable_text(value):
        raise TokenRefusedError("claims")
    return value


def _person(claims: dict[str, Any], client_id: str) -> Person | None:
    """Whom a token is of: of the client itself, where that is the subject too (RFC 9068 §2.2)."""
    subject = _text(claims, "sub")
    if subject == client_id:
        if any(name in claims for name in _OF_PEOPLE):
            raise TokenRefusedError("claims")
        return None
    roles = claims.get("roles")
    if not isinstance(roles, list) or len(roles) > _MOST_ROLES:
        raise TokenRefusedError("claims")
    try:
        grants = frozenset(Grant.of_name(role) for role in roles)
    except (ValueError, TypeError, AttributeError):
        raise TokenRefusedError("claims") from None
    return Person(subject, _text(claims, "sid"), grants)


def _actors(claim: object, client_id: str) -> tuple[str, ...]:
    """Who acts (RFC 8693 §4.1): the newest first, who has to be the client."""
    actors: list[str] = []
    while claim is not None:
        if not isinstance(claim, dict) or not claim.keys() <= {"sub", "act"} or len(actors) == MOST_ACTORS:
            raise TokenRefusedError("claims")
        actors.append(_text(claim, "sub"))
        claim = claim.get("act")
    if not actors or actors[0] != client_id:
        raise TokenRefusedError("claims")
    return tuple(actors)


def _stands_for(claim: object) -> StandsFor:
    try:
        return StandsFor.of_claim(claim)
    except ValueError:
        raise TokenRefusedError("claims") from None


def _confirmation(claim: object) -> Confirmation:
    """What a token is bound to. One that is not known here is refused: ignored, it would bind nobody."""
    if not isinstance(claim, dict) or not claim or not claim.keys() <= {_CERTIFICATE, _KEY}:
        raise TokenRefusedError("claims")
    digests = {name: _sha256(value) for name, value in claim.items()}
    certificate = digests.get(_CERTIFICATE)
    return Confirmation(certificate.hex() if certificate is not None else None, claim.get(_KEY))


def _sha256(text: object) -> bytes:
    try:
        digest = decoded(text) if isinstance(text, str) else b""
    except NotJwsError:
        digest = b""
    if len(digest) != _SHA256_BYTES:
        raise TokenRefusedError("claims")
    return digest


def _time(claims: dict[str, Any], name: str) -> float:
    moment = numeric_date(claims.get(name))
    if moment is None:
        raise TokenRefusedError("claims")
    return moment
