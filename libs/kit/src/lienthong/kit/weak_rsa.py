"""RSA moduli whose factors others can find: what shows in the number itself, at a cost that is bounded.

Each test costs less than a millisecond at 8,192 bits. What would cost more is not done: whether the modulus
is a prime (a second at 8,192 bits), or the general factoring of anything.
"""

from __future__ import annotations

import math
from enum import Enum
from typing import TYPE_CHECKING, Final

from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SMALL_FACTORS_BELOW: Final = 10_000
_FERMAT_STEPS: Final = 16


class ModulusFault(Enum):
    """How the factors of a modulus can be found, and what its owner is told."""

    SMALL_FACTOR = BilingualText(
        "the modulus has a small factor; make a new key", "modulus có ước số nhỏ; hãy tạo khoá mới"
    )
    """NIST SP 800-89 section 5.3.3 asks for factors up to 752; twelve times as many cost next to nothing."""
    CLOSE_FACTORS = BilingualText(
        "the modulus has two factors that are nearly the same; make a new key, with another program",
        "hai thừa số của modulus gần bằng nhau; hãy tạo khoá mới bằng chương trình khác",
    )
    """Fermat's method finds them (CVE-2022-26320)."""
    ROCA = BilingualText(
        "the key was made by a faulty library (ROCA, CVE-2017-15361); make a new key, elsewhere",
        "khoá được tạo bởi thư viện có lỗi (ROCA, CVE-2017-15361); hãy tạo khoá mới ở nơi khác",
    )
    """The fingerprint of a library for smart cards."""


def modulus_fault(modulus: int) -> ModulusFault | None:
    """What shows in an odd modulus; None if nothing does."""
    if math.gcd(modulus, _PRIMORIAL) != 1:
        return ModulusFault.SMALL_FACTOR
    if _has_close_factors(modulus):
        return ModulusFault.CLOSE_FACTORS
    if all(modulus % prime in powers for prime, powers in _ROCA.items()):
        return ModulusFault.ROCA
    return None


def shares_a_factor(modulus: int, others: Iterable[int]) -> bool:
    """Whether the modulus has a factor in common with another one that is not the same number.

    One multiplication for each of `others`, and one greatest common divisor (Heninger and others, 2012).
    """
    product = 1
    for other in others:
        if other != modulus:
            product = product * other % modulus
    return math.gcd(product, modulus) != 1


def _has_close_factors(modulus: int) -> bool:
    """With factors p and q, (p+q)/2 is the root of the modulus or a little more."""
    middle = math.isqrt(modulus - 1) + 1
    for _ in range(_FERMAT_STEPS):
        rest = middle * middle - modulus
        if math.isqrt(rest) ** 2 == rest:
            return True
        middle += 1
    return False


def _primes(below: int) -> list[int]:
    sieve = bytearray([1]) * below
    for number in range(2, math.isqrt(below) + 1):
        if sieve[number]:
            sieve[number * number :: number] = bytes(len(range(number * number, below, number)))
    return [number for number in range(2, below) if sieve[number]]


def _powers_of_65537(prime: int) -> frozenset[int]:
    powers, power = {1}, 65537 % prime
    while power not in powers:
        powers.add(power)
        power = power * 65537 % prime
    return frozenset(powers)


_PRIMORIAL: Final = math.prod(_primes(_SMALL_FACTORS_BELOW))
# Primes of the faulty library are k*M + (65537**a mod M), M the product of the first 39 primes or more:
# so the modulus is a power of 65537 by each of them. Of other moduli about one in 2**27 is.
_ROCA: Final[Mapping[int, frozenset[int]]] = {
    prime: powers for prime in _primes(168)[1:] if len(powers := _powers_of_65537(prime)) < prime - 1
}
