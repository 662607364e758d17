"""The public keys of a client: which of them may verify an assertion, and with which algorithm.

A key verifies one algorithm only, given by its type: P-256 ES256, Ed25519 EdDSA, RSA of 2,048 bits or more
PS256. The algorithm is bound to the key here, once, so that nothing a caller writes into an assertion can
choose another (RFC 8725 §3.1). Keys that cannot be used are left out, never guessed at.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey, thumbprint
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64decode

ALGORITHMS: Final = ("ES256", "EdDSA", "PS256")
"""Algorithms of assertions, as FAPI 2.0 §5.4.1 allows them."""

ALIASES: Final[Mapping[str, str]] = {"Ed25519": "EdDSA"}
"""The same algorithm under the name that RFC 9864 gives it."""

MAX_KEYS: Final = 16
"""More keys of one client than this are not tried: each costs a signature check."""

_RSA_BITS: Final = range(2048, 8193)
_PUBLIC_MEMBERS: Final[Mapping[str, tuple[str, ...]]] = {
    "EC": ("crv", "x", "y"),
    "OKP": ("crv", "x"),
    "RSA": ("n", "e"),
}

_NOBODY: Final = {
    "keys": [
        {
            "kty": "EC",
            "crv": "P-256",
            "x": "7yzafxdjpi6tgkiRrmfgAVZzdGZqKuoCyE0en_fBSkg",
            "y": "FLB0yeBVJDyn2uLUcHPanqgfwTD_G_jvm60Ox91BnS4",
        },
        {"kty": "OKP", "crv": "Ed25519", "x": "gCm1bsfd01unCib89FosuGHbhxtADq7692FnfWQv7KI"},
        {
            "kty": "RSA",
            "e": "AQAB",
            "n": (
                "vnaB04VYcdng0T5-FuUs7v_A16vO_1fdsQDaZTxxm7uyayP8_KbAc6LX5nijVKr-NeYFEoWdqenA_0Mu1MKaZ2ru"
                "-414D4GxsXubdyieC82LQGpZMsTUMxBXV1TlDGnCXuPJTeFE3L9r_8-r6IF2bNCPOPKwAmDqolvAfmBrQXxhxCzJ"
                "RkRpXccoxuB8m56vjVUF0znZ1ewdpi8KErCWPTnNCEEpEQV_aqX0Swt3SMDOWXZRnuUc1AaYNYqqR-hZ6ajA0i2J"
                "y2MxterNfMhexrN_KJmFIDdSFRYwjBo2n8JhMfY7XxEVcUKdP8GJDemeKswZTqlPjRetxpCHPMvBOQ"
            ),
        },
    ]
}

PublicKey = ECKey | OKPKey | RSAKey


@dataclass(frozen=True, slots=True, eq=False)
class ClientKey:
    """One public key of a client and the only algorithm that it verifies."""

    algorithm: str
    thumbprint: str
    key_id: str | None
    key: PublicKey

    def named(self, key_id: str) -> bool:
        """Whether an assertion's `kid` means this key: its own id, or its RFC 7638 thumbprint."""
        return key_id in (self.key_id, self.thumbprint)

    def verifies(self, signing_input: bytes, signature: bytes) -> bool:
        """Whether the signature over the bytes was made with this key's private half."""
        try:
            return JWSRegistry.algorithms[self.algorithm].verify(signing_input, signature, self.key)
        except (JoseError, ValueError):
            return False


def client_key(jwk: object) -> ClientKey | None:
    """Read one JWK (RFC 7517); None if it is no public key that may verify assertions."""
    if not isinstance(jwk, dict) or jwk.get("use", "sig") != "sig" or "d" in jwk:
        return None
    named = jwk.get("alg")
    if named is not None and not isinstance(named, str):
        return None
    operations = jwk.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        return None
    members = _PUBLIC_MEMBERS.get(str(jwk.get("kty")))
    if members is None or not all(isinstance(jwk.get(member), str) for member in members):
        return None
    public = {"kty": jwk["kty"], **{member: jwk[member] for member in members}}
    try:
        algorithm, key = _usable(public)
    except (JoseError, ValueError, KeyError):
        return None
    if named is not None and ALIASES.get(named, named) != algorithm:
        return None
    key_id = jwk.get("kid")
    return ClientKey(algorithm, thumbprint(public), key_id if isinstance(key_id, str) else None, key)


def client_keys(jwks: object) -> tuple[ClientKey, ...]:
    """Read the usable keys of a JWK set, at most `MAX_KEYS`."""
    listed = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(listed, list):
        return ()
    found = (client_key(jwk) for jwk in listed)
    return tuple(key for key in found if key is not None)[:MAX_KEYS]


@lru_cache(maxsize=4096)
def client_keys_of_text(jwks: str) -> tuple[ClientKey, ...]:
    """Like `client_keys`, for JSON text; remembered, for reading a key costs as much as a signature check."""
    return client_keys(json.loads(jwks))


@lru_cache(maxsize=1)
def nobodys_keys() -> tuple[ClientKey, ...]:
    """One key of each algorithm that nobody has, to check a signature in vain."""
    return client_keys(_NOBODY)


def _usable(public: dict[str, str]) -> tuple[str, PublicKey]:
    if public["kty"] == "EC":
        if public["crv"] != "P-256":
            raise ValueError("only P-256")
        return "ES256", ECKey.import_key({**public})
    if public["kty"] == "OKP":
        if public["crv"] != "Ed25519":
            raise ValueError("only Ed25519")
        return "EdDSA", OKPKey.import_key({**public})
    if int.from_bytes(urlsafe_b64decode(public["n"].encode())).bit_length() not in _RSA_BITS:
        raise ValueError("RSA keys have 2,048 to 8,192 bits")
    return "PS256", RSAKey.import_key({**public})
