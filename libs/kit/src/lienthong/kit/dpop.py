"""DPoP proofs (RFC 9449 §4): a JWT, signed for one request, shows that its sender holds a private key.

A proof is read in two steps. `ProofReader.read` checks everything but the signature (§4.3): that costs
little, and a request that fails there has cost no more. `Proof.is_signed` checks the signature. Whoever takes
a proof only once remembers its `digest`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from lienthong.kit.jwk import ALGORITHMS, ALIASES, KeyRefusedError, PublicKey, read_public_key
from lienthong.kit.jws import NotJwsError, base64url, decoded, json_object, numeric_date, split
from lienthong.kit.request_uri import normal_uri

if TYPE_CHECKING:
    from collections.abc import Collection

    from lienthong.kit.clock import Clock
    from lienthong.kit.dpop_nonces import Nonces

HEADER: Final = "DPoP"
"""The field that carries a proof."""
NONCE_HEADER: Final = "DPoP-Nonce"
"""The field that gives the caller the nonce for its next proof (RFC 9449 §8.1)."""
MAX_PROOF: Final = 8192
"""Characters; one with an RSA key of 8,192 bits has about 4,000."""
MAX_ID: Final = 256
"""Characters of a `jti`."""
MAX_AGE_S: Final = 60
"""How old a proof may be, by its `iat`."""
LEEWAY_S: Final = 10
"""How much the clock of a caller may differ; FAPI 2.0 §5.3.2.1 wants ten seconds."""
_TYPES: Final = frozenset({"dpop+jwt", "application/dpop+jwt"})
_MOST_KEYS: Final = 2_000

Fault: TypeAlias = Literal[
    "missing", "several", "malformed", "typ", "alg", "crit", "jwk", "private_key", "claims", "jti", "htm",
    "htu", "ath", "nonce_missing", "nonce", "past", "future", "key", "signature", "used", "bearer", "unbound",
]  # fmt: skip
NONCE_FAULTS: Final[frozenset[Fault]] = frozenset({"nonce_missing", "nonce"})
"""What the caller mends by using the nonce that the answer gives it (RFC 9449 §8 and §9)."""


class ProofRefusedError(Exception):
    """A proof that does not show what it should; `fault` says why."""

    def __init__(self, fault: Fault, about: str = "") -> None:
        super().__init__(fault)
        self.fault: Fault = fault
        self.about = about
        """What the text on the fault names: a member, or a number of seconds."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof in which everything is right but perhaps its signature."""

    key: PublicKey
    nonce_from: int
    """When its nonce was given, in seconds since 1970."""
    digest: bytes
    """16 bytes that stand for its key and its `jti`."""
    _header: str
    _signed: bytes
    _signature: bytes

    def is_signed(self) -> bool:
        """Whether the holder of the key has signed it."""
        return self.key.verifies(self._signed, self._signature)


class ProofReader:
    """Reads proofs that were made for one of `origins`, such as `https://api.example`, with a nonce of
    `nonces`."""

    def __init__(self, origins: Collection[str], nonces: Nonces, clock: Clock) -> None:
        self._origins = tuple(dict.fromkeys(origins))
        self._nonces = nonces
        self._now = clock.now
        self._keys: dict[str, PublicKey] = {}

    def read(self, text: str, *, method: str, path: str, token: str | None = None) -> Proof:
        """Read the proof of a request (RFC 9449 §4.3), all but its signature.

        `path` is that of the request, percent-encoded and without its query, and `token` the access token
        that came with it.

        Raises:
            ProofRefusedError: with the first fault found.
        """
        # Two fields are one list to some readers (RFC 9110 §5.3); no proof has a comma in it.
        if "," in text:
            raise ProofRefusedError("several")
        try:
            header_part, payload_part, signature_part = split(text, MAX_PROOF)
            key = self._keys.get(header_part) or _key(json_object(header_part))
            claims = json_object(payload_part)
            signature = decoded(signature_part)
        except NotJwsError:
            raise ProofRefusedError("malformed") from None
        proof_id = _text(claims, "jti")
        if len(proof_id) > MAX_ID:
            raise ProofRefusedError("jti")
        if _text(claims, "htm") != method:
            raise ProofRefusedError("htm", method)
        self._check_address(_text(claims, "htu"), path)
        if token is not None and _text(claims, "ath") != token_hash(token):
            raise ProofRefusedError("ath")
        issued_at = numeric_date(claims.get("iat"))
        if issued_at is None:
            raise ProofRefusedError("claims", "iat")
        nonce_from = self._check_nonce(claims)
        self._check_age(issued_at)
        return Proof(
            key=key,
            nonce_from=nonce_from,
            digest=_digest(key.thumbprint, proof_id),
            _header=header_part,
            _signed=f"{header_part}.{payload_part}".encode("ascii"),
            _signature=signature,
        )

    def keep_key(self, proof: Proof) -> None:
        """Know the key of this proof at the next one: its header is the same each time, and to read a key
        costs as much as to check a signature. Only for proofs whose sender was found good."""
        if proof._header not in self._keys:  # noqa: SLF001  its own reader
            if len(self._keys) >= _MOST_KEYS:
                del self._keys[next(iter(self._keys))]
            self._keys[proof._header] = proof.key  # noqa: SLF001

    def fresh_nonce(self) -> str:
        """The nonce to give callers now."""
        return self._nonces.fresh()

    def _check_address(self, stated: str, path: str) -> None:
        for origin in self._origins:
            if stated == origin + path:
                return
        address = normal_uri(stated)
        if address is None or all(address != normal_uri(origin + path) for origin in self._origins):
            raise ProofRefusedError("htu", " / ".join(origin + path for origin in self._origins))

    def _check_nonce(self, claims: dict[str, Any]) -> int:
        nonce = claims.get("nonce")
        if nonce is None:
            raise ProofRefusedError("nonce_missing")
        given = self._nonces.given(nonce) if isinstance(nonce, str) else None
        if given is None:
            raise ProofRefusedError("nonce")
        return given

    def _check_age(self, issued_at: float) -> None:
        age = self._now().timestamp() - issued_at
        if age > MAX_AGE_S + LEEWAY_S:
            raise ProofRefusedError("past", f"{age:.0f}")
        if age < -LEEWAY_S:
            raise ProofRefusedError("future", f"{-age:.0f}")


def _key(header: dict[str, Any]) -> PublicKey:
    typ, algorithm = header.get("typ"), header.get("alg")
    if not isinstance(typ, str) or typ.lower() not in _TYPES:
        raise ProofRefusedError("typ")
    if not isinstance(algorithm, str) or ALIASES.get(algorithm, algorithm) not in ALGORITHMS:
        raise ProofRefusedError("alg")
    # No extension is known here, and one that is marked critical must be (RFC 7515 §4.1.11).
    if "crit" in header or "b64" in header:
        raise ProofRefusedError("crit")
    try:
        key = read_public_key(header.get("jwk"))
    except KeyRefusedError as error:
        raise ProofRefusedError("private_key" if error.is_secret else "jwk") from None
    if key.algorithm != ALIASES.get(algorithm, algorithm):
        raise ProofRefusedError("alg")
    return key


def token_hash(token: str) -> str:
    """The claim `ath` of a proof for this access token (RFC 9449 §4.2)."""
    return base64url(hashlib.sha256(token.encode("ascii")).digest())


def _digest(thumbprint: str, proof_id: str) -> bytes:
    # JSON strings may contain lone surrogates, which UTF-8 cannot encode.
    text = f"{thumbprint}\0{proof_id}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).digest()[:16]


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        raise ProofRefusedError("claims", name)
    return value
