"""The public keys of a cluster, by which its API server signs tokens of service accounts (RFC 7517)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

from lienthong.identity.domain.service_accounts import AccountToken
from lienthong.kit.jws import decoded

LARGEST: Final = 256 * 1024
"""Bytes of a key set."""
_MOST_KEYS: Final = 32
_LEAST_BITS, _MOST_BITS = 2048, 8192
_BY_CURVE: Final = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}


class ClusterKeysUnreadableError(Exception):
    """What should be a key set is none; the text says why."""


@dataclass(frozen=True, slots=True)
class ClusterKey:
    """A public key, and the one algorithm that its type allows."""

    algorithm: str
    key: RSAKey | ECKey

    def signed(self, token: AccountToken) -> bool:
        """Whether the signature of a token is this key's."""
        if token.algorithm != self.algorithm:
            return False
        algorithm = JWSRegistry.algorithms[self.algorithm]
        try:
            return bool(algorithm.verify(token.signing_input, token.signature, self.key))
        except (JoseError, ValueError):
            return False


def read_cluster_keys(text: bytes) -> Mapping[str, ClusterKey]:
    """The keys of a JWK set by their ids; those that sign no tokens of service accounts are left out.

    Raises:
        ClusterKeysUnreadableError: it is no JWK set, or has no such key.
    """
    if len(text) > LARGEST:
        raise ClusterKeysUnreadableError("too large")
    try:
        listed = msgspec.json.decode(text, type=_KeySet).keys
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise ClusterKeysUnreadableError("not a JWK set") from None
    found = {}
    for jwk in listed[:_MOST_KEYS]:
        key = _key(jwk)
        if key is not None and isinstance(jwk.get("kid"), str):
            found[jwk["kid"]] = key
    if not found:
        raise ClusterKeysUnreadableError("no key in it is one that signs tokens of service accounts")
    return found


class _KeySet(msgspec.Struct):
    keys: list[dict[str, Any]]


def _key(jwk: dict[str, Any]) -> ClusterKey | None:
    if "d" in jwk or jwk.get("use", "sig") != "sig":
        return None
    try:
        if jwk.get("kty") == "RSA":
            # Before it is imported: what costs as much as its size must be bounded first.
            bits = int.from_bytes(decoded(str(jwk["n"])), "big").bit_length()
            if not _LEAST_BITS <= bits <= _MOST_BITS:
                return None
            rsa = RSAKey.import_key({name: str(jwk[name]) for name in ("kty", "n", "e")})
            return ClusterKey("RS256", rsa)
        if jwk.get("kty") == "EC" and jwk.get("crv") in _BY_CURVE:
            curve = ECKey.import_key({name: str(jwk[name]) for name in ("kty", "crv", "x", "y")})
            return ClusterKey(_BY_CURVE[jwk["crv"]], curve)
    except (JoseError, ValueError, KeyError, TypeError):
        pass
    return None
