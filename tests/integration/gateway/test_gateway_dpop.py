"""DPoP at the gateway (RFC 9449 sections 7 and 9): the cases of OpenID's FAPI 2 suite by name, and replay."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from lienthong.contracts.catalog.v1 import routes_pb2
from lienthong.kit.clock import SystemClock
from lienthong.kit.dpop_nonces import Nonces
from lienthong.kit.shown import KEY_HEADER, Shown
from lienthong.kit.tokens import Confirmation
from tests.integration.gateway.world import API, CONSUMER, agreement, service
from tests.support.dpop import ath, encoded, proof
from tests.support.rpc import rpc_trust
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.gateway.world import World

PATH = f"{API}/parcels/1"
KEY, OTHER = ECKey.generate_key("P-256"), ECKey.generate_key("P-256")
KEYS: dict[str, Any] = {
    "ES256": KEY, "EdDSA": OKPKey.generate_key("Ed25519"), "PS256": RSAKey.generate_key(2048),
}  # fmt: skip
PUBLIC = KEY.as_dict(private=False)


class Caller:
    """A holder of a token that is bound to a key, and of a nonce."""

    def __init__(self, world: World, key: Any = KEY) -> None:  # noqa: ANN401
        self.world = world
        self.key = key
        self.token = world.token(cnf=Confirmation(key=key.thumbprint()).claim())
        self.nonce = self.asked_for_nonce()

    @property
    def nonce(self) -> str:
        """The newest nonce; one that would soon be too old is not used."""
        if time.monotonic() - self._since > 20:
            self.nonce = self.asked_for_nonce()
        return self._nonce

    @nonce.setter
    def nonce(self, given: str) -> None:
        self._nonce, self._since = given, time.monotonic()

    def asked_for_nonce(self) -> str:
        """The nonce that a first try is answered with."""
        refused = self.send(proof(self.key, "GET", self.address(), now=now(), token=self.token))
        assert (refused.status_code, refused.json()["code"]) == (401, "dpop-nonce-required")
        return refused.headers["dpop-nonce"]

    def address(self, path: str = PATH) -> str:
        return f"{self.world.url}{path}"

    def made(self, method: str = "GET", path: str = PATH, **changes: Any) -> str:  # noqa: ANN401
        """A proof; `iat` in `changes` is in seconds from now."""
        if isinstance(changes.get("iat"), int):
            changes["iat"] += int(time.time())
        key = changes.pop("key", self.key)
        usual: dict[str, Any] = {"now": now(), "token": self.token, "nonce": self.nonce}
        return proof(key, method, self.address(path), **(usual | changes))

    def send(
        self,
        *proofs: str,
        method: str = "GET",
        path: str = PATH,
        authorization: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        fields = [("Authorization", authorization or f"DPoP {self.token}")]
        fields += [("DPoP", text) for text in proofs] + list((headers or {}).items())
        return httpx.request(method, self.address(path), headers=fields, trust_env=False, timeout=30)


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def caller(world: World) -> Caller:
    return Caller(world)


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_a_call_with_its_proof_passes_and_gives_the_next_nonce(world: World, key: Any) -> None:  # noqa: ANN401
    caller = Caller(world, key)
    for _ in range(3):
        answer = caller.send(caller.made())
        assert answer.status_code == 200, answer.text
        caller.nonce = answer.headers["dpop-nonce"]
    seen = world.provider.seen[-1]
    assert (seen.header("dpop"), seen.header("authorization")) == (None, None)
    assert world.record(answer.headers["lgsp-transaction-id"])["client"] == CONSUMER


HAPPY: dict[str, dict[str, Any]] = {
    "ensure-dpop-proof-with-iat-10-seconds-before-succeeds": {"iat": -10},
    # A second less than the bound: it may pass before the gateway looks.
    "ensure-dpop-proof-with-iat-10-seconds-after-succeeds": {"iat": 9},
    "iat nearly as old as may be": {"iat": -60},
    "check-dpop-proof-nbf-exp": {"nbf": 0, "exp": 0},
    "extra claims on header and claims": {"header": {"extra": {"a": 1}}, "extra": [1]},
    "typ as a whole media type": {"header": {"typ": "application/dpop+jwt"}},
}
ADDRESSES: dict[str, Callable[[str], str]] = {
    "'htu' has a query/fragment": lambda url: f"{url}?a=b#c",
    "compare scheme and hostname using case independent mode": lambda url: url.replace("http:", "HTTP:"),
    "percent-encoding that is not needed": lambda url: url.replace("parcels-v1", "%70arcels%2dv1"),
    "dot segments": lambda url: url.replace("/parcels/1", "/x/../parcels/./1"),
}


@pytest.mark.parametrize("name", HAPPY)
def test_accepted(caller: Caller, name: str) -> None:
    answer = caller.send(caller.made(**HAPPY[name]))
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("name", ADDRESSES)
def test_accepted_address(caller: Caller, name: str) -> None:
    answer = caller.send(caller.made(htu=ADDRESSES[name](caller.address())))
    assert answer.status_code == 200, answer.text


def test_the_query_of_the_request_is_no_part_of_htu(caller: Caller) -> None:
    with_query = f"{API}/parcels?owner=1"
    assert caller.send(caller.made(path=f"{API}/parcels"), path=with_query).status_code == 200
    assert caller.send(caller.made(path=with_query), path=with_query).status_code == 200


@pytest.mark.parametrize("scheme", ["DPoP", "dpop", "DPOP", "dPoP"])
def test_the_scheme_and_the_header_name_in_any_case(caller: Caller, scheme: str) -> None:
    answer = caller.send(authorization=f"{scheme} {caller.token}", headers={scheme: caller.made()})
    assert answer.status_code == 200


REFUSED: dict[str, dict[str, Any]] = {
    "DPoP proof where 'typ' is missing in header": {"header": {"typ": ...}},
    "DPoP proof with invalid 'typ' in header": {"header": {"typ": "jwt"}},
    "DPoP proof where 'alg' is missing": {"header": {"alg": ...}},
    "DPoP proof with none alg": {"header": {"alg": "none"}},
    "DPoP proof signed using RS256": {"header": {"alg": "RS256"}},
    "a symmetric algorithm": {"header": {"alg": "HS256"}},
    "a symmetric key": {"header": {"jwk": OctKey.generate_key(256).as_dict()}},
    "an algorithm that is not the key's": {"header": {"alg": "PS256"}},
    "DPoP proof where 'jwk' is missing": {"header": {"jwk": ...}},
    "jwk header incorrectly containing private key": {"header": {"jwk": KEY.as_dict(private=True)}},
    "jwk off the curve": {"header": {"jwk": {**PUBLIC, "y": PUBLIC["x"]}}},
    "a critical extension": {"header": {"crit": ["exp"], "exp": 1}},
    "DPoP proof where 'jti' is missing": {"jti": ...},
    "a jti without end": {"jti": "x" * 300},
    "DPoP proof where 'htm' is missing": {"htm": ...},
    "DPoP proof with incorrect 'htm'": {"htm": "PUT"},
    "htm in small letters": {"htm": "get"},
    "DPoP proof where 'htu' is missing": {"htu": ...},
    "DPoP proof where 'htu' is a different url": {"htu": "https://other.example/a"},
    "htu of another path": {"path": f"{API}/parcels/2"},
    "htu of another port": {"htu": f"http://127.0.0.1:1{PATH}"},
    "htu without an origin": {"htu": PATH},
    "DPoP proof where 'iat' is missing": {"iat": ...},
    "DPoP proof where 'iat' is one hour in the future": {"iat": 3600},
    "DPoP proof where 'iat' is one hour in the past": {"iat": -3600},
    "iat too far ahead": {"iat": 15},
    "iat too old": {"iat": -75},
    "DPoP proof where 'ath' is missing": {"ath": ...},
    "DPoP proof where 'ath' is incorrect": {"ath": ath("another")},
    "ath in hex": {"ath": "ab" * 32},
    "DPoP signed with a different key": {"key": OTHER},
    "signed with a different key, with the right jwk": {"key": OTHER, "header": {"jwk": PUBLIC}},
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(caller: Caller, name: str) -> None:
    seen = len(caller.world.provider.seen)
    answer = caller.send(caller.made(**REFUSED[name]))
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (401, "dpop-proof-refused"), answer.text
    assert problem["reason"]
    assert problem["detail_vi"]
    assert problem["advice_vi"]
    challenge = answer.headers["www-authenticate"]
    expected = "invalid_token" if problem["reason"] == "key" else "invalid_dpop_proof"
    assert challenge.startswith("DPoP ")
    assert f'error="{expected}"' in challenge
    assert 'algs="ES256 EdDSA PS256"' in challenge
    assert len(caller.world.provider.seen) == seen
    # Whoever holds a stolen token is not recorded as its owner.
    assert "client" not in caller.world.record(answer.headers["lgsp-transaction-id"])


def test_not_well_formed_or_not_signed(caller: Caller) -> None:
    head, body, signature = caller.made().split(".")
    for text in ("text", f"{head}.{body}", f"{head}.{body}.", f"{head}.{body}.{signature[:-2]}AA",
                 f"{head}.{body}.{encoded(bytes(64))}", f"{head}.{body}.{'A' * 9000}"):  # fmt: skip
        answer = caller.send(text)
        assert (answer.status_code, answer.json()["code"]) == (401, "dpop-proof-refused"), text[:80]
    assert caller.send(f"{head}.{body}.{signature}").status_code == 200, "nothing of this used it up"


def test_more_than_one_dpop_in_the_header(caller: Caller) -> None:
    for proofs in ((caller.made(), caller.made()), (f"{caller.made()}, {caller.made()}",)):
        answer = caller.send(*proofs)
        assert (answer.status_code, answer.json()["reason"]) == (401, "several")


def test_resource_access_without_dpop_proof(caller: Caller) -> None:
    answer = caller.send()
    assert (answer.status_code, answer.json()["reason"]) == (401, "missing")
    assert answer.headers["dpop-nonce"]


@pytest.mark.parametrize("with_proof", [False, True])
def test_authorization_type_changed_to_bearer(caller: Caller, *, with_proof: bool) -> None:
    proofs = (caller.made(),) if with_proof else ()
    for _ in range(2):
        answer = caller.send(*proofs, authorization=f"Bearer {caller.token}")
        assert (answer.status_code, answer.json()["reason"]) == (401, "bearer")
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_a_token_that_is_not_bound_sent_as_dpop(caller: Caller) -> None:
    token = caller.world.token()
    for _ in range(2):
        answer = caller.send(caller.made(token=token), authorization=f"DPoP {token}")
        assert (answer.status_code, answer.json()["reason"]) == (401, "unbound")
    as_bearer = caller.send(authorization=f"Bearer {token}")
    assert as_bearer.status_code == 200
    assert "dpop-nonce" not in as_bearer.headers


def test_a_token_that_is_refused_for_itself_is_told_in_the_scheme_that_was_used(caller: Caller) -> None:
    answer = caller.send(caller.made(), authorization="DPoP a.b.c")
    assert (answer.status_code, answer.json()["code"]) == (401, "token-refused")
    assert answer.headers["www-authenticate"].startswith('DPoP realm="lienthong", error="invalid_token"')


def test_without_a_token_both_schemes_are_told(caller: Caller) -> None:
    answer = httpx.get(caller.address(), trust_env=False)
    assert (answer.status_code, answer.json()["code"]) == (401, "no-token")
    challenge = answer.headers["www-authenticate"]
    assert challenge == 'Bearer realm="lienthong", DPoP realm="lienthong", algs="ES256 EdDSA PS256"'


def old_nonce(age_s: int) -> str:
    class Earlier(SystemClock):
        now = staticmethod(lambda: datetime.now(UTC) - timedelta(seconds=age_s))

    return Nonces(rpc_trust(), Earlier()).fresh()


@pytest.mark.parametrize(
    "nonce", [None, "", "A" * 28, 7, old_nonce(121)], ids=["missing", "empty", "foreign", "number", "stale"]
)
def test_the_nonce_missing_foreign_or_stale(caller: Caller, nonce: object) -> None:
    answer = caller.send(caller.made(nonce=... if nonce is None else nonce))
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (401, "dpop-nonce-required")
    assert answer.headers["www-authenticate"].startswith('DPoP realm="lienthong", error="use_dpop_nonce"')
    assert caller.send(caller.made(nonce=answer.headers["dpop-nonce"])).status_code == 200


def test_dpop_reuse(caller: Caller) -> None:
    once = caller.made()
    assert caller.send(once).status_code == 200
    for _ in range(3):
        answer = caller.send(once)
        assert (answer.status_code, answer.json()["reason"]) == (401, "used")
    # The same text as another proof's jti, of this key: used as well.
    assert caller.send(caller.made(jti="the same")).status_code == 200
    assert caller.send(caller.made(jti="the same")).json()["reason"] == "used"


def test_it_is_looked_at_on_every_request_also_of_a_token_that_is_known(caller: Caller) -> None:
    statuses = [caller.send(caller.made(key=key)).status_code for key in (KEY, OTHER, KEY, OTHER, KEY)]
    assert statuses == [200, 401, 200, 401, 200]


def test_the_error_names_how_far_clocks_differ(caller: Caller) -> None:
    def told(iat: int, pattern: str) -> int:
        detail = caller.send(caller.made(iat=iat)).json()["detail"]
        found = re.search(pattern, detail)
        assert found is not None, detail
        return int(found[1])

    began = int(time.time())
    ahead, back = told(95, r"(\d+) seconds ahead"), told(-95, r"(\d+) seconds back")
    # The gateway looks a moment after they were made.
    passed = int(time.time()) + 1 - began
    assert 95 - passed <= ahead <= 95
    assert 95 <= back <= 95 + passed


def test_the_platforms_own_services_are_told_of_the_key(caller: Caller) -> None:
    world, path = caller.world, "/catalog/v1/systems"
    keys = Shown(rpc_trust(), SystemClock()).keys
    forged = {KEY_HEADER: keys.written("x" * 43, "0193582c-b340-7000-8000-000000000000").decode()}

    def told() -> str | None:
        seen = [(name.encode(), value.encode()) for name, value in world.platform.seen[-1].headers]
        return keys.read(seen)

    answer = caller.send(caller.made(path=path), path=path, headers=forged)
    assert answer.status_code == 200
    assert told() == KEY.thumbprint()
    assert world.platform.seen[-1].header("authorization") == f"DPoP {caller.token}"
    assert caller.send(caller.made(path=path, key=OTHER), path=path).status_code == 401
    text = caller.made(method="POST", path="/oauth2/token")
    asked = httpx.post(caller.address("/oauth2/token"), headers={"DPoP": text, **forged}, trust_env=False)
    assert asked.status_code == 200
    assert world.platform.seen[-1].header("dpop") == text, "identity reads it itself"
    assert world.platform.seen[-1].header(KEY_HEADER.lower()) is None


def test_where_a_bound_token_is_required_one_with_a_proof_does(caller: Caller) -> None:
    world, required = caller.world, [routes_pb2.STATEMENT_BOUND_TOKEN]
    world.change(service([world.provider.url], requires=required), agreement())
    try:
        assert caller.send(caller.made()).status_code == 200
        unbound = caller.send(authorization=f"Bearer {world.token()}")
        assert (unbound.status_code, unbound.json()["code"]) == (403, "bound-token-required")
    finally:
        world.change(service([world.provider.url]), agreement())


def test_a_proof_is_good_once_at_all_workers_of_all_gateways(new_world: Callable[..., World]) -> None:
    """Whoever has seen the answer comes too late everywhere: on each connection another worker may answer."""
    world = new_world(gateway_workers=2)
    world.start()
    with world.another("second") as second:
        caller = Caller(world)

        def send(address: str, text: str) -> httpx.Response:
            headers = {"Authorization": f"DPoP {caller.token}", "DPoP": text}
            return httpx.get(f"{address}{PATH}", headers=headers, trust_env=False)

        def all_take_it() -> bool:
            # A worker takes no nonce from before its own start.
            caller.nonce = caller.asked_for_nonce()
            return all(send(url, caller.made()).status_code == 200 for url in (world.url, second) * 6)

        wait_until(all_take_it, "all workers know what was used")
        for _ in range(10):
            text = caller.made()
            assert send(world.url, text).status_code == 200
            for address in (world.url, second) * 4:
                again = send(address, text)
                assert (again.status_code, again.json().get("reason")) == (401, "used"), again.text


def test_a_gateway_that_was_away_takes_no_proof_from_before(new_world: Callable[..., World]) -> None:
    world = new_world()
    world.start()
    caller = Caller(world)
    once = caller.made()
    assert caller.send(once).status_code == 200
    used = int(time.time())
    world.stop_gateway()
    wait_until(lambda: int(time.time()) > used, "the next second")
    world.start()
    answer = caller.send(once)
    assert (answer.status_code, answer.json()["code"]) == (401, "dpop-nonce-required")
