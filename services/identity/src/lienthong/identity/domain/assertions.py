"""Client assertions (RFC 7523 §2.2 and §3): JWTs by which clients authenticate.

Form, header and claims are checked before the client is looked up, so that a refusal depends on the assertion
alone and does not reveal which clients exist. The signature is checked last.
"""

import json
import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NoReturn

from joserfc.errors import JoseError
from joserfc.jws import CompactSignature, JWSRegistry, extract_compact
from joserfc.util import urlsafe_b64decode

from lienthong.kit.json_text import is_portable_text
from lienthong.kit.jwk import ALGORITHMS, ALIASES, PublicKey

MAX_ASSERTION: Final = 16_384
"""Characters; the largest usual assertion (PS256 with an 8,192-bit key) has fewer than 3,000."""
MAX_CLIENT_ID: Final = 255
MAX_ASSERTION_ID: Final = 256

ISSUED_AHEAD: Final = timedelta(minutes=1)
"""How far ahead of the clock here an assertion may have been issued. `iat` tells its age and is no not-before
(RFC 7519 §4.1.6); beyond it the client's clock is wrong, and FAPI 2.0 §5.3.2.1 wants it refused."""
_TYPES: Final = frozenset({"jwt", "client-authentication+jwt"})
_FOREIGN_KEYS: Final = ("jwk", "jku", "x5u", "x5c")


class _Registry(JWSRegistry):
    max_header_length = 4096
    max_payload_length = 8192
    max_signature_length = 2048


_REGISTRY: Final = _Registry(algorithms=ALGORITHMS)


class AssertionRefusedError(Exception):
    """The assertion is not accepted; `reason` is one of the keys of `errors.ASSERTION_REASONS`."""

    def __init__(self, reason: str, seconds: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.seconds = seconds
        """How far the time that it states lies from the clock here, where that is the reason."""


@dataclass(frozen=True, slots=True)
class AssertionRules:
    """What every assertion must keep to.

    `audiences` are the names of this server, its issuer and its token endpoint. `lifetime` bounds how far
    ahead an assertion may expire, and so how long its `jti` must be stored. `leeway` allows for clocks that
    differ.
    """

    audiences: frozenset[str]
    lifetime: timedelta
    leeway: timedelta


@dataclass(frozen=True, slots=True)
class Assertion:
    """An assertion whose form, header and claims are valid; `signed_by` checks its signature."""

    client_id: str
    assertion_id: str
    expires_at: float
    algorithm: str
    key_id: str | None
    signing_input: bytes
    signature: bytes

    def candidates(self, keys: Iterable[PublicKey]) -> tuple[PublicKey, ...]:
        """The keys that may have signed: the one that `kid` names, or without it all of the algorithm."""
        return tuple(
            key
            for key in keys
            if key.algorithm == self.algorithm and (self.key_id is None or key.named(self.key_id))
        )

    def signed_by(self, keys: Iterable[PublicKey]) -> PublicKey | None:
        """The key whose signature it is; None if it is of none of them."""
        chosen = self.candidates(keys)
        return next((key for key in chosen if key.verifies(self.signing_input, self.signature)), None)


def read_assertion(text: str, *, rules: AssertionRules, now: datetime) -> Assertion:
    """Read an assertion in compact form and check everything but the signature.

    Raises:
        AssertionRefusedError: with the first reason found.
    """
    jws = _parse(text)
    algorithm, key_id = _read_header(jws.headers())
    claims = _parse_claims(jws.payload)
    client_id = _read_client(claims)
    _check_audience(claims.get("aud"), rules.audiences)
    expires_at = _check_times(claims, rules, now.timestamp())
    assertion_id = claims.get("jti")
    if not isinstance(assertion_id, str) or not 1 <= len(assertion_id) <= MAX_ASSERTION_ID:
        raise AssertionRefusedError("jti")
    header, _, rest = text.encode("ascii").partition(b".")
    payload, _, signature = rest.partition(b".")
    return Assertion(
        client_id=client_id,
        assertion_id=assertion_id,
        expires_at=expires_at,
        algorithm=algorithm,
        key_id=key_id,
        signing_input=header + b"." + payload,
        signature=_decode_signature(signature),
    )


def _parse(text: str) -> CompactSignature:
    if len(text) > MAX_ASSERTION or not text.isascii():
        raise AssertionRefusedError("malformed")
    try:
        jws = extract_compact(text.encode("ascii"), registry=_REGISTRY)
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise AssertionRefusedError("malformed") from error
    if not isinstance(jws.headers(), dict):
        raise AssertionRefusedError("malformed")
    return jws


def _decode_signature(encoded: bytes) -> bytes:
    try:
        return urlsafe_b64decode(encoded)
    except ValueError as error:
        raise AssertionRefusedError("malformed") from error


def _read_header(header: dict[str, Any]) -> tuple[str, str | None]:
    # RFC 7515 §4.1.11: a critical extension that is not understood is refused; none is understood here.
    if "crit" in header or "b64" in header:
        raise AssertionRefusedError("crit")
    if any(name in header for name in _FOREIGN_KEYS):
        raise AssertionRefusedError("foreign_key")
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower().removeprefix("application/") not in _TYPES:
        raise AssertionRefusedError("typ")
    named = header.get("alg")
    if not isinstance(named, str) or ALIASES.get(named, named) not in ALGORITHMS:
        raise AssertionRefusedError("alg")
    key_id = header.get("kid")
    if key_id is not None and not isinstance(key_id, str):
        raise AssertionRefusedError("malformed")
    return ALIASES.get(named, named), key_id


def _parse_claims(payload: bytes) -> dict[str, Any]:
    try:
        claims = json.loads(payload.decode("utf-8"), parse_constant=_no_such_number)
    except (ValueError, RecursionError) as error:
        raise AssertionRefusedError("malformed") from error
    if not isinstance(claims, dict):
        raise AssertionRefusedError("malformed")
    return claims


def _no_such_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON number")


def _read_client(claims: dict[str, Any]) -> str:
    issuer, subject = claims.get("iss"), claims.get("sub")
    if not isinstance(issuer, str) or issuer != subject or not 1 <= len(issuer) <= MAX_CLIENT_ID:
        raise AssertionRefusedError("iss_sub")
    # It is looked up in the database, which takes no other text.
    if not is_portable_text(issuer):
        raise AssertionRefusedError("iss_sub")
    return issuer


def _check_audience(audience: object, names: Collection[str]) -> None:
    # Another server that is also an audience could present the assertion here.
    meant_for = audience if isinstance(audience, list) else [audience]
    if not meant_for or not all(isinstance(name, str) and name in names for name in meant_for):
        raise AssertionRefusedError("aud")


def _check_times(claims: dict[str, Any], rules: AssertionRules, now: float) -> float:
    leeway, lifetime = rules.leeway.total_seconds(), rules.lifetime.total_seconds()
    expires_at = _moment(claims, "exp")
    issued_at = _moment(claims, "iat")
    not_before = _moment(claims, "nbf")
    if expires_at is None:
        raise AssertionRefusedError("exp")
    if expires_at + leeway <= now:
        raise AssertionRefusedError("expired", now - expires_at)
    if expires_at > now + lifetime + leeway:
        raise AssertionRefusedError("lifetime")
    if issued_at is not None:
        if issued_at > now + ISSUED_AHEAD.total_seconds():
            raise AssertionRefusedError("future", issued_at - now)
        if expires_at - issued_at > lifetime + leeway:
            raise AssertionRefusedError("lifetime")
    if not_before is not None and not_before > now + leeway:
        raise AssertionRefusedError("future", not_before - now)
    return expires_at


def _moment(claims: dict[str, Any], name: str) -> float | None:
    """A NumericDate (RFC 7519 §2); booleans and numbers beyond a float are refused."""
    if name not in claims:
        return None
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise AssertionRefusedError("times")
    try:
        moment = float(value)
    except OverflowError as error:
        raise AssertionRefusedError("times") from error
    if not math.isfinite(moment):
        raise AssertionRefusedError("times")
    return moment
