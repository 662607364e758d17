"""Two systems whose RSA keys have a prime in common are told so."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from lienthong.catalog.systems.domain.shared_factors import comparison_seconds, rsa_keys, shared_factors


def jwk(modulus: int) -> dict[str, Any]:
    octets = modulus.to_bytes((modulus.bit_length() + 7) // 8)
    return {"kty": "RSA", "e": "AQAB", "n": base64.urlsafe_b64encode(octets).rstrip(b"=").decode()}


@pytest.fixture(scope="module")
def primes() -> list[int]:
    """Six different primes of 1,024 bits."""
    made = [
        rsa.generate_private_key(public_exponent=65537, key_size=2048).private_numbers() for _ in range(3)
    ]
    return [prime for numbers in made for prime in (numbers.p, numbers.q)]


def test_a_prime_in_common_is_found_with_registered_and_with_new_keys(primes: list[int]) -> None:
    p, q, r, s, t, u = primes
    elliptic = {"kty": "EC", "crv": "P-256", "x": "x", "y": "y"}
    new = list(rsa_keys({"keys": [elliptic, jwk(p * q), jwk(r * s), jwk(t * u)]}, ("spec", "jwks")))
    assert [key.modulus for key in new] == [p * q, r * s, t * u]

    assert shared_factors(new, []) == []
    assert shared_factors(new, [p * q, r * s]) == []
    assert [found.path for found in shared_factors(new, [q * r])] == [
        ("spec", "jwks", "keys", 1),
        ("spec", "jwks", "keys", 2),
    ]
    (found,) = shared_factors(new, [u * (2**1024 - 105)])
    assert found.path == ("spec", "jwks", "keys", 3)
    assert "a prime in common with another registered key" in found.text.en


def test_a_prime_in_common_among_new_keys_is_told_of_both(primes: list[int]) -> None:
    p, q, r, *_ = primes
    new = list(rsa_keys({"keys": [jwk(p * q), jwk(q * r)]}))
    assert [found.path for found in shared_factors(new, [])] == [("keys", 0), ("keys", 1)]


def test_what_comparing_may_cost_grows_with_number_and_size(primes: list[int]) -> None:
    p, q, *_ = primes
    (key,) = rsa_keys({"keys": [jwk(p * q)]})
    assert comparison_seconds([key], []) < comparison_seconds([key], [3] * 1000) < 2
    assert comparison_seconds([key] * 700, [3]) < 60
