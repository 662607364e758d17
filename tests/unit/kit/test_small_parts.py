"""Clock, ids, journal records and health."""

from __future__ import annotations

import contextlib
import gc
import uuid
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from lienthong.kit.clock import ManualClock, SteadyTime, SystemClock, rfc3339
from lienthong.kit.health import health_app
from lienthong.kit.ids import uuid7
from lienthong.kit.loading import uncollected

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


def test_a_manual_clock_moves_only_when_it_is_moved() -> None:
    clock = ManualClock(datetime(2026, 1, 1, 7, tzinfo=timezone(timedelta(hours=7))))
    assert clock.now() == datetime(2026, 1, 1, tzinfo=UTC)
    clock.advance(1.5)
    clock.advance(timedelta(minutes=1))
    assert clock.now() == datetime(2026, 1, 1, 0, 1, 1, 500000, tzinfo=UTC)
    assert clock.monotonic() == 61.5
    with pytest.raises(ValueError, match="forward only"):
        clock.advance(-1)


def test_steady_time_knows_no_jump_forward() -> None:
    clock = ManualClock()
    steady, began = SteadyTime(clock), clock.now()
    clock.jump(timedelta(hours=1))
    assert steady.now() == began
    clock.advance(10)
    assert steady.now() == began + timedelta(seconds=10)
    clock.jump(timedelta(hours=-2))
    assert steady.now() == clock.now() < began
    clock.jump(timedelta(hours=1))
    assert steady.now() == clock.now()
    clock.jump(timedelta(hours=2))
    for _ in range(3):
        clock.advance(timedelta(days=300))
        assert steady.now() == clock.now() - timedelta(hours=2)


def test_steady_time_catches_up_with_a_lead_that_the_clock_keeps() -> None:
    clock = ManualClock(datetime(1970, 1, 1, tzinfo=UTC))
    steady = SteadyTime(clock, believed_after=timedelta(hours=2))
    clock.jump(timedelta(days=20_000))
    for _ in range(3):
        assert steady.now() < datetime(1970, 1, 2, tzinfo=UTC)
        clock.advance(timedelta(minutes=59))
    clock.advance(timedelta(minutes=10))
    assert steady.now() == clock.now()
    clock.jump(timedelta(hours=1))
    assert steady.now() == clock.now() - timedelta(hours=1), "another jump is another lead"


def test_steady_time_believes_no_lead_that_the_clock_lost_again() -> None:
    clock = ManualClock()
    steady = SteadyTime(clock, believed_after=timedelta(hours=2))
    for _ in range(8):
        clock.jump(timedelta(hours=1))
        assert steady.now() == clock.now() - timedelta(hours=1)
        clock.advance(timedelta(minutes=30))
        clock.jump(timedelta(hours=-1))
        assert steady.now() == clock.now()
        clock.advance(timedelta(minutes=30))


def test_clocks_are_aware() -> None:
    assert SystemClock().now().tzinfo is UTC
    with pytest.raises(ValueError, match="aware"):
        ManualClock(datetime(2026, 1, 1))  # noqa: DTZ001


def test_moments_are_written_with_microseconds_in_utc() -> None:
    vietnam = datetime(2026, 11, 23, 13, 30, tzinfo=timezone(timedelta(hours=7)))
    assert rfc3339(vietnam) == "2026-11-23T06:30:00.000000Z"
    with pytest.raises(ValueError, match="aware"):
        rfc3339(datetime(2026, 1, 1))  # noqa: DTZ001


def test_ids_sort_by_the_time_they_were_made_and_never_meet() -> None:
    made = [uuid7() for _ in range(10_000)]
    assert made == sorted(set(made))
    assert uuid.UUID(made[0]).version == 7


async def ask(path: str, checks: dict[str, Callable[[], bool | Awaitable[bool]]]) -> tuple[int, Any]:
    transport = httpx.ASGITransport(app=health_app(checks, no_figures))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.get(path)
    return answer.status_code, answer.json()


async def no_figures(accept: str) -> tuple[bytes, str]:
    return accept.encode(), "text/plain"


async def yes() -> bool:
    return True


def raises() -> bool:
    raise RuntimeError("no")


async def test_ready_means_that_every_check_holds() -> None:
    assert await ask("/health/ready", {"a": lambda: True, "b": yes}) == (
        200,
        {"status": "ready", "checks": {"a": True, "b": True}},
    )
    assert await ask("/health/ready", {"a": lambda: False, "b": yes}) == (
        503,
        {"status": "not ready", "checks": {"a": False, "b": True}},
    )


async def test_a_check_that_fails_is_a_no_and_says_nothing_of_life() -> None:
    assert (await ask("/health/ready", {"a": raises}))[0] == 503
    assert (await ask("/health/live", {"a": raises}))[0] == 200
    assert (await ask("/nothing", {}))[0] == 404


@pytest.mark.parametrize("fails", [False, True], ids=["loads", "fails to load"])
def test_what_is_loaded_uncollected_is_collected_like_all_else_afterwards(fails: bool) -> None:
    gc.disable()
    gc.unfreeze()
    try:
        with contextlib.suppress(ImportError), uncollected():
            assert not gc.isenabled()
            if fails:
                raise ImportError("no such module")
        assert gc.isenabled()
        assert gc.get_freeze_count() > 0
    finally:
        gc.enable()
