"""What an agreement may use, kept by a gateway: what callers, providers and records see of it."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import pytest

from lienthong.contracts.catalog.v1 import routes_pb2
from tests.integration.gateway.world import (
    AGREEMENT,
    API,
    CONSUMER,
    OTHER_CONSUMER,
    PROVIDER,
    PURPOSE,
    SERVICE,
    agreement,
    assert_in_form,
    service,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.integration.gateway.peers import Exchange
    from tests.integration.gateway.world import World


@pytest.fixture
def limited(world: World) -> Iterator[Callable[..., str]]:
    """Puts an agreement of a name that was not used yet in the place of the usual one."""
    names: list[str] = []

    def put(name: str, **limits: int) -> str:
        world.remove_agreement(names[-1] if names else AGREEMENT)
        world.change(agreement(name, limits=routes_pb2.Limits(**limits) if limits else None))
        names.append(name)
        return name

    yield put
    if names:
        world.remove_agreement(names[-1])
    world.change(service([world.provider.url]), agreement())


def policies(answer: httpx.Response) -> dict[str, dict[str, str]]:
    """The parameters of each limit that an answer's RateLimit names."""
    found = {}
    for item in answer.headers["ratelimit"].split(", "):
        name, *parameters = item.split(";")
        found[name.strip('"')] = dict(parameter.split("=") for parameter in parameters)
    return found


def test_a_call_beyond_the_limit_is_refused_told_when_and_recorded_with_the_limit(
    world: World, limited: Callable[..., str]
) -> None:
    name = limited("of-three", per_minute=3, per_day=1000)
    began = time.monotonic()
    with world.client() as client:
        answers = [client.get(f"{API}/parcels/1") for _ in range(3)]
        seen = len(world.provider.seen)
        refused = client.get(f"{API}/parcels/1")
        passed_s = time.monotonic() - began
        assert len(world.provider.seen) == seen
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert [policies(answer)["per-minute"]["r"] for answer in answers] == ["2", "1", "0"]
    assert [policies(answer)["per-day"]["r"] for answer in answers] == ["999", "998", "997"]
    for answer in (*answers, refused):
        assert answer.headers["ratelimit-policy"] == '"per-minute";q=3;w=60, "per-day";q=1000;w=86400'
    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (429, "quota-exceeded")
    assert 59 - passed_s <= int(refused.headers["retry-after"]) <= 61
    assert problem["violated-policies"] == ["per-minute"]
    for text in (problem["detail"], problem["detail_vi"]):
        assert name in text
        assert "limits.perMinute" in text
    record = world.record(refused.headers["lgsp-transaction-id"])
    assert (record["agreement"], record["purpose"], record["error"], record["limit"]) == (
        name,
        PURPOSE,
        "quota-exceeded",
        "per-minute",
    )
    assert "forwarded" not in record
    passed = world.record(answers[0].headers["lgsp-transaction-id"])
    assert "limit" not in passed
    assert_in_form([record, passed])


def test_an_agreement_without_limits_is_told_of_none(world: World) -> None:
    with world.client() as client:
        answer = client.get(f"{API}/parcels/1")
    assert answer.status_code == 200
    assert answer.headers.keys().isdisjoint({"ratelimit", "ratelimit-policy"})


def test_the_use_is_shown_to_the_parties_of_the_agreement_and_the_operator(
    world: World, limited: Callable[..., str]
) -> None:
    name = limited("shown", per_minute=5, bytes_per_day=1000)
    url = f"/limits/v1/agreements/{name}"
    with world.client() as client:
        size = sum(len(client.get(f"{API}/parcels/1").content) for _ in range(2))
        answer = client.get(url)
        assert client.head(url).headers["content-length"] == str(len(answer.content))
        assert client.post(url).status_code == 405
        assert client.get("/limits/v1/agreements/nix").json()["code"] == "unknown-resource"
        assert client.get("/limits/v1").json()["code"] == "unknown-path"
    assert answer.headers["cache-control"] == "no-store"
    document = answer.json()
    assert document["at"] < document["dayEnds"]
    assert (document["agreement"], document["consumer"], document["service"]) == (name, CONSUMER, SERVICE)
    assert document["limits"] == [
        {"limit": "perMinute", "allowed": 5, "used": 2, "left": 3},
        {"limit": "bytesPerDay", "allowed": 1000, "used": size, "left": 1000 - size},
    ]
    record = world.record(answer.headers["lgsp-transaction-id"])
    assert (record["service"], record["operation"]) == ("lienthong/gateway", "getAgreementUse")
    assert_in_form([record])
    seen = {
        "provider": world.token(f"{PROVIDER.partition('/')[0]}/another-of-the-agency"),
        "operator": world.token("operator", scope="catalog:admin"),
        "stranger": world.token(OTHER_CONSUMER),
        "nobody": "",
    }
    codes = {}
    for who, token in seen.items():
        with world.client(token) as client:
            codes[who] = client.get(url).headers.get("lgsp-error")
    assert codes == {"provider": None, "operator": None, "stranger": "not-allowed", "nobody": "no-token"}


def test_a_changed_limit_holds_without_a_restart(world: World, limited: Callable[..., str]) -> None:
    name = limited("changing", per_minute=1)
    with world.client() as client:
        assert client.get(f"{API}/parcels/1").status_code == 200
        assert client.get(f"{API}/parcels/1").status_code == 429
        world.change(agreement(name, limits=routes_pb2.Limits(per_minute=3)))
        assert [client.get(f"{API}/parcels/1").status_code for _ in range(3)] == [200, 200, 429]
        world.change(agreement(name))
        assert client.get(f"{API}/parcels/1").status_code == 200


def test_a_service_limits_agreements_that_say_nothing(world: World, limited: Callable[..., str]) -> None:
    limited("says-nothing")
    world.change(service([world.provider.url], default_limits=routes_pb2.Limits(per_minute=1)))
    with world.client() as client:
        assert client.get(f"{API}/parcels/1").status_code == 200
        refused = client.get(f"{API}/parcels/1")
    assert refused.status_code == 429
    assert "limits.default.perMinute" in refused.json()["detail"]
    world.change(
        agreement("says-nothing", limits=routes_pb2.Limits(per_minute=50)),
        service([world.provider.url], maximum_limits=routes_pb2.Limits(per_minute=2)),
    )
    with world.client() as client:
        assert client.get(f"{API}/parcels/1").status_code == 200
        refused = client.get(f"{API}/parcels/1")
    assert refused.status_code == 429
    assert "limits.maximum.perMinute" in refused.json()["detail"]


def test_bytes_of_both_bodies_count(world: World, limited: Callable[..., str]) -> None:
    limited("of-bytes", bytes_per_day=100_000)
    with world.client() as client:
        sent = client.post(f"{API}/parcels", content=b"x" * 60_000)
        assert sent.status_code < 300
        after = policies(client.get(f"{API}/parcels/1"))["bytes-per-day"]["r"]
        assert int(after) <= 40_000
        sent = client.post(f"{API}/parcels", content=b"x" * 60_000)
        assert sent.status_code < 300, "the call that passes the limit is the last one"
        refused = client.get(f"{API}/parcels/1")
    assert refused.status_code == 429
    assert refused.json()["violated-policies"] == ["bytes-per-day"]


def test_calls_at_a_time_end_with_their_answer_whatever_it_is(
    world: World, limited: Callable[..., str]
) -> None:
    limited("two-at-a-time", concurrent=2)
    gate = world.loop.run(_event())
    held: list[Exchange] = []

    async def hold(exchange: Exchange) -> None:
        held.append(exchange)
        await gate.wait()
        await exchange.answer()

    world.provider.behaviours["/parcels/held"] = hold
    with world.client() as client, ThreadPoolExecutor(2) as pool:
        under_way = [pool.submit(client.get, f"{API}/parcels/held") for _ in range(2)]
        world.wait(lambda: len(held) == 2, "two calls are under way")
        refused = client.get(f"{API}/parcels/1")
        assert refused.status_code == 429
        assert refused.json()["violated-policies"] == ["concurrent"]
        assert refused.headers["retry-after"] == "1"
        world.loop.run(_set(gate))
        assert [call.result().status_code for call in under_way] == [200, 200]
        world.change(service(["http://127.0.0.1:9"]))
        assert {client.get(f"{API}/parcels/1").status_code for _ in range(5)} == {502}
        world.change(service([world.provider.url]))
        assert {client.get(f"{API}/parcels/1").status_code for _ in range(5)} == {200}


def test_refusals_are_counted_in_the_figures(world: World, limited: Callable[..., str]) -> None:
    limited("in-figures", per_day=1)
    with world.client() as client:
        assert [client.get(f"{API}/parcels/1").status_code for _ in range(2)] == [200, 429]
    text = httpx.get(f"http://127.0.0.1:{world.health_port}/metrics", trust_env=False).text
    [line] = [one for one in text.splitlines() if 'lienthong_limit="per-day"' in one]
    assert line.startswith("lienthong_limits_refused_total")
    assert float(line.rpartition(" ")[2]) >= 1


async def _event() -> asyncio.Event:
    return asyncio.Event()


async def _set(event: asyncio.Event) -> None:
    event.set()
