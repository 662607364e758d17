"""A token is verified once and believed until it expires or the keys change."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from lienthong.gateway.authenticate import MAX_CACHED, SCOPE, Authenticator
from lienthong.gateway.proofs.judge import ProofJudge
from lienthong.gateway.proofs.seen import SeenProofs
from lienthong.gateway.request_headers import RequestHeaders
from lienthong.kit.dpop import ProofReader
from lienthong.kit.dpop_nonces import Nonces
from lienthong.kit.keys import IdentityKeys
from lienthong.kit.problems import ProblemError
from lienthong.kit.tokens import AccessToken, KeySet, TokenVerifier
from tests.support.rpc import rpc_trust

if TYPE_CHECKING:
    from lienthong.kit.clock import ManualClock

ISSUER, AUDIENCE = "https://gateway.example", "urn:lgsp:VN-BTN"


class CountingVerifier(TokenVerifier):
    """Counts how often it has to work."""

    verified = 0

    def verify(self, token: str, keys: KeySet) -> AccessToken:
        self.verified += 1
        return super().verify(token, keys)


def keys_of(*keys: ECKey, suspended: tuple[str, ...] = ()) -> IdentityKeys:
    jwks = json.dumps({"keys": [key.as_dict(private=False) for key in keys]})
    return IdentityKeys(1, ISSUER, jwks, KeySet.from_jwks(jwks), frozenset(suspended))


class Scene:
    """An authenticator, its clock and its key."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.key = ECKey.generate_key("P-256", auto_kid=True)
        self.verifier = CountingVerifier(ISSUER, AUDIENCE, clock)
        nonces = Nonces(rpc_trust(), clock)
        proofs = ProofJudge(ProofReader([ISSUER], nonces, clock), SeenProofs(clock.now))
        self.authenticator = Authenticator(self.verifier, keys_of(self.key), proofs)

    def token(self, client: str = "C/c", **claims: object) -> bytes:
        now = int(self.clock.now().timestamp())
        content: dict[str, object] = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": client,
            "client_id": client,
            "scope": "api",
            "iat": now,
            "exp": now + 300,
            "jti": "1",
            **claims,
        }
        header = {"typ": "at+jwt", "alg": "ES256", "kid": self.key.kid}
        return jwt.encode(header, content, self.key).encode()

    def client(self, authorization: bytes | None) -> str:
        """The client, or the code of the problem."""
        try:
            read = {} if authorization is None else {b"authorization": authorization}
            token = self.authenticator.authenticate(
                RequestHeaders([], read), self.clock.now(), None, method="GET", path=b"/"
            )
            self.authenticator.admit(token, SCOPE)
        except ProblemError as problem:
            return problem.code
        return token.client_id


@pytest.fixture
def scene(clock: ManualClock) -> Scene:
    return Scene(clock)


def test_a_good_token_names_the_client_and_is_verified_once(scene: Scene) -> None:
    authorization = b"Bearer " + scene.token()
    assert [scene.client(authorization) for _ in range(5)] == ["C/c"] * 5
    assert scene.verifier.verified == 1


@pytest.mark.parametrize("scheme", [b"bearer ", b"BEARER ", b"Bearer  "])
def test_the_scheme_is_read_as_it_may_be_written(scene: Scene, scheme: bytes) -> None:
    assert scene.client(scheme + scene.token()) == "C/c"


@pytest.mark.parametrize("authorization", [None, b"", b"Basic eHg6eXk=", b"Bearer", b"BearerX abc"])
def test_anything_but_a_bearer_token_is_no_token(scene: Scene, authorization: bytes | None) -> None:
    assert scene.client(authorization) == "no-token"


@pytest.mark.parametrize("authorization", [b"Bearer abc", b"Bearer \xff\xfe", b"Bearer a.b.c"])
def test_rubbish_is_refused(scene: Scene, authorization: bytes) -> None:
    assert scene.client(authorization) == "token-refused"


def test_a_remembered_token_expires_after_the_leeway(scene: Scene) -> None:
    authorization = b"Bearer " + scene.token()
    assert scene.client(authorization) == "C/c"
    scene.clock.advance(299)
    assert scene.client(authorization) == "C/c"
    assert scene.verifier.verified == 1
    scene.clock.advance(5)
    assert scene.client(authorization) == "C/c"
    scene.clock.advance(2)
    assert scene.client(authorization) == "token-refused"


def test_a_remembered_token_is_refused_while_the_clock_is_before_its_time(scene: Scene) -> None:
    authorization = b"Bearer " + scene.token()
    assert scene.client(authorization) == "C/c"
    scene.clock.jump(timedelta(seconds=-60))
    assert scene.client(authorization) == "C/c", "iat is no not-before"
    scene.clock.jump(timedelta(hours=-1))
    assert [scene.client(authorization) for _ in range(2)] == ["token-refused"] * 2
    later = b"Bearer " + scene.token()
    assert scene.client(later) == "C/c"
    scene.clock.jump(timedelta(hours=1, seconds=60))
    assert scene.client(authorization) == "C/c"
    assert scene.client(later) == "token-refused"


def test_a_remembered_token_is_refused_before_its_nbf(scene: Scene) -> None:
    soon = int(scene.clock.now().timestamp()) + 60
    authorization = b"Bearer " + scene.token(nbf=soon)
    assert scene.client(authorization) == "token-refused"
    scene.clock.advance(60)
    assert scene.client(authorization) == "C/c"
    scene.clock.jump(timedelta(seconds=-30))
    assert scene.client(authorization) == "token-refused"


def test_a_suspension_counts_for_a_remembered_token(scene: Scene) -> None:
    authorization = b"Bearer " + scene.token()
    assert scene.client(authorization) == "C/c"
    scene.authenticator = scene.authenticator.with_keys(keys_of(scene.key, suspended=("C/c",)))
    assert scene.client(authorization) == "client-suspended"
    assert scene.verifier.verified == 1, "the keys are the same, so the memory stays"


def test_with_another_key_set_nothing_is_remembered(scene: Scene) -> None:
    authorization = b"Bearer " + scene.token()
    assert scene.client(authorization) == "C/c"
    scene.authenticator = scene.authenticator.with_keys(keys_of(ECKey.generate_key("P-256", auto_kid=True)))
    assert scene.client(authorization) == "token-refused"


def test_a_token_without_the_scope_is_refused_every_time(scene: Scene) -> None:
    authorization = b"Bearer " + scene.token(scope="events apis")
    assert [scene.client(authorization) for _ in range(2)] == ["insufficient-scope"] * 2


def test_refused_tokens_are_not_remembered_and_the_memory_is_bounded(scene: Scene) -> None:
    scene.client(b"Bearer a.b.c")
    remembered = scene.authenticator._verified
    assert remembered == {}
    good, now = scene.token(), scene.clock.now()
    for number in range(MAX_CACHED):
        remembered[b"%d" % number] = AccessToken("x", frozenset(), "", now, now, now)
    assert scene.client(b"Bearer " + good) == "C/c"
    assert len(remembered) == MAX_CACHED
    assert b"0" not in remembered


@pytest.mark.parametrize("spelling", [b"Bearer  ", b"Bearer" + b" " * 1000])
def test_other_spellings_of_a_token_pass_and_take_no_memory(scene: Scene, spelling: bytes) -> None:
    token = scene.token().removeprefix(b"Bearer ")
    assert scene.client(spelling + token) == "C/c"
    assert len(scene.authenticator._verified) == 0
    assert scene.client(b"Bearer " + token) == "C/c"
    assert len(scene.authenticator._verified) == 1


def test_a_persons_token_calls_no_provider(scene: Scene) -> None:
    token = scene.token(sub="0193a1b2", sid="s1", roles=["data-owner@C"])
    assert scene.client(b"Bearer " + token) == "person-refused"
    read = scene.authenticator.authenticate(
        RequestHeaders([], {b"authorization": b"Bearer " + token}),
        scene.clock.now(),
        None,
        method="GET",
        path=b"/",
    )
    scene.authenticator.admit(read, people=True)
    with pytest.raises(ProblemError, match="client-suspended"):
        scene.authenticator.with_keys(keys_of(scene.key, suspended=("C/c",))).admit(read, people=True)


def test_a_token_by_which_a_system_acts_for_a_person_is_for_calls_alone(scene: Scene) -> None:
    act = {"sub": "C/c", "act": {"sub": "C/d"}}
    token = b"Bearer " + scene.token(sub="0193a1b2", sid="s1", roles=[], act=act)
    read = scene.authenticator.authenticate(
        RequestHeaders([], {b"authorization": token}), scene.clock.now(), None, method="GET", path=b"/"
    )
    assert (read.client_id, read.actors) == ("C/c", ("C/c", "C/d"))
    scene.authenticator.admit(read, SCOPE)
    for scope in (None, "audit:read"):
        with pytest.raises(ProblemError, match="person-refused"):
            scene.authenticator.admit(read, scope)
    for suspended in ("C/c", "C/d"):
        stricter = scene.authenticator.with_keys(keys_of(scene.key, suspended=(suspended,)))
        with pytest.raises(ProblemError, match="client-suspended"):
            stricter.admit(read, SCOPE)
        with pytest.raises(ProblemError, match="client-suspended"):
            stricter.check_standing("C/c", read)
