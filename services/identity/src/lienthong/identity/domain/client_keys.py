"""The public keys of a client that may verify its assertions.

The kit's module `jwk` decides which keys are usable, for identity as for the catalog, where keys are
registered. Keys that are not usable are left out.
"""

import json
from functools import lru_cache
from typing import Final

from lienthong.kit.jwk import KeyRefusedError, PublicKey, read_public_key

MAX_KEYS: Final = 16
"""How many keys of a client are tried at most: each costs a signature check."""

_DECOYS: Final = {
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


def client_key(jwk: object) -> PublicKey | None:
    """Read one JWK; None if it is not a public key that may verify assertions."""
    try:
        return read_public_key(jwk)
    except KeyRefusedError:
        return None


def client_keys(jwks: object) -> tuple[PublicKey, ...]:
    """Read the usable keys of a JWK set, at most `MAX_KEYS`."""
    listed = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(listed, list):
        return ()
    found = (client_key(jwk) for jwk in listed)
    return tuple(key for key in found if key is not None)[:MAX_KEYS]


@lru_cache(maxsize=4096)
def client_keys_of_text(jwks: str) -> tuple[PublicKey, ...]:
    """Like `client_keys`, for JSON text; cached, because reading a key costs as much as a signature check."""
    return client_keys(json.loads(jwks))


@lru_cache(maxsize=1)
def decoy_keys() -> tuple[PublicKey, ...]:
    """One key of each algorithm whose private half nobody has: signature checks with them always fail."""
    return client_keys(_DECOYS)
