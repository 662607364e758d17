"""Which keys a system may register."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from lienthong.catalog.systems.domain.public_keys import violations
from lienthong.kit.json_pointer import pointer
from tests.support.jwk_cases import GOOD_PAIRS, WRONG_PUBLIC, public

if TYPE_CHECKING:
    from lienthong.catalog.errors import Violation

_MODULUS_OF_1024_BITS = (
    "5YP0Pcpwpsbz7-7h2x_vU7odlIZ34xEATuh1YxW7K6_FUqvUd58l8M_ebe14mAcsznuFebBooXHHWIT_mgSkZn"
    "A-fTYiNo67593SeVpXdJ2e6brMZOYEPPnf13DIHRAzzENGv7-zOXTG5-okR5hdZQ4cGWwWpdJaYDQUlaoXbCU"
)


def _found(*keys: object) -> list[Violation]:
    return list(violations({"keys": list(keys)}))


def _ec(curve: str = "P-256", *, private: bool = False, **more: object) -> dict[str, Any]:
    return {**ECKey.generate_key(curve).as_dict(private=private), **more}


def _okp(curve: Literal["Ed25519", "X25519"] = "Ed25519", *, private: bool = False) -> dict[str, Any]:
    return dict(OKPKey.generate_key(curve).as_dict(private=private))


def _rsa(bits: int = 2048, *, private: bool = False) -> dict[str, Any]:
    return dict(RSAKey.generate_key(bits).as_dict(private=private))


def test_public_keys_of_the_three_kinds_are_accepted() -> None:
    assert _found(_ec(kid="a", use="sig", alg="ES256", key_ops=["verify"]), _okp(), _rsa()) == []


def test_a_system_may_have_no_key() -> None:
    assert _found() == []


@pytest.mark.parametrize("key", [_ec(private=True), _okp(private=True), _rsa(private=True)])
def test_private_keys_are_refused_and_declared_lost(key: dict[str, Any]) -> None:
    [found] = _found(key)
    assert pointer(found.path) == "/keys/0"
    assert "make a new one" in found.text.en
    assert "khoá bí mật" in found.text.vi
    assert key["d"] not in found.text.en + found.text.vi


@pytest.mark.parametrize("member", ["d", "p", "q", "dp", "dq", "qi", "oth", "k"])
def test_any_secret_member_gives_a_key_away(member: str) -> None:
    [found] = _found(_ec() | {member: "AAAA"})
    assert "secret" in found.text.en


def test_symmetric_keys_are_refused() -> None:
    assert "secret" in _found(OctKey.generate_key(256).as_dict(private=True))[0].text.en
    assert "secret" in _found({"kty": "oct"})[0].text.en


@pytest.mark.parametrize(
    "key",
    [
        _ec("P-384"),
        _okp("X25519"),
        {"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"},
        _ec() | {"y": _ec()["y"]},
        _ec() | {"x": "not base64url!"},
        _ec() | {"x": 5},
        {"kty": "OKP", "crv": "Ed25519"},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        {"kty": "dsa"},
        {},
        "key",
    ],
)
def test_keys_that_cannot_verify_are_refused(key: object) -> None:
    assert len(_found(key)) == 1


def test_rsa_needs_2048_bits_and_an_odd_exponent() -> None:
    assert "1024 bits" in _found({"kty": "RSA", "e": "AQAB", "n": _MODULUS_OF_1024_BITS})[0].text.en
    assert "exponent" in _found(_rsa() | {"e": "Ag"})[0].text.en


@pytest.mark.parametrize(
    ("member", "value"),
    [("alg", "RS256"), ("alg", "none"), ("use", "enc"), ("key_ops", ["sign"]), ("kid", ""), ("kid", 5)],
)
def test_a_key_for_something_else_is_refused(member: str, value: object) -> None:
    assert [pointer(found.path) for found in _found(_ec() | {member: value})] == [f"/keys/0/{member}"]


def test_a_kid_and_a_key_stand_once() -> None:
    key = _ec(kid="a")
    assert [pointer(found.path) for found in _found(key, _ec(kid="a"))] == ["/keys/1/kid"]
    assert [pointer(found.path) for found in _found(key, key | {"kid": "b"})] == ["/keys/1"]


def test_every_mistake_of_every_key_is_named() -> None:
    found = _found(_ec(private=True), _ec(alg="RS256", use="enc"), _okp())
    assert [pointer(one.path) for one in found] == ["/keys/0", "/keys/1/alg", "/keys/1/use"]


@pytest.mark.parametrize("jwks", [{}, {"keys": {}}, {"keys": [], "more": 1}])
def test_what_is_no_key_set_is_refused(jwks: dict[str, Any]) -> None:
    assert len(list(violations(jwks))) == 1


def test_the_number_of_keys_is_limited() -> None:
    assert [pointer(found.path) for found in _found(*(_ec() for _ in range(17)))] == ["/keys"]


@pytest.mark.parametrize("name", WRONG_PUBLIC)
def test_the_catalog_refuses_what_identity_would_not_use(name: str) -> None:
    assert _found(WRONG_PUBLIC[name])


@pytest.mark.parametrize("name", GOOD_PAIRS)
def test_the_catalog_takes_what_identity_uses(name: str) -> None:
    assert _found(public(GOOD_PAIRS[name][0])) == []
