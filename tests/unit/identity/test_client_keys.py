"""A key verifies the one algorithm of its type, or nothing."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from lienthong.identity.domain.client_keys import (
    MAX_KEYS,
    client_key,
    client_keys,
    client_keys_of_text,
    decoy_keys,
)
from tests.support.jwk_cases import GOOD_PAIRS, WRONG_PUBLIC, public

EC: dict[str, Any] = dict(ECKey.generate_key("P-256").as_dict(private=False))
OKP: dict[str, Any] = dict(OKPKey.generate_key("Ed25519").as_dict(private=False))
RSA: dict[str, Any] = dict(RSAKey.generate_key(2048).as_dict(private=False))


@pytest.mark.parametrize(("jwk", "algorithm"), [(EC, "ES256"), (OKP, "EdDSA"), (RSA, "PS256")])
def test_the_type_of_a_key_gives_its_algorithm(jwk: dict[str, Any], algorithm: str) -> None:
    for members in ({}, {"alg": algorithm}, {"use": "sig"}, {"key_ops": ["verify"]}):
        key = client_key({**jwk, **members})
        assert key is not None
        assert key.algorithm == algorithm


def test_the_name_of_rfc_9864_is_known() -> None:
    assert client_key({**OKP, "alg": "Ed25519"}) is not None


# Named: a key in a test's id would be another one in each collection.
LEFT_OUT: dict[str, object] = {
    "a private key": ECKey.generate_key("P-256").as_dict(private=True),
    "a symmetric key": OctKey.generate_key(256).as_dict(),
    "P-384": ECKey.generate_key("P-384").as_dict(private=False),
    "X25519": OKPKey.generate_key("X25519").as_dict(private=False),
    "Ed448": OKPKey.generate_key("Ed448").as_dict(private=False),
    "RSA with a short modulus": {**RSA, "n": RSA["n"][:171]},
    "RSA with a long modulus": {**RSA, "n": RSA["n"] * 5},
    "use enc": {**EC, "use": "enc"},
    "key_ops sign": {**EC, "key_ops": ["sign"]},
    "key_ops as text": {**EC, "key_ops": "verify"},
    "EC with alg HS256": {**EC, "alg": "HS256"},
    "alg as a number": {**EC, "alg": 5},
    "RSA with alg RS256": {**RSA, "alg": "RS256"},
    "a point off the curve": {**EC, "x": EC["y"]},
    "x null": {**EC, "x": None},
    "x not base64url": {**EC, "x": "***"},
    "EC as RSA": {**EC, "kty": "RSA"},
    "kty as a list": {**EC, "kty": ["EC"]},
    "RSA with a tiny modulus": {**RSA, "n": "AA"},
    "Ed25519 with a short x": {**OKP, "x": "AA"},
    "no members": {},
    "null": None,
    "text": "EC",
    "a list": [EC],
}


@pytest.mark.parametrize("jwk", LEFT_OUT.values(), ids=LEFT_OUT.keys())
def test_keys_that_may_not_verify_are_left_out(jwk: object) -> None:
    assert client_key(jwk) is None
    assert client_keys({"keys": [jwk, OKP]})[0].algorithm == "EdDSA"


@pytest.mark.parametrize("jwks", [None, [], {}, {"keys": None}, {"keys": {"kty": "EC"}}, "keys"])
def test_what_is_no_key_set_has_no_keys(jwks: object) -> None:
    assert client_keys(jwks) == ()


def test_the_work_that_a_key_set_can_cause_is_bounded() -> None:
    assert len(client_keys({"keys": [OKP] * 100})) == MAX_KEYS


def test_a_key_answers_to_its_id_and_its_thumbprint_and_one_without_an_id_to_any() -> None:
    key = client_key({**EC, "kid": "2026"})
    assert key is not None
    assert key.named("2026")
    assert key.named(key.thumbprint)
    assert not key.named("2027")
    unnamed = client_key(EC)
    assert unnamed is not None
    assert unnamed.named("2027")


def test_nobody_has_one_key_of_each_algorithm() -> None:
    assert [key.algorithm for key in decoy_keys()] == ["ES256", "EdDSA", "PS256"]


@given(
    st.dictionaries(
        st.sampled_from(["kty", "crv", "x", "y", "n", "e", "use", "alg", "kid", "key_ops"]),
        st.none() | st.booleans() | st.integers() | st.text(max_size=50) | st.lists(st.text(max_size=5)),
    )
)
def test_no_members_break_the_reader(members: dict[str, Any]) -> None:
    for jwk in (EC, OKP, RSA):
        key = client_key({**jwk, **members})
        assert key is None or key.algorithm in {"ES256", "EdDSA", "PS256"}


def test_text_is_read_once() -> None:
    assert client_keys_of_text('{"keys":[]}') is client_keys_of_text('{"keys":[]}')


@pytest.mark.parametrize("name", WRONG_PUBLIC)
def test_identity_uses_nothing_that_the_catalog_refuses(name: str) -> None:
    assert client_key(WRONG_PUBLIC[name]) is None


@pytest.mark.parametrize("name", GOOD_PAIRS)
def test_identity_uses_what_the_catalog_takes(name: str) -> None:
    pair, algorithm = GOOD_PAIRS[name]
    key = client_key(public(pair))
    assert key is not None
    assert key.algorithm == algorithm
