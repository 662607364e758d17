"""Passwords are verified beside the loop: so many at once, and those who leave make no room too early."""

from __future__ import annotations

import asyncio
import os
import sys
import threading

import pytest

from lienthong.identity.people.domain.passwords import HASHER
from lienthong.identity.people.service.password_checks import PasswordChecks
from lienthong.kit.problems import ProblemError
from tests.support.waiting import eventually

HASHED = HASHER.hash("ba con trâu ngoài đồng")


async def occupied(checks: PasswordChecks) -> tuple[threading.Event, asyncio.Task[bool]]:
    """The one thread is held until the event is set."""
    released = threading.Event()
    held = asyncio.create_task(checks._run(released.wait))
    await asyncio.sleep(0)
    return released, held


async def test_the_loop_goes_on_and_one_too_many_is_refused_at_once() -> None:
    checks = PasswordChecks(most_waiting=3)
    released, held = await occupied(checks)
    waiting = [asyncio.create_task(checks.verify(HASHED, "ba con trâu ngoài đồng")) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(ProblemError) as met:
        checks.admit()
    assert (met.value.code, met.value.headers["Retry-After"]) == ("busy", "2")
    with pytest.raises(ProblemError):
        await checks.hash("x")
    assert not any(task.done() for task in waiting)
    released.set()
    assert await asyncio.gather(held, *waiting) == [True, True, True]
    assert await checks.verify(HASHED, "another") is False
    checks.close()


async def test_who_leaves_while_the_thread_works_makes_no_room_until_it_is_done() -> None:
    checks = PasswordChecks(most_waiting=1)
    released, held = await occupied(checks)
    held.cancel()
    await asyncio.gather(held, return_exceptions=True)
    with pytest.raises(ProblemError):
        checks.admit()
    released.set()
    await eventually(lambda: checks._inside == 0)
    checks.admit()
    checks.close()


async def test_who_leaves_the_queue_makes_room() -> None:
    checks = PasswordChecks(most_waiting=2)
    released, held = await occupied(checks)
    waiting = asyncio.create_task(checks.verify(HASHED, "x"))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await asyncio.sleep(0)
    checks.admit()
    released.set()
    await held
    checks.close()


@pytest.mark.skipif(sys.platform != "linux", reason="threads have priorities of their own on Linux only")
async def test_the_thread_yields_to_the_one_that_issues_tokens() -> None:
    checks = PasswordChecks()
    there = await checks._run(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
    here = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert there == min(here + 5, 19)
    checks.close()
