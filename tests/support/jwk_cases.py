"""Keys that every reader of keys must judge alike: the catalog, identity, the verifier of tokens and the SDK.

Fresh keys under fixed names: a test's id holds the name, for a key in it would differ in each collection.
"""

from __future__ import annotations

import base64
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey


def _encoded(number: int) -> str:
    octets = number.to_bytes((number.bit_length() + 7) // 8)
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _short_rsa() -> dict[str, Any]:
    """1,024 bits, which joserfc would not make."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024).private_numbers()  # noqa: S505
    numbers = {"n": key.public_numbers.n, "e": key.public_numbers.e, "d": key.d, "p": key.p, "q": key.q}
    numbers |= {"dp": key.dmp1, "dq": key.dmq1, "qi": key.iqmp}
    return {"kty": "RSA", **{name: _encoded(number) for name, number in numbers.items()}}


_EC: dict[str, Any] = dict(ECKey.generate_key("P-256").as_dict(private=True))
_OKP: dict[str, Any] = dict(OKPKey.generate_key("Ed25519").as_dict(private=True))
_RSA: dict[str, Any] = dict(RSAKey.generate_key(2048).as_dict(private=True))


def public(jwk: dict[str, Any]) -> dict[str, Any]:
    """The public half of a key pair."""
    return {name: value for name, value in jwk.items() if name not in {"d", "p", "q", "dp", "dq", "qi"}}


GOOD_PAIRS: dict[str, tuple[dict[str, Any], str]] = {
    "EC P-256": (_EC, "ES256"),
    "OKP Ed25519": (_OKP, "EdDSA"),
    "RSA 2048": (_RSA, "PS256"),
}
"""Key pairs that are accepted everywhere, with the algorithm that they get."""

WRONG_PAIRS: dict[str, dict[str, Any]] = {
    "EC P-384": dict(ECKey.generate_key("P-384").as_dict(private=True)),
    "EC secp256k1": dict(ECKey.generate_key("secp256k1").as_dict(private=True)),
    "OKP X25519": dict(OKPKey.generate_key("X25519").as_dict(private=True)),
    "OKP Ed448": dict(OKPKey.generate_key("Ed448").as_dict(private=True)),
    "RSA 1024": _short_rsa(),
}
"""Key pairs of kinds that are refused everywhere."""

WRONG_PUBLIC: dict[str, object] = {
    **{name: public(pair) for name, pair in WRONG_PAIRS.items()},
    "a symmetric key": dict(OctKey.generate_key(256).as_dict()),
    "a private key": _EC,
    "RSA of 10,240 bits": {**public(_RSA), "n": _encoded((1 << 10_239) + 1)},
    "RSA with an even modulus": {**public(_RSA), "n": _encoded(1 << 2047)},
    "RSA with an even exponent": {**public(_RSA), "e": "Ag"},
    "use enc": {**public(_EC), "use": "enc"},
    "key_ops sign": {**public(_EC), "key_ops": ["sign"]},
    "alg of another type": {**public(_EC), "alg": "EdDSA"},
    "alg RS256": {**public(_RSA), "alg": "RS256"},
    "kid as a number": {**public(_EC), "kid": 5},
    "kty as a list": {**public(_EC), "kty": ["EC"]},
    "a point off the curve": {**public(_EC), "x": _EC["y"]},
    "x with padding": {**public(_OKP), "x": _OKP["x"] + "="},
    "x too short": {**public(_OKP), "x": "AA"},
    "no members": {},
    "no object": "EC",
}
"""What no reader of public keys accepts."""
