"""Which public keys may verify, with what, and what is told of the others."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.kit.json_pointer import pointer
from lienthong.kit.jwk import ALIASES, KeyFault, KeyRefusedError, read_public_key, refusals
from lienthong.kit.tokens import KeySet
from tests.support.jwk_cases import GOOD_PAIRS, WRONG_PUBLIC, public


@pytest.mark.parametrize("name", GOOD_PAIRS)
def test_the_type_of_a_key_gives_its_algorithm(name: str) -> None:
    pair, algorithm = GOOD_PAIRS[name]
    for members in ({}, {"alg": algorithm}, {"use": "sig"}, {"key_ops": ["verify"]}, {"kid": "k"}):
        key = read_public_key({**public(pair), **members})
        assert (key.algorithm, key.key_id) == (algorithm, members.get("kid"))
    for alias, meant in ALIASES.items():
        if meant == algorithm:
            assert read_public_key({**public(pair), "alg": alias}).algorithm == algorithm


@pytest.mark.parametrize("name", WRONG_PUBLIC)
def test_every_refusal_is_told_in_both_languages_without_the_secret(name: str) -> None:
    jwk = WRONG_PUBLIC[name]
    found = list(refusals(jwk))
    assert found
    for refusal in found:
        assert refusal.text.en != refusal.text.vi
        assert "" not in (refusal.text.en, refusal.text.vi)
        if isinstance(jwk, dict) and "d" in jwk:
            assert jwk["d"] not in refusal.text.en + refusal.text.vi
    with pytest.raises(KeyRefusedError) as refused:
        read_public_key(jwk)
    assert refused.value.refusals == tuple(found)


def test_everything_that_is_wrong_is_told_with_its_place() -> None:
    key = {**public(GOOD_PAIRS["EC P-256"][0]), "alg": "RS256", "use": "enc", "key_ops": [], "kid": ""}
    assert [pointer(found.path) for found in refusals(key)] == ["/alg", "/use", "/key_ops", "/kid"]


@pytest.mark.parametrize("name", WRONG_PUBLIC)
def test_the_verifier_of_tokens_passes_over_or_refuses_what_the_others_refuse(name: str) -> None:
    jwk = WRONG_PUBLIC[name]
    text = json.dumps({"keys": [jwk]})
    if all(found.fault is KeyFault.UNSUITABLE for found in refusals(jwk)):
        assert len(KeySet.from_jwks(text)) == 0
    else:
        with pytest.raises(ValueError, match="JWK set"):
            KeySet.from_jwks(text)


@given(
    st.sampled_from(sorted(GOOD_PAIRS)),
    st.dictionaries(
        st.sampled_from(["kty", "crv", "x", "y", "n", "e", "use", "alg", "kid", "key_ops"]),
        st.none() | st.booleans() | st.integers() | st.text(max_size=50) | st.lists(st.text(max_size=5)),
    ),
)
def test_no_members_break_the_judgement(name: str, members: dict[str, Any]) -> None:
    jwk = {**public(GOOD_PAIRS[name][0]), **members}
    found = list(refusals(jwk))
    if found:
        with pytest.raises(KeyRefusedError):
            read_public_key(jwk)
    else:
        assert read_public_key(jwk).algorithm == GOOD_PAIRS[name][1]
