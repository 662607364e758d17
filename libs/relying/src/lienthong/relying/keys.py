"""The keys that a provider publishes (RFC 7517 §5), and which of them may verify what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ALGORITHMS: Final[Mapping[str, tuple[str, str]]] = {
    "RS256": ("RSA", ""),
    "RS384": ("RSA", ""),
    "RS512": ("RSA", ""),
    "PS256": ("RSA", ""),
    "PS384": ("RSA", ""),
    "PS512": ("RSA", ""),
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "EdDSA": ("OKP", "Ed25519"),
    "Ed25519": ("OKP", "Ed25519"),
}
"""The algorithms that can be allowed (RFC 7518 §3.1, RFC 8037, RFC 9864), each with the type and the curve of
its keys. None of them is made with a secret that both sides know, and `none` is not among them."""
_MOST_KEYS: Final = 100
_RSA_BITS: Final = range(2048, 8193)
_TYPES: Final[dict[str, type[ECKey | OKPKey | RSAKey]]] = {"EC": ECKey, "OKP": OKPKey, "RSA": RSAKey}
_MATERIAL: Final = {"EC": ("kty", "crv", "x", "y"), "OKP": ("kty", "crv", "x"), "RSA": ("kty", "n", "e")}
_LONGEST_NUMBER: Final = 2_048

_JoseKey: TypeAlias = ECKey | OKPKey | RSAKey


@dataclass(frozen=True, slots=True, eq=False)
class VerifyingKey:
    """A public key; `algorithm` is the only one that it verifies where it names one."""

    key_id: str | None
    algorithm: str | None
    kind: tuple[str, str]
    key: _JoseKey

    def fits(self, algorithm: str) -> bool:
        """Whether it may verify this algorithm (RFC 8725 §3.1)."""
        return self.algorithm in (None, algorithm) and ALGORITHMS.get(algorithm) == self.kind

    def verifies(self, algorithm: str, signed: bytes, signature: bytes) -> bool:
        """Whether it has signed these bytes."""
        model = JWSRegistry.algorithms[algorithm]
        try:
            return bool(model.verify(signed, signature, self.key))
        except (JoseError, ValueError):
            return False


def read_keys(document: Mapping[str, Any]) -> tuple[VerifyingKey, ...]:
    """The keys of a JWK set that can verify here. Others are passed over: a provider may have keys for much
    else, and one that nobody can read must not keep people out."""
    entries = document.get("keys")
    if not isinstance(entries, list):
        return ()
    found = (_read(entry) for entry in entries[:_MOST_KEYS] if isinstance(entry, dict))
    return tuple(key for key in found if key is not None)


def chosen(keys: Sequence[VerifyingKey], key_id: str | None, algorithm: str) -> VerifyingKey | None:
    """The key that a token names; without a name the only one that fits (OpenID Connect Core §10.1)."""
    fitting = [key for key in keys if key.fits(algorithm) and key_id in (None, key.key_id)]
    return fitting[0] if len(fitting) == 1 or (fitting and key_id is not None) else None


def _read(entry: dict[str, Any]) -> VerifyingKey | None:
    kind, use, operations = entry.get("kty"), entry.get("use"), entry.get("key_ops")
    key_id, algorithm = entry.get("kid"), entry.get("alg")
    if kind not in _TYPES or use not in (None, "sig"):
        return None
    if operations is not None and (not isinstance(operations, list) or "verify" not in operations):
        return None
    if not isinstance(key_id, str | None) or not isinstance(algorithm, str | None):
        return None
    # Nothing but what makes a public key: a private half that somebody publishes by mistake is not read.
    material = {name: entry.get(name) for name in _MATERIAL[kind]}
    numbers = {name: part for name, part in material.items() if isinstance(part, str)}
    if len(numbers) < len(material) or any(len(part) > _LONGEST_NUMBER for part in numbers.values()):
        return None
    try:
        key = _TYPES[kind].import_key(dict(numbers))
        curve = "" if isinstance(key, RSAKey) else key.curve_name
        if isinstance(key, RSAKey) and key.raw_value.key_size not in _RSA_BITS:
            return None
    except (JoseError, ValueError, TypeError):
        return None
    return VerifyingKey(key_id, algorithm, (kind, curve), key)
