"""No answer before its record is durable, whatever happens to the bus and the disk."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import httpx
import nats
from nats.js.errors import APIError

from tests.integration.gateway.world import API, CONSUMER, World, assert_in_form, read_journal, service

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.gateway.peers import Exchange

    NewWorld = Callable[..., World]


def spool_files(world: World) -> list[Path]:
    """What waits on disk."""
    return list((world.folder / "home/gateway/spool").glob("*.spool"))


async def _hammer(
    world: World, count: int, concurrency: int, during: Callable[[], None]
) -> list[httpx.Response]:
    """Make calls while something happens; the answers."""
    numbers = iter(range(count))
    answers: list[httpx.Response] = []
    headers = {"Authorization": f"Bearer {world.token()}"}
    async with httpx.AsyncClient(base_url=world.url, headers=headers, trust_env=False, timeout=30) as client:

        async def caller() -> None:
            answers.extend([await client.get(f"{API}/parcels/1") for _ in numbers])

        happening = asyncio.to_thread(during)
        await asyncio.gather(happening, *(caller() for _ in range(concurrency)))
    return answers


def hammer(world: World, during: Callable[[], None], count: int = 1500) -> list[httpx.Response]:
    """Make calls, 16 at once, while something happens; the answers."""
    return asyncio.run(_hammer(world, count, 16, during))


def assert_each_has_one_record(world: World, answers: list[httpx.Response]) -> None:
    """Exactly one record for each answered call."""
    world.wait(lambda: not spool_files(world), "the spool is shipped")
    found = Counter(record["tx"] for record in world.records())
    answered = [answer.headers["lgsp-transaction-id"] for answer in answers]
    assert len(set(answered)) == len(answered)
    assert {tx: found[tx] for tx in answered if found[tx] != 1} == {}


def test_nats_killed_and_started_under_load_loses_no_record_and_no_call(new_world: NewWorld) -> None:
    world = new_world()
    world.start()

    def during() -> None:
        for _ in range(2):
            time.sleep(0.3)
            world.nats.kill()
            time.sleep(0.5)
            world.nats.start()

    answers = hammer(world, during, 2500)
    assert Counter(answer.status_code for answer in answers) == {200: 2500}
    assert_each_has_one_record(world, answers)


def test_calls_do_not_wait_for_a_bus_that_hangs_more_than_once(new_world: NewWorld) -> None:
    world = new_world()
    world.start()
    with world.client() as client:
        assert client.get(f"{API}/parcels/1").status_code == 200
        world.nats.suspend()
        try:
            answers, times = [], []
            for _ in range(20):
                began = time.monotonic()
                answers.append(client.get(f"{API}/parcels/1"))
                times.append(time.monotonic() - began)
        finally:
            world.nats.resume()
    assert Counter(answer.status_code for answer in answers) == {200: 20}
    # The bus is waited for a second (LIENTHONG_GATEWAY_JOURNAL_TIMEOUT_S).
    assert sum(spent > 0.9 for spent in times) == 1, times
    assert_each_has_one_record(world, answers)


def test_a_gateway_that_starts_without_a_bus_serves_and_ships_later(new_world: NewWorld) -> None:
    world = new_world()
    world.nats.kill()
    world.start()
    with world.client() as client:
        answers = [client.get(f"{API}/parcels/1") for _ in range(10)]
    assert Counter(answer.status_code for answer in answers) == {200: 10}
    assert spool_files(world)
    world.nats.start()
    assert_each_has_one_record(world, answers)


def test_records_in_the_spool_outlive_the_gateway(new_world: NewWorld) -> None:
    world = new_world()
    world.start()
    world.nats.kill()
    with world.client() as client:
        answers = [client.get(f"{API}/parcels/1") for _ in range(10)]
    world.kill_gateway()
    assert Counter(answer.status_code for answer in answers) == {200: 10}
    torn = max(spool_files(world))
    with torn.open("ab") as file:
        file.write(b"\x00\x00\x01\x00torn")
    world.nats.start()
    world.start()
    assert_each_has_one_record(world, answers)


def test_without_bus_and_spool_calls_are_refused_before_they_are_forwarded(new_world: NewWorld) -> None:
    world = new_world()
    world.start()
    with world.client() as client:
        assert client.get(f"{API}/parcels/1").status_code == 200
        spool = world.folder / "home/gateway/spool"
        spool.write_text("not a folder")
        world.nats.kill()
        world.wait(lambda: client.get(f"{API}/parcels/1").status_code == 503, "calls are refused")
        reached = len(world.provider.seen)
        refused = client.get(f"{API}/parcels/1")
        assert refused.status_code == 503
        assert refused.json()["code"] == "audit-unavailable"
        assert refused.headers["lgsp-error"] == "audit-unavailable"
        assert refused.headers["retry-after"] == "1"
        assert len(world.provider.seen) == reached, "nothing is forwarded"
        assert not world.ready()
        spool.unlink()
        world.wait(lambda: client.get(f"{API}/parcels/1").status_code == 200, "the spool takes records")
        answer = client.get(f"{API}/parcels/1")
    world.nats.start()
    assert_each_has_one_record(world, [answer])

    def counted() -> list[dict[str, Any]]:
        return [record for record in world.records() if record["kind"] == "refused-sample"]

    world.wait(counted, "the count of refused calls")
    assert {record["error"] for record in counted()} == {"audit-unavailable"}


def test_a_full_journal_fills_the_spool_then_refuses_calls_and_goes_on_with_more_room(
    new_world: NewWorld,
) -> None:
    world = new_world(spool_max_bytes=20_000, sample_every_s=0.5)
    world.start()
    answers: list[httpx.Response] = []
    with world.client() as client:
        answers.append(client.get(f"{API}/parcels/1"))
        world.loop.run(fill_journal(world.nats.url))
        while answers[-1].status_code == 200:
            answers.append(client.get(f"{API}/parcels/1"))
        refused = answers.pop()
        assert (refused.status_code, refused.json()["code"]) == (503, "audit-unavailable")
        assert len(answers) > 5, "the spool takes over first"
        assert "maximum bytes exceeded" in world.log.read_text()
        world.loop.run(fill_journal(world.nats.url, limit=2**24))
        world.wait(lambda: client.get(f"{API}/parcels/1").status_code == 200, "calls go on")
    assert_each_has_one_record(world, answers)


async def fill_journal(url: str, limit: int = 2**20) -> None:
    """Give the journal this limit in bytes; at the usual one, fill it with records of others."""
    connection = await nats.connect(url)
    stream = connection.jetstream()
    config = (await stream.stream_info("JOURNAL")).config
    config.max_bytes = limit
    await stream.update_stream(config)
    for number, size in enumerate((60_000,) * 17 + (600,) * 60):
        record = json.dumps({"v": 1, "id": str(number), "tx": "", "kind": "x", "x": "x" * size})
        if limit == 2**20:
            with contextlib.suppress(APIError):
                await stream.publish("journal.other", record.encode())
    await connection.close()


def test_a_full_spool_refuses_calls_until_the_bus_is_back(new_world: NewWorld) -> None:
    world = new_world(spool_max_bytes=20_000, sample_every_s=0.5)
    world.start()
    world.nats.kill()
    answers: list[httpx.Response] = []
    with world.client() as client:
        while not answers or answers[-1].status_code == 200:
            answers.append(client.get(f"{API}/parcels/1"))
        assert answers[-1].json()["code"] == "audit-unavailable"
        answers = [answer for answer in answers if answer.status_code == 200]
        assert len(answers) > 5
        assert "spool is filling" in world.log.read_text()
        world.nats.start()
        world.wait(lambda: client.get(f"{API}/parcels/1").status_code == 200, "calls go on")
    assert_each_has_one_record(world, answers)


def test_a_large_answer_is_broken_off_when_its_record_cannot_be_stored(new_world: NewWorld) -> None:
    world = new_world()
    world.change(service([world.provider.url], timeout_ms=30_000))
    go_on = asyncio.Event()

    async def large(exchange: Exchange) -> None:
        exchange.writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        exchange.writer.write(b"80000\r\n" + b"x" * 0x80000 + b"\r\n")
        await exchange.writer.drain()
        await go_on.wait()
        exchange.writer.write(b"5\r\nfinal\r\n0\r\n\r\n")
        await exchange.writer.drain()

    world.provider.behaviours["/parcels/large"] = large
    world.start()
    with world.client() as client, client.stream("GET", f"{API}/parcels/large") as answer:
        body = b""
        pieces = answer.iter_raw()
        while len(body) < 100_000:
            body += next(pieces)
        shutil.rmtree(world.folder / "home/gateway/spool", ignore_errors=True)
        (world.folder / "home/gateway/spool").write_text("not a folder")
        world.nats.kill()
        world.loop.run(_set(go_on))
        try:
            for piece in pieces:
                body += piece
            complete = True
        except httpx.RemoteProtocolError:
            complete = False
    assert not complete
    assert b"final" not in body
    (world.folder / "home/gateway/spool").unlink()
    world.nats.start()
    tx = answer.headers["lgsp-transaction-id"]
    world.wait(lambda: any(record["tx"] == tx for record in world.records()), "the record, later")


async def _set(event: asyncio.Event) -> None:
    event.set()


def test_what_was_under_way_is_recorded_when_the_gateway_is_stopped(new_world: NewWorld) -> None:
    world = new_world()

    async def slow(exchange: Exchange) -> None:
        await asyncio.sleep(1)
        await exchange.answer()

    world.provider.behaviours["/parcels/slow"] = slow
    world.start()
    answers: list[httpx.Response] = []

    async def calls() -> None:
        headers = {"Authorization": f"Bearer {world.token()}"}
        async with httpx.AsyncClient(base_url=world.url, headers=headers, trust_env=False) as client:
            under_way = [asyncio.create_task(client.get(f"{API}/parcels/slow")) for _ in range(20)]
            await asyncio.to_thread(world.wait, lambda: len(world.provider.seen) == 20, "the calls")
            status = await asyncio.to_thread(world.stop_gateway)
            answers.extend(await asyncio.gather(*under_way))
            assert status == 0

    asyncio.run(calls())
    assert Counter(answer.status_code for answer in answers) == {200: 20}
    assert_each_has_one_record(world, answers)


def test_a_flood_without_tokens_is_counted_not_recorded_one_by_one(new_world: NewWorld) -> None:
    world = new_world(unauthenticated_per_s=1, unauthenticated_burst=5, sample_every_s=0.5)
    world.start()
    with world.client("") as client:
        statuses = Counter(client.get(f"{API}/parcels/1").status_code for _ in range(100))
        statuses += Counter(client.get("/audit/checkpoint").status_code for _ in range(50))
    with world.client() as client:
        known = client.get(f"{API}/parcels/1")
    assert statuses == {401: 100, 200: 50}

    def counted() -> int:
        found = [record for record in world.records() if record["tx"] != known.headers["lgsp-transaction-id"]]
        return sum(record.get("count", 1) for record in found)

    world.wait(lambda: counted() == 150, "every call is accounted for")
    records = world.records()
    assert_in_form(records)
    samples = [record for record in records if record["kind"] == "refused-sample"]
    assert len([record for record in records if "client" not in record and record["kind"] == "call"]) < 20
    assert {(sample.get("error"), sample.get("service")) for sample in samples} == {
        ("no-token", None),
        (None, "lienthong/ledger"),
    }
    assert all(sample["since"] <= sample["at"] for sample in samples)
    assert world.record(known.headers["lgsp-transaction-id"])["client"] == CONSUMER


def test_an_intent_is_durable_before_a_write_ahead_call_is_forwarded(new_world: NewWorld) -> None:
    world = new_world()
    seen: list[list[dict[str, Any]]] = []

    async def looking(exchange: Exchange) -> None:
        seen.append(await read_journal(world.nats.url))
        await exchange.answer()

    world.provider.behaviours["/parcels/1"] = looking
    world.change(service([world.provider.url], write_ahead=True))
    world.start()
    with world.client() as client:
        answer = client.get(f"{API}/parcels/1")
    assert answer.status_code == 200
    tx = answer.headers["lgsp-transaction-id"]
    assert [(record["kind"], record["tx"]) for record in seen[0]] == [("intent", tx)]
    intent, outcome = world.record(tx, "intent"), world.record(tx)
    assert_in_form([intent, outcome])
    assert intent["id"] != outcome["id"]
    assert "status" not in intent
    assert intent["at"] <= outcome["forwarded"]
