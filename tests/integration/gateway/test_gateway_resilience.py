"""A provider that fails or is slow: what its service declares keeps callers from waiting for it."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import pytest

from lienthong.contracts.catalog.v1 import routes_pb2
from tests.integration.gateway.world import API, PROVIDER, SERVICE, agreement, service
from tests.support.ports import take_free_port

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.integration.gateway.peers import Exchange
    from tests.integration.gateway.world import World

OTHER_SERVICE = f"{PROVIDER}/owners-v1"
LONG_S = 600


@pytest.fixture(autouse=True)
def _as_before(world: World) -> Iterator[None]:
    yield
    world.provider.behaviours.clear()
    world.second_provider.behaviours.clear()
    world.change(service([world.provider.url]))


def breaker(*, failures: int = 3, open_s: int = LONG_S, statuses: Iterable[int] = ()) -> routes_pb2.Breaker:
    return routes_pb2.Breaker(
        failures=failures, minimum_calls=20, window_s=10, open_s=open_s, trials=1, statuses=statuses
    )


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.headers.get("lgsp-error", "")


def figures(world: World, name: str) -> list[str]:
    text = httpx.get(f"http://127.0.0.1:{world.health_port}/metrics", trust_env=False).text
    return [line for line in text.splitlines() if line.startswith(name)]


def test_addresses_are_called_as_their_weights_say(world: World) -> None:
    world.provider.seen.clear()
    world.second_provider.seen.clear()
    world.change(service([world.provider.url, world.second_provider.url], weights=[3, 1]))
    with world.client() as client:
        for _ in range(20):
            assert client.get(f"{API}/parcels/1").status_code == 200
    assert (len(world.provider.seen), len(world.second_provider.seen)) == (15, 5)


def test_a_breaker_answers_for_an_only_address_that_fails_and_names_the_service(world: World) -> None:
    away = f"http://127.0.0.1:{take_free_port()}"
    world.change(service([away], breaker=breaker()))
    with world.client() as client:
        for _ in range(3):
            assert problem(client.get(f"{API}/parcels/1")) == (502, "provider-unreachable")
        answer = client.get(f"{API}/parcels/1")
        assert problem(answer) == (503, "circuit-open")
        assert LONG_S - 60 < int(answer.headers["retry-after"]) <= LONG_S
        assert SERVICE in answer.json()["detail"]
        record = world.record(answer.headers["lgsp-transaction-id"])
    assert (record["error"], record.get("forwarded")) == ("circuit-open", None)
    assert any('lienthong_circuit="open"' in line for line in figures(world, "lienthong_providers_circuits"))


def test_a_breaker_closes_again_once_a_call_that_tries_it_is_answered(world: World) -> None:
    async def unavailable(exchange: Exchange) -> None:
        await exchange.answer(status="503 Service Unavailable")

    world.provider.behaviours["/parcels/1"] = unavailable
    terms = breaker(failures=2, open_s=3, statuses=[503])
    world.change(service([world.provider.url], service_id=OTHER_SERVICE, breaker=terms))
    world.change(agreement("one-stop-owners", service_id=OTHER_SERVICE))
    with world.client() as client:
        path = f"/api/{OTHER_SERVICE}/parcels/1"
        assert [client.get(path).status_code for _ in range(2)] == [503, 503]
        assert problem(client.get(path)) == (503, "circuit-open")
        world.provider.behaviours.clear()
        world.wait(lambda: client.get(path).status_code == 200, "the breaker closes")
        assert client.get(path).status_code == 200


def test_beyond_its_bulkhead_calls_of_a_slow_service_are_refused_and_others_pass(world: World) -> None:
    held, go = threading.Semaphore(0), threading.Event()

    async def slow(exchange: Exchange) -> None:
        held.release()
        await asyncio.to_thread(go.wait, 20)
        await exchange.answer()

    world.provider.behaviours["/parcels/slow"] = slow
    world.change(
        service([world.provider.url], timeout_ms=20_000, bulkhead=routes_pb2.Bulkhead(calls=2)),
        service([world.provider.url], service_id=OTHER_SERVICE),
        agreement("one-stop-owners", service_id=OTHER_SERVICE),
    )
    with world.client() as client, ThreadPoolExecutor(2) as callers:
        waiting = [callers.submit(client.get, f"{API}/parcels/slow") for _ in range(2)]
        for _ in waiting:
            assert held.acquire(timeout=20)
        answer = client.get(f"{API}/parcels/1")
        assert problem(answer) == (503, "provider-busy")
        assert answer.headers["retry-after"] == "1"
        assert client.get(f"/api/{OTHER_SERVICE}/parcels/1").status_code == 200
        go.set()
        assert [call.result().status_code for call in waiting] == [200, 200]
        assert client.get(f"{API}/parcels/1").status_code == 200
    assert figures(world, "lienthong_bulkheads_refused")


def test_a_call_that_waits_for_a_place_gets_it(world: World) -> None:
    held, go = threading.Semaphore(0), threading.Event()

    async def slow(exchange: Exchange) -> None:
        held.release()
        await asyncio.to_thread(go.wait, 20)
        await exchange.answer()

    world.provider.behaviours["/parcels/slow"] = slow
    bulkhead = routes_pb2.Bulkhead(calls=1, waiting=1, wait_ms=20_000)
    world.change(service([world.provider.url], timeout_ms=20_000, bulkhead=bulkhead))
    with world.client() as client, ThreadPoolExecutor(2) as callers:
        first = callers.submit(client.get, f"{API}/parcels/slow")
        assert held.acquire(timeout=20)
        second = callers.submit(client.get, f"{API}/parcels/1")
        world.wait(
            lambda: any(line.endswith(" 1.0") for line in figures(world, "lienthong_bulkheads_waiting")),
            "the second call waits",
        )
        go.set()
        assert (first.result().status_code, second.result().status_code) == (200, 200)


def test_a_large_answer_keeps_its_place_until_it_has_passed(world: World) -> None:
    whole = b"x" * 4_000_000

    async def large(exchange: Exchange) -> None:
        await exchange.answer(whole)

    world.provider.behaviours["/parcels/large"] = large
    world.change(service([world.provider.url], bulkhead=routes_pb2.Bulkhead(calls=1)))
    with world.client() as client:
        with client.stream("GET", f"{API}/parcels/large") as answer:
            assert problem(client.get(f"{API}/parcels/1")) == (503, "provider-busy")
            assert answer.read() == whole
        world.wait(lambda: client.get(f"{API}/parcels/1").status_code == 200, "the place is free")


def test_an_address_that_fails_its_checks_is_not_called_until_it_passes_them(world: World) -> None:
    well = threading.Event()

    async def health(exchange: Exchange) -> None:
        await exchange.answer(status="200 OK" if well.is_set() else "500 Internal Server Error")

    world.provider.behaviours["/health"] = health
    check = routes_pb2.HealthCheck(
        path="/health", interval_s=2, timeout_ms=1900, statuses=[200], healthy_after=1, unhealthy_after=1
    )
    world.change(service([world.provider.url, world.second_provider.url], health_check=check))
    with world.client() as client:
        assert client.get(f"{API}/parcels/1").status_code == 200
        world.wait(lambda: "provider fails its checks" in world.log.read_text(), "the checks fail")
        world.provider.seen.clear()
        for _ in range(10):
            assert client.get(f"{API}/parcels/1").status_code == 200
        asked = {exchange.request_line for exchange in world.provider.seen}
        assert asked <= {"GET /health HTTP/1.1"}
        well.set()
        world.wait(lambda: "provider passes its checks" in world.log.read_text(), "the checks pass")

        def called() -> bool:
            assert client.get(f"{API}/parcels/1").status_code == 200
            return any("/parcels/1" in exchange.request_line for exchange in world.provider.seen)

        world.wait(called, "the address is called again")
    health_checks = [one for one in world.provider.seen if "/health" in one.request_line]
    assert all(one.header("authorization") is None for one in health_checks)
    assert figures(world, "lienthong_providers_checks")


def test_a_service_that_declares_no_check_any_more_is_not_asked_again(world: World) -> None:
    check = routes_pb2.HealthCheck(
        path="/health-2", interval_s=1, timeout_ms=900, statuses=[200], healthy_after=1, unhealthy_after=1
    )
    world.provider.seen.clear()
    world.change(service([world.provider.url], health_check=check))

    def asked() -> int:
        return sum("/health-2" in exchange.request_line for exchange in world.provider.seen)

    with world.client() as client:
        assert client.get(f"{API}/parcels/1").status_code == 200
        world.wait(lambda: asked() >= 2, "it is asked")
        world.change(service([world.provider.url]))
        before = asked()
        # Two rounds of another service's checks are time enough for one of its own.
        other = routes_pb2.HealthCheck(
            path="/health-3", interval_s=1, timeout_ms=900, statuses=[200], healthy_after=1, unhealthy_after=1
        )
        world.change(
            service([world.second_provider.url], service_id=OTHER_SERVICE, health_check=other),
            agreement("one-stop-owners", service_id=OTHER_SERVICE),
        )
        assert client.get(f"/api/{OTHER_SERVICE}/parcels/1").status_code == 200
        world.wait(
            lambda: sum("/health-3" in one.request_line for one in world.second_provider.seen) >= 3,
            "the other is asked",
        )
    assert asked() <= before + 1
