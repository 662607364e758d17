"""Time limits: each side answers for its own slowness, and nothing is cut off while it goes on."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from lienthong.contracts.catalog.v1 import routes_pb2
from lienthong.kit.ids import uuid7
from tests.integration.gateway.test_gateway_streams import of_case
from tests.integration.gateway.world import API, World, service
from tests.support.promises import allowed_s

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.gateway.peers import Behaviour, Exchange

LONGEST_S = 6.0
PIECE = b"x" * 50_000


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A gateway on which no call lasts longer than six seconds."""
    world = World(
        tmp_path_factory.mktemp("gateway"),
        longest_call_s=LONGEST_S,
        caller_bytes_per_s=1,
        caller_timeout_s=30,
    )
    try:
        world.start()
        yield world
    finally:
        world.close()


def limited(world: World, *, first_byte_ms: int = 1500, idle_ms: int = 1500, total_ms: int = 0) -> None:
    """Set the service's limits."""
    limits = routes_pb2.Timeouts(first_byte_ms=first_byte_ms, idle_ms=idle_ms, total_ms=total_ms)
    world.change(service([world.provider.url], timeouts=limits, max_request_bytes=1 << 30))


def in_pieces(number: int, pause: float, *, waits: float = 0.0, declared: int | None = None) -> Behaviour:
    """A behaviour that answers after `waits` seconds, with a pause before each piece but the first."""

    async def answer(exchange: Exchange) -> None:
        await asyncio.sleep(waits)
        size = (declared or number) * len(PIECE)
        exchange.writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size)
        for piece in range(number):
            await asyncio.sleep(pause if piece else 0)
            exchange.writer.write(PIECE)
            await exchange.writer.drain()
        if declared is not None:
            await exchange.reader.read()

    return answer


def test_an_answer_that_goes_on_takes_longer_than_each_of_its_limits(world: World) -> None:
    limited(world)
    world.provider.behaviours["/parcels/flows"] = in_pieces(12, 0.2, waits=0.3)
    began = time.monotonic()
    with world.client() as client:
        answer = client.get(f"{API}/parcels/flows")
    assert time.monotonic() - began > 2
    assert (answer.status_code, len(answer.content)) == (200, 12 * len(PIECE))
    record = world.record(answer.headers["lgsp-transaction-id"])
    assert "error" not in record
    assert "aborted" not in record


@pytest.mark.parametrize("pieces", [1, 8], ids=["whole", "streamed"])
def test_a_provider_that_stops_in_between_is_blamed(world: World, pieces: int) -> None:
    limited(world)
    world.provider.behaviours["/parcels/stops"] = in_pieces(pieces, 0, declared=pieces + 1)
    case = uuid7()
    with world.client() as client:
        if pieces == 1:
            answer = client.get(f"{API}/parcels/stops", headers={"LGSP-Case-Id": case})
            assert (answer.status_code, answer.json()["code"]) == (504, "provider-timeout")
        else:
            with pytest.raises(httpx.RemoteProtocolError):
                client.get(f"{API}/parcels/stops", headers={"LGSP-Case-Id": case})
    world.wait(lambda: of_case(world, case), "the record")
    assert of_case(world, case)[0]["error"] == "provider-timeout"


def test_a_provider_that_does_not_begin_is_blamed(world: World) -> None:
    limited(world, first_byte_ms=500, idle_ms=3000)
    world.provider.behaviours["/parcels/late"] = in_pieces(1, 0, waits=10)
    began = time.monotonic()
    with world.client() as client:
        answer = client.get(f"{API}/parcels/late")
    assert time.monotonic() - began < allowed_s(2)
    assert (answer.status_code, answer.json()["code"]) == (504, "provider-timeout")


def test_an_upload_takes_longer_than_the_provider_may_for_its_answer(world: World) -> None:
    limited(world)

    async def taking(exchange: Exchange) -> None:
        while size := int(await exchange.reader.readline(), 16):
            await exchange.reader.readexactly(size + 2)
        await exchange.reader.readline()
        await exchange.answer()

    def pieces() -> Iterator[bytes]:
        for _ in range(10):
            time.sleep(0.2)
            yield PIECE

    taking.streams = True  # type: ignore[attr-defined]
    world.provider.behaviours["/parcels"] = taking
    with world.client() as client:
        answer = client.post(f"{API}/parcels", content=pieces())
    assert answer.status_code == 200
    assert world.record(answer.headers["lgsp-transaction-id"])["request_bytes"] == 10 * len(PIECE)
    del world.provider.behaviours["/parcels"]


def test_a_slow_reader_is_cut_off_by_no_limit_of_the_providers(world: World) -> None:
    limited(world, idle_ms=1000)
    world.provider.behaviours["/parcels/much"] = in_pieces(200, 0)
    size = 0
    with world.client() as client, client.stream("GET", f"{API}/parcels/much") as answer:
        for number, part in enumerate(answer.iter_raw(1 << 20)):
            size += len(part)
            if number < 2:
                time.sleep(1.3)
    assert size == 200 * len(PIECE)
    assert "error" not in world.record(answer.headers["lgsp-transaction-id"])


@pytest.mark.parametrize("total_ms", [1500, 0], ids=["the service's", "the installation's"])
def test_a_provider_that_trickles_is_cut_off_when_the_time_of_the_whole_is_over(
    world: World, total_ms: int
) -> None:
    limited(world, first_byte_ms=3000, idle_ms=3000, total_ms=total_ms)
    world.provider.behaviours["/parcels/trickles"] = in_pieces(1000, 0.1)
    case, began = uuid7(), time.monotonic()
    with world.client() as client, pytest.raises(httpx.RemoteProtocolError):
        client.get(f"{API}/parcels/trickles", headers={"LGSP-Case-Id": case})
    lasted = time.monotonic() - began
    limit = total_ms / 1000 or LONGEST_S
    assert limit - 0.1 <= lasted < limit + allowed_s(2)
    world.wait(lambda: of_case(world, case), "the record")
    (record,) = of_case(world, case)
    assert (record["error"], record["aborted"]) == ("provider-timeout", True)


def test_a_caller_that_reads_too_slowly_for_the_whole_is_blamed(world: World) -> None:
    limited(world, idle_ms=3000)
    world.provider.behaviours["/parcels/more"] = in_pieces(2000, 0)
    case = uuid7()
    with (
        world.client() as client,
        client.stream("GET", f"{API}/parcels/more", headers={"LGSP-Case-Id": case}) as answer,
    ):
        parts = answer.iter_raw(1 << 16)
        with contextlib.suppress(httpx.HTTPError):
            while not of_case(world, case):
                # So that 100 MB take half a minute.
                time.sleep(0.02)
                next(parts)
    world.wait(lambda: of_case(world, case), "the record")
    (record,) = of_case(world, case)
    assert (record["error"], record["aborted"]) == ("caller-stalled", True)
