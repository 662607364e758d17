"""A token that has passed is known: that makes nothing pass that would not, and keeps a bounded number."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from lienthong.kit import access
from lienthong.kit.access import Access
from lienthong.kit.clock import ManualClock
from lienthong.kit.keys import IdentityKeys
from lienthong.kit.problems import ProblemError
from lienthong.kit.shown import Shown
from lienthong.kit.tokens import AccessToken, KeySet, TokenVerifier
from tests.support.rpc import rpc_trust

KEY, OTHER = (ECKey.generate_key("P-256", {"kid": kid}) for kid in ("k1", "k2"))


def keys(*known: ECKey, suspended: tuple[str, ...] = ()) -> IdentityKeys:
    jwks = json.dumps({"keys": [key.as_dict(private=False) for key in known]})
    return IdentityKeys(1, "i", jwks, KeySet.from_jwks(jwks), frozenset(suspended))


class CountingVerifier(TokenVerifier):
    """Counts what it has verified."""

    count = 0

    def verify(self, token: str, keys: KeySet) -> AccessToken:
        self.count += 1
        return super().verify(token, keys)


class Door:
    """An `Access` whose keys and clock change."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.keys = keys(KEY, OTHER)
        self.verifier = CountingVerifier("i", "a", self.clock)
        self.access = Access(lambda: self.keys, self.verifier, Shown(rpc_trust(), self.clock))

    def token(self, number: int = 1, begins_in: int = 0) -> str:
        now = int(self.clock.now().timestamp())
        claims = {"iss": "i", "aud": "a", "sub": "c", "client_id": "c", "iat": now, "exp": now + 300}
        claims |= {"jti": f"{number}", "nbf": now + begins_in}
        return jwt.encode({"alg": "ES256", "typ": "at+jwt", "kid": "k1"}, claims, KEY)

    def refusal(self, token: str) -> tuple[str, object]:
        with pytest.raises(ProblemError) as refused:
            self.access.authenticate(token)
        return refused.value.code, refused.value.extra.get("reason")


def test_a_token_is_verified_once() -> None:
    door = Door()
    token = door.token()
    assert door.access.authenticate(token) == door.access.authenticate(token)
    assert door.verifier.count == 1


def test_it_is_refused_when_its_key_is_gone_and_known_no_longer() -> None:
    door = Door()
    token = door.token()
    door.access.authenticate(token)
    door.keys = keys(OTHER)
    assert door.refusal(token) == ("token-refused", "kid")


def test_it_is_refused_while_its_client_is_suspended() -> None:
    door = Door()
    token = door.token()
    door.access.authenticate(token)
    door.keys = replace(door.keys, suspended=frozenset({"c"}))
    assert door.refusal(token)[0] == "client-suspended"
    door.keys = replace(door.keys, suspended=frozenset())
    door.access.authenticate(token)


def test_it_is_refused_when_it_has_expired() -> None:
    door = Door()
    token = door.token()
    door.access.authenticate(token)
    door.clock.advance(timedelta(seconds=306))
    assert door.refusal(token) == ("token-refused", "expired")


def test_it_is_refused_when_the_clock_was_set_back() -> None:
    door = Door()
    token = door.token()
    door.access.authenticate(token)
    door.clock.jump(timedelta(seconds=-60))
    assert door.refusal(token) == ("token-refused", "not_yet")


def test_what_is_let_in_for_another_clock_alone_is_verified_each_time() -> None:
    door = Door()
    token = door.token(begins_in=3)
    door.access.authenticate(token)
    door.access.authenticate(token)
    assert door.verifier.count == 2


def test_a_bounded_number_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "MAX_CACHED", 3)
    door = Door()
    tokens = [door.token(number) for number in range(4)]
    for token in tokens:
        door.access.authenticate(token)
    door.access.authenticate(tokens[3])
    assert door.verifier.count == 4
    door.access.authenticate(tokens[0])
    assert door.verifier.count == 5
