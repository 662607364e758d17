"""Tokens are fetched once, renewed early, and once more when the bus refuses one."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs

import httpx
import pytest

from lienthong.client import AsyncClient, Client, Credentials
from lienthong.client.errors import (
    NotAGatewayError,
    NotYetRecordedError,
    UnauthenticatedError,
    UnavailableError,
    UnreachableError,
)

GATEWAY = "http://gateway.example"
SERVICE = "H11.05/land/parcels-v1"
CREDENTIALS = Credentials.new("H11.01/one-stop", gateway=GATEWAY, algorithm="EdDSA")


class Bus:
    """A bus in memory: hands out numbered tokens, refuses some, and remembers what it was asked."""

    def __init__(self, *, lifetime: int = 300) -> None:
        self.lifetime = lifetime
        self.asked: list[str] = []
        self.assertions: list[str] = []
        self.refused: set[str] = set()
        self.unknown_clients = 0
        self.token_status = 200
        self.recorded_after = 0
        self.time = 1000.0
        self.slept: list[float] = []
        self._lock = threading.Lock()

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds

    async def asleep(self, seconds: float) -> None:
        self.sleep(seconds)

    def answer(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            self.asked.append(request.url.path)
            if request.url.path == "/oauth2/token":
                return self._token(request)
            return self._api(request)

    def _token(self, request: httpx.Request) -> httpx.Response:
        self.assertions.append(parse_qs(request.content.decode())["client_assertion"][0])
        if self.unknown_clients > 0:
            self.unknown_clients -= 1
            return httpx.Response(401, json={"error": "invalid_client"})
        if self.token_status != 200:
            return httpx.Response(self.token_status, json={"error": "temporarily_unavailable"})
        number = self.asked.count("/oauth2/token")
        return httpx.Response(200, json={"access_token": f"t{number}", "expires_in": self.lifetime})

    def _api(self, request: httpx.Request) -> httpx.Response:
        token = request.headers["Authorization"].removeprefix("Bearer ")
        if token in self.refused:
            return httpx.Response(
                401, json={"code": "token-refused"}, headers={"LGSP-Error": "token-refused"}
            )
        if "receipts" in request.url.path and self.recorded_after > 0:
            self.recorded_after -= 1
            document = {"code": "not-yet-recorded"}
            return httpx.Response(404, json=document, headers={"LGSP-Error": "x", "Retry-After": "1"})
        return httpx.Response(200, json={"token": token})

    def client(self) -> Client:
        return Client(
            CREDENTIALS,
            transport=httpx.MockTransport(self.answer),
            now=self.now,
            monotonic=self.now,
            sleep=self.sleep,
        )

    def async_client(self) -> AsyncClient:
        return AsyncClient(
            CREDENTIALS,
            transport=httpx.MockTransport(self.answer),
            now=self.now,
            monotonic=self.now,
            sleep=self.asleep,
        )


def used(client: Client) -> str:
    token: str = client.call(SERVICE, "GET", "/parcels/1").json()["token"]
    return token


def test_a_token_is_kept_and_renewed_before_it_ends() -> None:
    bus = Bus()
    with bus.client() as client:
        assert [used(client), used(client)] == ["t1", "t1"]
        bus.time += 239
        assert used(client) == "t1"
        bus.time += 2
        assert used(client) == "t2"
        assert client.token().value == "t2"


def test_every_token_request_has_an_assertion_of_its_own() -> None:
    bus = Bus(lifetime=10)
    with bus.client() as client:
        for _ in range(3):
            used(client)
            bus.time += 10
    assert len(set(bus.assertions)) == 3


def test_a_refused_token_is_replaced_once_and_the_call_repeated() -> None:
    bus = Bus()
    with bus.client() as client:
        used(client)
        bus.refused = {"t1"}
        assert used(client) == "t2"
    assert bus.asked.count("/oauth2/token") == 2


def test_a_second_refusal_is_told() -> None:
    bus = Bus()
    bus.refused = {"t1", "t2", "t3"}
    with bus.client() as client, pytest.raises(UnauthenticatedError) as refused:
        used(client)
    assert refused.value.code == "token-refused"
    assert bus.asked.count("/oauth2/token") == 2


def test_a_providers_own_401_is_not_the_buss() -> None:
    bus = Bus()

    def answer(request: httpx.Request) -> httpx.Response:
        response = bus.answer(request)
        return response if request.url.path == "/oauth2/token" else httpx.Response(401, text="login")

    with Client(CREDENTIALS, transport=httpx.MockTransport(answer)) as client:
        assert client.call(SERVICE, "GET", "/").status == 401
    assert bus.asked == ["/oauth2/token", f"/api/{SERVICE}/"]


def test_an_old_token_serves_while_the_token_endpoint_fails() -> None:
    bus = Bus()
    with bus.client() as client:
        used(client)
        bus.token_status = 503
        bus.time += 270
        assert used(client) == "t1"
        bus.time += 31
        with pytest.raises(UnavailableError):
            used(client)


def test_a_system_registered_a_moment_ago_is_asked_for_once_more() -> None:
    bus = Bus()
    bus.unknown_clients = 1
    with bus.client() as client:
        used(client)
    assert bus.slept == [1.0]
    bus = Bus()
    bus.unknown_clients = 5
    with bus.client() as client, pytest.raises(UnauthenticatedError):
        client.token()
    assert bus.asked == ["/oauth2/token", "/oauth2/token"]


def test_threads_share_one_token() -> None:
    bus = Bus()
    with bus.client() as client, ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: used(client), range(32))) == {"t1"}
    assert bus.asked.count("/oauth2/token") == 1


async def test_tasks_share_one_token_and_replace_a_refused_one() -> None:
    bus = Bus()
    async with bus.async_client() as client:
        assert (await client.call(SERVICE, "GET", "/")).json() == {"token": "t1"}
        bus.refused = {"t1"}
        assert (await client.call(SERVICE, "GET", "/")).json() == {"token": "t2"}
        assert (await client.token()).value == "t2"
    bus = Bus()
    bus.unknown_clients = 1
    async with bus.async_client() as client:
        assert (await client.token()).value == "t2"
    assert bus.slept == [1.0]


def test_a_receipt_is_waited_for_as_long_as_the_bus_asks() -> None:
    bus = Bus()
    bus.recorded_after = 7
    with bus.client() as client:
        assert "t1" in client.receipt("tx")
    assert bus.slept[:5] == [0.2] * 5
    assert bus.slept[5:] == [1.0, 1.0]


async def test_patience_ends() -> None:
    bus = Bus()
    bus.recorded_after = 1000
    with bus.client() as client, pytest.raises(NotYetRecordedError):
        client.receipt("tx", wait=3)
    assert sum(bus.slept) <= 3
    async with bus.async_client() as other:
        with pytest.raises(NotYetRecordedError):
            await other.receipt("tx", wait=0)


def test_a_token_answer_without_a_token_is_no_gateway() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json={"hello": "world"}))
    with Client(CREDENTIALS, transport=transport) as client, pytest.raises(NotAGatewayError):
        client.token()


@pytest.mark.parametrize(
    ("error", "code"), [(httpx.ConnectError, "unreachable"), (httpx.ReadTimeout, "timeout")]
)
def test_a_gateway_that_is_away_is_told_as_unreachable(error: type[httpx.TransportError], code: str) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error("away", request=request)

    with Client(CREDENTIALS, transport=httpx.MockTransport(fail)) as client:
        with pytest.raises(UnreachableError) as told:
            used(client)
        assert told.value.code == code
        assert GATEWAY in str(told.value)


def test_behind_another_address_tokens_are_fetched_there_for_the_same_issuer() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(200, json={"access_token": "t", "expires_in": 300})

    transport = httpx.MockTransport(answer)
    with Client(CREDENTIALS, gateway="http://127.0.0.1:9999/", transport=transport) as client:
        client.token()
    assert asked == ["http://127.0.0.1:9999/oauth2/token"]


def test_a_token_never_shows() -> None:
    bus = Bus()
    with bus.client() as client:
        assert "t1" not in repr(client.token())


class BoundBus(Bus):
    """A bus that wants a DPoP proof with its newest nonce, and tells a new one every few answers."""

    def __init__(self, *, nonce_every: int) -> None:
        super().__init__()
        self.nonce_every = nonce_every
        self.proofs: list[dict[str, object]] = []
        self.keys: set[str] = set()

    def answer(self, request: httpx.Request) -> httpx.Response:
        nonce = f"n{len(self.proofs) // self.nonce_every}"
        head, body, _ = request.headers["DPoP"].split(".")
        claims = json.loads(base64.urlsafe_b64decode(body + "=="))
        self.keys.add(json.loads(base64.urlsafe_b64decode(head + "=="))["jwk"]["x"])
        self.proofs.append(claims)
        if claims.get("nonce") == nonce:
            return super().answer(request)
        at_tokens = request.url.path == "/oauth2/token"
        error = "use-dpop-nonce" if at_tokens else "dpop-nonce-required"
        return httpx.Response(
            400 if at_tokens else 401, json={}, headers={"DPoP-Nonce": nonce, "LGSP-Error": error}
        )

    def bound_client(self, gateway: str | None = None) -> Client:
        return Client(
            CREDENTIALS,
            gateway=gateway,
            dpop=True,
            transport=httpx.MockTransport(self.answer),
            now=self.now,
            monotonic=self.now,
            sleep=self.sleep,
        )


def test_with_dpop_each_request_has_a_proof_of_its_own() -> None:
    bus = BoundBus(nonce_every=1000)
    with bus.bound_client() as client:
        for _ in range(3):
            client.call(SERVICE, "GET", "/parcels/1", params={"x": "1"})
    token, *calls = bus.proofs[1:]
    assert (token["htm"], token["htu"]) == ("POST", f"{GATEWAY}/oauth2/token")
    assert "ath" not in token
    expected = base64.urlsafe_b64encode(hashlib.sha256(b"t1").digest()).decode().rstrip("=")
    assert {call["htu"] for call in calls} == {f"{GATEWAY}/api/{SERVICE}/parcels/1"}
    assert [call.get("ath") for call in calls] == [expected] * len(calls)
    assert len({proof["jti"] for proof in bus.proofs}) == 5
    assert len(bus.keys) == 1


def test_a_nonce_that_is_too_old_is_replaced_and_the_request_sent_again() -> None:
    bus = BoundBus(nonce_every=3)
    with bus.bound_client() as client:
        answers = [client.call(SERVICE, "GET", "/parcels/1").status for _ in range(10)]
    assert answers == [200] * 10
    assert bus.asked.count("/oauth2/token") == 1


def test_proofs_are_for_the_public_address_whatever_way_leads_there() -> None:
    bus = BoundBus(nonce_every=1000)
    with bus.bound_client("http://127.0.0.1:9") as client:
        client.call(SERVICE, "GET", "/parcels/1")
    assert {proof["htu"] for proof in bus.proofs} == {
        f"{GATEWAY}/oauth2/token",
        f"{GATEWAY}/api/{SERVICE}/parcels/1",
    }
