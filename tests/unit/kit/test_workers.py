"""Work of others is done where it can be ended, and no sender holds up another."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lienthong.kit.problems import ProblemError
from lienthong.kit.workers import TooCostlyError, Workers
from tests.unit.kit.work import add, end, fill, process_id, refuse, spin

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def started(count: int = 2) -> AsyncIterator[Workers]:
    workers = Workers(count, ["tests.unit.kit.work"])
    await workers.start()
    try:
        yield workers
    finally:
        await workers.close()


async def test_a_result_comes_back_and_an_exception_too() -> None:
    async with started() as workers:
        assert await workers.run("a", 1, add, 1, 2) == 3
        with pytest.raises(ProblemError) as refused:
            await workers.run("a", 1, refuse, "not this")
        assert refused.value.document(None)["errors"] == [1]
        assert refused.value.detail.en == "not this"
        assert await workers.run("a", 1, add, 3, 4) == 7


async def test_a_result_can_come_in_parts() -> None:
    async with started(1) as workers:
        assert await workers.run_each("a", 1, sorted, ["b", "a"]) == ["a", "b"]
        with pytest.raises(ProblemError):
            await workers.run_each("a", 1, refuse, "not this")  # type: ignore[arg-type]


async def test_large_values_pass_both_ways() -> None:
    async with started(1) as workers:
        large = "đ" * 3_000_000
        assert await workers.run("a", 5, str.upper, large) == large.upper()


@pytest.mark.parametrize(("function", "argument"), [(spin, 30.0), (fill, 1 << 40)])
async def test_work_that_takes_too_much_is_ended_and_the_next_is_done(
    function: object, argument: object
) -> None:
    async with started() as workers:
        with pytest.raises((TooCostlyError, MemoryError)):
            await workers.run("a", 0.2, function, argument)  # type: ignore[arg-type]
        assert await workers.run("a", 1, add, 1, 2) == 3


async def test_a_worker_that_ends_is_replaced() -> None:
    async with started(1) as workers:
        before = await workers.run("a", 1, process_id)
        with pytest.raises(TooCostlyError):
            await workers.run("a", 1, end)
        assert await workers.run("a", 1, process_id) != before


async def test_work_that_nobody_waits_for_is_ended() -> None:
    async with started(1) as workers:
        waiting = asyncio.create_task(workers.run("a", 20, spin, 20.0))
        await asyncio.sleep(0.1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await workers.run("b", 1, add, 1, 2) == 3


async def test_a_sender_has_one_worker_and_others_do_not_wait_for_it() -> None:
    async with started(2) as workers:
        slow = [asyncio.create_task(workers.run("slow", 10, spin, 0.3)) for _ in range(3)]
        await asyncio.sleep(0.05)
        for number in range(20):
            assert await workers.run("quick", 1, add, number, 1) == number + 1
        assert not slow[1].done()
        await asyncio.gather(*slow)


async def test_slow_senders_leave_a_worker_to_the_others() -> None:
    async with started(2) as workers:
        names = [f"slow {number}" for number in range(3)]
        for name in names:
            await workers.run(name, 10, spin, 0.12)
        slow = [asyncio.create_task(workers.run(name, 10, spin, 0.3)) for name in names]
        await asyncio.sleep(0.05)
        for number in range(20):
            assert await workers.run("quick", 1, add, number, 1) == number + 1
        assert not slow[-1].done()
        await asyncio.gather(*slow)


_PARENT = """
import asyncio, sys
from lienthong.kit.workers import Workers
from tests.unit.kit.work import process_id, spin

async def main():
    workers = Workers(2, ["tests.unit.kit.work"])
    await workers.start()
    print(await workers.run("a", 1, process_id), flush=True)
    await workers.run("a", 20, spin, 1.0)

asyncio.run(main())
"""


def test_workers_end_when_the_process_that_started_them_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", _PARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 30
    while Path(f"/proc/{worker}").exists():
        assert time.monotonic() < deadline, "the worker is still there"
        time.sleep(0.05)
