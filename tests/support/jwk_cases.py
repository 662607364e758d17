"""Keys that every reader of keys must judge alike: the catalog, identity, the verifier of tokens and the SDK.

Fresh keys under fixed names: a test's id holds the name, for a key in it would differ in each collection.
"""

from __future__ import annotations

import base64
import math
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey


def _encoded(number: int) -> str:
    octets = number.to_bytes((number.bit_length() + 7) // 8)
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _spare_bits(text: str) -> str:
    """The same bytes with a bit set in the last character that belongs to none of them."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + letters[letters.index(text[-1]) + 1]


def _product_of_bits(bits: int, factor: int) -> int:
    """An odd multiple of a factor, of exactly so many bits."""
    number = (3 << (bits - 2)) // factor | 1
    return number * factor


def _roca_modulus() -> int:
    """A product of two numbers of the form k*M + (65537**a mod M); that they are prime plays no part."""
    product = math.prod(n for n in range(2, 702) if all(n % d for d in range(2, math.isqrt(n) + 1)))
    halves = [k * product + pow(65537, a, product) for k, a in ((2**60 + 5, 12_345), (2**60 + 9, 98_765))]
    modulus = halves[0] * halves[1]
    assert 2048 <= modulus.bit_length() <= 8192
    return modulus


SMALL_ORDER = {
    name: bytes.fromhex(text)
    for name, text in {
        "1": "01" + "00" * 31,
        "2": "ec" + "ff" * 30 + "7f",
        "4": "00" * 32,
        "4, the other": "00" * 31 + "80",
        "8": "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "8, the second": "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "8, the third": "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "8, the fourth": "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    }.items()
}
"""All eight points, in their canonical encodings."""
NOT_CANONICAL = {
    name: bytes.fromhex(text)
    for name, text in {
        "y equal to p": "ed" + "ff" * 30 + "7f",
        "y above p": "ee" + "ff" * 30 + "7f",
        "y above p, and a sign": "ee" + "ff" * 31,
        "all bits": "ff" * 32,
        "the sign of zero": "01" + "00" * 30 + "80",
        "the sign of zero, y = -1": "ec" + "ff" * 31,
    }.items()
}


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


def _with_point(point: bytes) -> dict[str, Any]:
    return {**public(_OKP), "x": _text(point)}


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
    "RSA with the exponent 3": {**public(_RSA), "e": "Aw"},
    "RSA with an exponent of 33 bits": {**public(_RSA), "e": _encoded((1 << 32) + 1)},
    "RSA with an even exponent above 65537": {**public(_RSA), "e": _encoded(65_538)},
    "RSA with a small factor": {**public(_RSA), "n": _encoded(_product_of_bits(2048, 9973))},
    "RSA with factors side by side": {**public(_RSA), "n": _encoded((2**1024 - 105) * (2**1024 - 179))},
    "RSA with a square": {**public(_RSA), "n": _encoded((2**1024 - 105) ** 2)},
    "RSA of a faulty smart card": {**public(_RSA), "n": _encoded(_roca_modulus())},
    "RSA with a zero before the modulus": {
        **public(_RSA),
        "n": _text(b"\0" + base64.urlsafe_b64decode(_RSA["n"] + "==")),
    },
    "RSA with a zero before the exponent": {**public(_RSA), "e": "AAEAAQ"},
    "a spelling with bits to spare": {**public(_OKP), "x": _spare_bits(_OKP["x"])},
    "RSA exponent with bits to spare": {**public(_RSA), "e": "AQAC" + "AR"},
    **{f"Ed25519 of order {name}": _with_point(point) for name, point in SMALL_ORDER.items()},
    **{f"Ed25519 with {name}": _with_point(point) for name, point in NOT_CANONICAL.items()},
    "Ed25519 off the curve": {**public(_OKP), "x": _text(b"\x02" + bytes(31))},
    "EC with a coordinate above the field": {**public(_EC), "x": _text(b"\xff" * 32)},
    "EC at the origin": {**public(_EC), "x": _text(bytes(32)), "y": _text(bytes(32))},
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
