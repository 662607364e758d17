"""Keys whose private half others can find, or that are written in more than one way, are told apart."""

from __future__ import annotations

import math
import time
from fractions import Fraction

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lienthong.kit.edwards25519 import _ORDER, _P, PointFault, _add, _times, _x_of, point_fault
from lienthong.kit.jwk import KeyFault, refusals
from lienthong.kit.weak_rsa import _ROCA, ModulusFault, modulus_fault, shares_a_factor
from tests.support.jwk_cases import NOT_CANONICAL, SMALL_ORDER, WRONG_PUBLIC

PRIMES = [2**1024 - 105, 2**1024 - 179, 2**1024 - 303, 2**1024 - 315]


def encoded(point: tuple[int, int, int, int]) -> bytes:
    x, y = (part * pow(point[2], -1, _P) % _P for part in point[:2])
    return (y | (x & 1) << 255).to_bytes(32, "little")


def decoded(key: bytes) -> tuple[int, int, int, int]:
    number = int.from_bytes(key, "little")
    y = number & (2**255 - 1)
    x = _x_of(y)
    assert x is not None
    if x & 1 != number >> 255:
        x = -x % _P
    return x, y, 1, x * y % _P


def fresh() -> bytes:
    return Ed25519PrivateKey.generate().public_key().public_bytes_raw()


def test_keys_that_libraries_make_are_good() -> None:
    for _ in range(5):
        assert point_fault(fresh()) is None
    for bits in (2048, 3072):
        key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
        assert modulus_fault(key.public_key().public_numbers().n) is None


@pytest.mark.parametrize("name", SMALL_ORDER)
def test_a_point_of_small_order_is_no_key(name: str) -> None:
    assert point_fault(SMALL_ORDER[name]) is PointFault.SMALL_ORDER


@pytest.mark.parametrize("name", NOT_CANONICAL)
def test_a_second_spelling_of_a_point_is_no_key(name: str) -> None:
    assert point_fault(NOT_CANONICAL[name]) is PointFault.NOT_CANONICAL


def test_a_key_with_a_part_of_small_order_is_no_key() -> None:
    key = decoded(fresh())
    assert point_fault(encoded(key)) is None
    for name in list(SMALL_ORDER)[1:]:
        mixed = encoded(_add(key, decoded(SMALL_ORDER[name])))
        assert point_fault(mixed) is PointFault.MIXED_ORDER, name


def test_half_of_all_y_are_on_the_curve() -> None:
    found = {point_fault(y.to_bytes(32, "little")) for y in range(2, 12)}
    assert PointFault.NOT_ON_CURVE in found
    assert found <= {PointFault.NOT_ON_CURVE, PointFault.MIXED_ORDER, None}
    assert _times(_ORDER, decoded(fresh()))[0] % _P == 0


def test_what_shows_in_a_modulus() -> None:
    assert modulus_fault(PRIMES[0] * PRIMES[1]) is ModulusFault.CLOSE_FACTORS
    assert modulus_fault(PRIMES[0] ** 2) is ModulusFault.CLOSE_FACTORS
    assert modulus_fault(PRIMES[0] * 9973) is ModulusFault.SMALL_FACTOR
    assert modulus_fault(PRIMES[0] * (2**1000 - 1245)) is None


def test_the_fingerprint_meets_no_ordinary_key() -> None:
    chance = math.prod(Fraction(len(powers), prime - 1) for prime, powers in _ROCA.items())
    assert chance < Fraction(1, 2**27)


def test_a_factor_in_common_is_found_among_many() -> None:
    others = [PRIMES[1] * PRIMES[2], (2**1000 - 1245) * (2**1000 - 9)]
    assert shares_a_factor(PRIMES[0] * PRIMES[1], others)
    assert not shares_a_factor(PRIMES[0] * PRIMES[3], others)
    same = PRIMES[0] * PRIMES[3]
    assert not shares_a_factor(same, [same, *others])


def test_weakness_is_told_apart_from_damage() -> None:
    faults = {
        "RSA of a faulty smart card": (KeyFault.WEAK, "ROCA"),
        "RSA with a small factor": (KeyFault.WEAK, "small factor"),
        "RSA with factors side by side": (KeyFault.WEAK, "nearly the same"),
        "Ed25519 of order 8": (KeyFault.WEAK, "small order"),
        "Ed25519 with y above p": (KeyFault.BROKEN, "canonical"),
        "Ed25519 off the curve": (KeyFault.BROKEN, "not on the curve"),
        "EC with a coordinate above the field": (KeyFault.BROKEN, "not on the curve"),
        "RSA with the exponent 3": (KeyFault.BROKEN, "65537"),
        "RSA with a zero before the modulus": (KeyFault.BROKEN, "zero bytes"),
        "a spelling with bits to spare": (KeyFault.BROKEN, "bits that belong to no byte"),
    }
    for name, (fault, words) in faults.items():
        (refusal,) = refusals(WRONG_PUBLIC[name])
        assert refusal.fault is fault, name
        assert words in refusal.text.en, name


def test_a_key_of_the_largest_size_is_judged_quickly() -> None:
    """Bounded by its size: this would take minutes if anything were factored."""
    modulus = next(number for number in range(2**8191 + 1, 2**8192, 2) if modulus_fault(number) is None)
    began = time.process_time()
    for _ in range(10):
        modulus_fault(modulus)
    assert time.process_time() - began < 1.0
