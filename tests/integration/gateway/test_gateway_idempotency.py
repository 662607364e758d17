"""Calls with an Idempotency-Key: made once, and answered as often as they are asked, on every gateway."""

from __future__ import annotations

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import nats
import pytest

from lienthong.contracts.catalog.v1 import routes_pb2
from tests.integration.gateway.world import API, OTHER_CONSUMER, agreement, assert_in_form, service
from tests.support.ports import take_free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.integration.gateway.peers import Exchange
    from tests.integration.gateway.world import World

    NewWorld = Callable[..., World]

DAY_S = 86_400


@pytest.fixture(autouse=True)
def _declared(world: World) -> Iterator[None]:
    declare(world)
    world.provider.seen.clear()
    yield
    world.provider.behaviours.clear()


def declare(world: World, *, required: bool = True, upstream: str = "", **more: Any) -> None:  # noqa: ANN401
    terms = routes_pb2.Idempotency(required=required, retain_s=DAY_S)
    world.change(service([upstream or world.provider.url], idempotency=terms, **more))


def post(
    client: httpx.Client, key: str | None, body: object = None, path: str = f"{API}/parcels"
) -> httpx.Response:
    headers = {"Idempotency-Key": f'"{key}"'} if key is not None else {}
    return client.post(path, json=body if body is not None else {"parcel": 7}, headers=headers)


def made(world: World) -> int:
    return sum(exchange.request_line.startswith("POST") for exchange in world.provider.seen)


def error(answer: httpx.Response) -> tuple[int, str | None]:
    return answer.status_code, answer.headers.get("lgsp-error")


def test_a_repeated_call_is_made_once_and_given_the_same_answer(world: World) -> None:
    async def created(exchange: Exchange) -> None:
        await exchange.answer(b'{"number":1}', "201 Created", "location: /parcels/7\r\nx-own: 1\r\n")

    world.provider.behaviours["/parcels"] = created
    with world.client() as client:
        first, again = post(client, "once"), post(client, "once")
    assert made(world) == 1
    assert (first.status_code, again.status_code, again.content) == (201, 201, first.content)
    assert "lgsp-replayed" not in first.headers
    assert again.headers["lgsp-replayed"] == first.headers["lgsp-transaction-id"]
    assert again.headers["lgsp-transaction-id"] != first.headers["lgsp-transaction-id"]
    for name in ("location", "x-own", "content-type", "content-length"):
        assert again.headers[name] == first.headers[name]
    record = world.record(again.headers["lgsp-transaction-id"])
    assert record["replays"] == first.headers["lgsp-transaction-id"]
    assert (record["status"], record.get("forwarded")) == (201, None)
    assert_in_form([record, world.record(first.headers["lgsp-transaction-id"])])


def test_a_key_of_another_request_is_refused(world: World) -> None:
    with world.client() as client:
        first = post(client, "reused")
        assert error(post(client, "reused", {"parcel": 8})) == (422, "idempotency-key-reused")
        refused = client.delete(f"{API}/parcels/1", headers={"Idempotency-Key": '"reused"'})
        assert refused.status_code in (403, 422)
        assert first.headers["lgsp-transaction-id"] in post(client, "reused", {"parcel": 8}).json()["detail"]
    assert made(world) == 1


def test_a_key_is_each_callers_own(world: World) -> None:
    world.change(agreement("portal-parcels", consumer=OTHER_CONSUMER))
    with world.client() as one, world.client(world.token(OTHER_CONSUMER)) as other:
        assert (post(one, "shared").status_code, post(other, "shared").status_code) == (200, 200)
    assert made(world) == 2


def test_a_call_without_the_key_that_is_required_is_refused_and_reading_needs_none(world: World) -> None:
    with world.client() as client:
        assert error(post(client, None)) == (400, "idempotency-key-missing")
        assert client.get(f"{API}/parcels/1").status_code == 200
        refused = client.post(f"{API}/parcels", json={}, headers={"Idempotency-Key": "a b"})
        assert error(refused) == (400, "malformed-request")
        declare(world, required=False)
        assert post(client, None).status_code == 200
    assert made(world) == 1


def test_while_the_first_call_is_under_way_another_is_told(world: World) -> None:
    held, go = threading.Semaphore(0), threading.Event()

    async def slow(exchange: Exchange) -> None:
        held.release()
        await asyncio.to_thread(go.wait, 20)
        await exchange.answer()

    world.provider.behaviours["/parcels"] = slow
    declare(world, timeout_ms=20_000)
    with world.client() as client, ThreadPoolExecutor(1) as callers:
        first = callers.submit(post, client, "under-way")
        assert held.acquire(timeout=20)
        told = post(client, "under-way")
        assert error(told) == (409, "idempotency-key-in-progress")
        assert told.headers["retry-after"] == "1"
        go.set()
        assert first.result().status_code == 200
        assert "lgsp-replayed" in post(client, "under-way").headers
    assert made(world) == 1


def test_a_caller_that_gave_up_waiting_is_given_the_answer_when_it_asks_again(world: World) -> None:
    held, go = threading.Semaphore(0), threading.Event()

    async def slow(exchange: Exchange) -> None:
        held.release()
        await asyncio.to_thread(go.wait, 20)
        await exchange.answer(b'{"number":1}')

    world.provider.behaviours["/parcels"] = slow
    declare(world, timeout_ms=20_000)
    with world.client() as impatient:
        impatient.timeout = httpx.Timeout(30, read=2)
        with pytest.raises(httpx.ReadTimeout):
            post(impatient, "gave-up")
    assert held.acquire(timeout=20)
    go.set()
    with world.client() as client:
        world.wait(lambda: "lgsp-replayed" in post(client, "gave-up").headers, "the answer is there")
        assert post(client, "gave-up").json() == {"number": 1}
    assert made(world) == 1


def test_a_call_that_never_reached_the_provider_may_be_made_with_the_same_key(world: World) -> None:
    declare(world, upstream=f"http://127.0.0.1:{take_free_port()}")
    with world.client() as client:
        assert error(post(client, "not-sent")) == (502, "provider-unreachable")
        declare(world)
        after = post(client, "not-sent")
        assert (after.status_code, "lgsp-replayed" in after.headers) == (200, False)


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
def test_a_provider_that_says_it_did_nothing_is_asked_again(world: World, status: str) -> None:
    async def later(exchange: Exchange) -> None:
        await exchange.answer(b"{}", status)

    world.provider.behaviours["/parcels"] = later
    with world.client() as client:
        assert post(client, status[:3]).status_code == int(status[:3])
        world.provider.behaviours.clear()
        assert post(client, status[:3]).status_code == 200


def test_a_call_whose_outcome_nobody_knows_is_not_made_again(world: World) -> None:
    async def break_off(exchange: Exchange) -> None:
        exchange.writer.close()

    world.provider.behaviours["/parcels"] = break_off
    with world.client() as client:
        first = post(client, "unknown")
        assert error(first) == (502, "provider-broken")
        world.provider.behaviours.clear()
        told = post(client, "unknown")
        assert error(told) == (409, "idempotency-outcome-unknown")
        assert first.headers["lgsp-transaction-id"] in told.json()["detail"]
    assert made(world) == 1


def test_an_answer_that_is_too_large_passes_and_is_told_instead_of_given_again(world: World) -> None:
    whole = json.dumps({"x": "y" * 400_000}).encode()

    async def large(exchange: Exchange) -> None:
        await exchange.answer(whole)

    world.provider.behaviours["/parcels"] = large
    with world.client() as client:
        assert post(client, "large").content == whole
        assert error(post(client, "large")) == (409, "idempotency-answer-not-kept")
    assert made(world) == 1


def test_two_gateways_and_their_workers_know_the_same_keys(new_world: NewWorld) -> None:
    world = new_world(workers=2)
    world.start()
    declare(world)
    world.provider.seen.clear()
    key_file = world.folder / "home" / "gateway" / "privacy.key"
    (world.folder / "another" / "gateway").mkdir(parents=True)
    (world.folder / "another" / "gateway" / "privacy.key").write_bytes(key_file.read_bytes())
    with world.another("another") as url:
        calls = [f"{base}{API}/parcels" for base in (world.url, url) for _ in range(6)]
        headers = {"Authorization": f"Bearer {world.token()}", "Idempotency-Key": '"everywhere"'}

        def call(address: str) -> httpx.Response:
            return httpx.post(address, json={"parcel": 7}, headers=headers, trust_env=False, timeout=30)

        with ThreadPoolExecutor(len(calls)) as callers:
            answers = list(callers.map(call, calls))
    assert made(world) == 1
    assert {error(answer) for answer in answers} <= {(200, None), (409, "idempotency-key-in-progress")}


def test_without_the_store_calls_with_a_key_are_refused_and_others_pass(new_world: NewWorld) -> None:
    world = new_world()
    world.start()
    declare(world, required=False)
    with world.client() as client:
        assert post(client, "before").status_code == 200
        world.nats.kill()
        world.provider.seen.clear()

        def refused() -> bool:
            return error(post(client, "away")) == (503, "idempotency-unavailable")

        world.wait(refused, "the store is away")
        assert made(world) == 0
        assert post(client, None).status_code == 200


def test_the_store_holds_nothing_that_can_be_read(world: World) -> None:
    async def personal(exchange: Exchange) -> None:
        await exchange.answer(b'{"name":"Nguyen Van A"}')

    world.provider.behaviours["/parcels"] = personal
    with world.client() as client:
        assert post(client, "private-key-of-mine").status_code == 200

    async def stored() -> bytes:
        connection = await nats.connect(world.nats.url)
        try:
            stream = connection.jetstream()
            info = await stream.stream_info("IDEMPOTENCY")
            found = b""
            for sequence in range(info.state.first_seq, info.state.last_seq + 1):
                try:
                    message = await stream.get_msg("IDEMPOTENCY", sequence)
                except nats.js.errors.NotFoundError:
                    continue
                found += (message.subject or "").encode() + (message.data or b"")
            return found
        finally:
            await connection.close()

    everything = world.loop.run(stored()) + world.log.read_bytes()
    assert everything
    for secret in (b"Nguyen", b"private-key-of-mine", b"one-stop/"):
        assert secret not in everything
