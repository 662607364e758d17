"""A caller that does not read, or does not send, ends the call, and is what its record blames."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from tests.support.promises import allowed_s
from tests.unit.gateway.way import CALLER_TIMEOUT_S, Way

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

API = "/api/H11.05/land/parcels-v1/p"


@pytest.fixture
async def way(tmp_path: Path) -> AsyncIterator[Way]:
    way = Way(tmp_path, None, 1000)
    await way.open()
    yield way
    await way.close()


async def test_a_caller_that_stalls_is_recorded_within_the_time_that_it_has(way: Way) -> None:
    began = asyncio.get_running_loop().time()
    found = await way.call("GET", f"{API}/large", token=way.token(), reads=60)
    assert asyncio.get_running_loop().time() - began < CALLER_TIMEOUT_S + allowed_s(1)
    [record] = map(json.loads, found["records"])
    assert (record["status"], record["error"], record["aborted"]) == (200, "caller-stalled", True)
    assert (found["answer"]["body"], found["answer"]["ended"]) == ("broken off", False)


async def test_a_caller_that_reads_slowly_is_blamed_when_the_time_of_the_whole_is_over(way: Way) -> None:
    found = await way.call("GET", f"{API}/flowing", token=way.token(), reads=CALLER_TIMEOUT_S * 0.75)
    [record] = map(json.loads, found["records"])
    assert (record["status"], record["error"], record["aborted"]) == (200, "caller-stalled", True)


async def test_a_provider_that_stalls_is_blamed_although_the_caller_reads(way: Way) -> None:
    found = await way.call("GET", f"{API}/endless", token=way.token())
    [record] = map(json.loads, found["records"])
    assert (record["status"], record["error"], record["aborted"]) == (200, "provider-timeout", True)


async def test_a_caller_that_trickles_is_not_waited_for_longer_than_for_one_that_stalls(way: Way) -> None:
    pauses = CALLER_TIMEOUT_S * 0.75
    found = await way.call(
        "POST",
        f"{API}/1",
        headers={"transfer-encoding": "chunked"},
        token=way.token(),
        body=(b"a",) * 20,
        pauses=pauses,
    )
    record = json.loads(found["records"][0].replace("…", "0"))
    assert (record["status"], record["error"]) == (408, "request-timeout")
    assert found["answer"]["body"] == "problem request-timeout"
    assert 0 < record["request_bytes"] < 20
