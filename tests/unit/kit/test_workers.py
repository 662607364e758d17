"""Work of others is done where it can be ended, and no sender holds up another."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lienthong.kit.clock import ManualClock
from lienthong.kit.problems import ProblemError
from lienthong.kit.workers import (
    ALL_WORK,
    SENDERS_TIME,
    SENDERS_WORK,
    TooCostlyError,
    Workers,
    _ForkServer,
    _Worker,
)
from tests.support.waiting import at_rest, wait_until
from tests.unit.kit.work import (
    add,
    end,
    fill,
    parent_process_id,
    process_id,
    refuse,
    refuse_strangely,
    spin,
    stay,
    unsendable,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def started(count: int = 2, clock: ManualClock | None = None) -> AsyncIterator[Workers]:
    now = time.monotonic if clock is None else clock.monotonic
    workers = Workers(count, ["tests.unit.kit.work"], now=now)
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


@pytest.mark.parametrize("raised", [True, False])
async def test_what_cannot_be_made_again_from_its_pickle_is_a_failure_and_the_worker_stays(
    *, raised: bool
) -> None:
    async with started(1) as workers:
        before = await workers.run("a", 1, process_id)
        with pytest.raises(RuntimeError, match="StrangeError"):
            await workers.run("a", 1, refuse_strangely, raised)
        assert await workers.run("a", 1, process_id) == before


@pytest.mark.parametrize(
    ("function", "argument"),
    [(spin, 30.0), (fill, 1 << 40), (unsendable, None)],
    ids=["time", "memory", "result"],
)
async def test_work_that_takes_too_much_is_ended_and_the_next_is_done(
    function: object, argument: object
) -> None:
    async with started() as workers:
        with pytest.raises(TooCostlyError):
            await workers.run("a", 0.2, function, argument)  # type: ignore[arg-type]
        assert await workers.run("a", 1, add, 1, 2) == 3


async def test_a_worker_whose_work_needed_more_memory_than_there_is_does_no_other_work() -> None:
    async with started(1) as workers:
        before = await workers.run("a", 1, process_id)
        with pytest.raises(TooCostlyError):
            await workers.run("a", 1, fill, 1 << 40)
        assert await workers.run("b", 1, process_id) != before


async def test_a_worker_that_ends_is_replaced() -> None:
    async with started(1) as workers:
        before = await workers.run("a", 1, process_id)
        with pytest.raises(TooCostlyError):
            await workers.run("a", 1, end)
        assert await workers.run("a", 1, process_id) != before


async def test_what_forks_workers_is_replaced_too() -> None:
    async with started(1) as workers:
        forks, before = await workers.run("a", 1, parent_process_id), await workers.run("a", 1, process_id)
        os.kill(forks, signal.SIGKILL)
        assert await workers.run("a", 1, process_id) == before, "a worker does not need it"
        with pytest.raises(TooCostlyError):
            await workers.run("a", 1, end)
        assert await workers.run("a", 1, parent_process_id) not in {forks, os.getpid()}


async def test_work_that_nobody_waits_for_is_ended() -> None:
    async with started(1) as workers:
        waiting = asyncio.create_task(workers.run("a", 20, spin, 20.0))
        await asyncio.sleep(0.1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await workers.run("b", 1, add, 1, 2) == 3


async def test_a_sender_has_one_worker_and_others_do_not_wait_for_it(tmp_path: Path) -> None:
    async with started(2) as workers:
        slow = [asyncio.create_task(workers.run("slow", 10, stay, str(tmp_path / "end"))) for _ in range(3)]
        await at_rest(*slow)
        for number in range(20):
            assert await workers.run("quick", 1, add, number, 1) == number + 1
        assert not any(work.done() for work in slow)
        (tmp_path / "end").touch()
        await asyncio.gather(*slow)


async def test_slow_senders_leave_a_worker_to_the_others_whatever_else_they_send(tmp_path: Path) -> None:
    async with started(2, ManualClock()) as workers:
        names = [f"slow {number}" for number in range(3)]
        for name in names:
            await workers.run(name, 10, spin, 0.12)
            # What costs nothing is nothing to buy a place with.
            await workers.run(name, 10, add, 1, 2)
            with pytest.raises(ProblemError):
                await workers.run(name, 10, refuse, "not this")
        slow = [asyncio.create_task(workers.run(name, 10, stay, str(tmp_path / "end"))) for name in names]
        await at_rest(*slow)
        for number in range(20):
            assert await workers.run("quick", 1, add, number, 1) == number + 1
        assert not any(work.done() for work in slow)
        (tmp_path / "end").touch()
        await asyncio.gather(*slow)


async def test_a_worker_that_is_started_again_counts_among_those_of_slow_senders(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with started(2, ManualClock()) as workers:
        for name in ("slow 1", "slow 2"):
            await workers.run(name, 10, spin, 0.12)
        may_start = asyncio.Event()
        start = _Worker.start

        async def start_later(fork_server: _ForkServer) -> _Worker:
            await may_start.wait()
            return await start(fork_server)

        monkeypatch.setattr(_Worker, "start", start_later)
        with pytest.raises(TooCostlyError):
            await workers.run("slow 1", 0.1, spin, 20.0)
        slow = asyncio.create_task(workers.run("slow 2", 10, stay, str(tmp_path / "end")))
        await at_rest(slow)
        assert await workers.run("quick", 1, add, 1, 2) == 3
        assert not slow.done()
        may_start.set()
        (tmp_path / "end").touch()
        await slow


async def test_a_sender_is_no_longer_slow_when_its_time_has_passed() -> None:
    clock = ManualClock()
    async with started(2, clock) as workers:
        for name in ("a", "b"):
            await workers.run(name, 10, spin, 0.2)
        assert await both_at_once(workers, "a", "b") is False
        clock.advance(SENDERS_TIME.most_debt / SENDERS_TIME.per_second)
        assert await both_at_once(workers, "a", "b") is True


async def both_at_once(workers: Workers, one: str, other: str) -> bool:
    """Whether two senders have a worker each."""
    work = [asyncio.create_task(workers.run(name, 10, spin, 0.2)) for name in (one, other)]
    await at_rest(*work)
    at_once = workers._free.empty()
    await asyncio.gather(*work)
    return at_once


async def test_of_one_sender_so_much_work_waits_and_of_all_as_much_more_as_has_a_place() -> None:
    async with started(2) as workers:
        flood = [asyncio.create_task(workers.run("flood", 1, spin, 0.01)) for _ in range(SENDERS_WORK + 5)]
        outcomes = await asyncio.gather(*flood, return_exceptions=True)
        refused = [outcome for outcome in outcomes if isinstance(outcome, ProblemError)]
        assert [(problem.code, problem.headers) for problem in refused] == [
            ("rate-limited", {"Retry-After": "1"})
        ] * 5

        senders = ALL_WORK // SENDERS_WORK
        flood = [
            asyncio.create_task(workers.run(f"sender {number % senders}", 1, add, 1, 2))
            for number in range(ALL_WORK)
        ]
        await asyncio.sleep(0)
        one = asyncio.create_task(workers.run("someone else", 1, add, 3, 4))
        await asyncio.sleep(0)
        with pytest.raises(ProblemError) as refused_too:
            await workers.run("someone else", 1, add, 3, 4)
        assert (refused_too.value.code, refused_too.value.headers) == ("busy", {"Retry-After": "1"})
        assert await one == 7, "who has nothing under way finds a place"
        assert await asyncio.gather(*flood) == [3] * ALL_WORK
        assert await workers.run("someone else", 1, add, 3, 4) == 7


_PARENT = """
import asyncio, sys
from lienthong.kit.workers import Workers
from tests.support.waiting import at_rest, wait_until
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
    wait_until(lambda: not Path(f"/proc/{worker}").exists(), "the worker is still there")
