"""The lease of another pull ends by what was seen of it here, whatever clocks say."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from lienthong.exchange.service import leases
from lienthong.exchange.service.leases import HeldLease, LeaseWatch

if TYPE_CHECKING:
    from lienthong.kit.clock import ManualClock

LONGEST = 30.0


@pytest.fixture
def held(clock: ManualClock) -> HeldLease:
    return HeldLease("pull-1", clock.now() + timedelta(seconds=LONGEST), delivered=True)


@pytest.mark.parametrize("hours", [-1, 0, 1])
def test_it_ends_after_its_time_whichever_way_the_clock_is_set(
    clock: ManualClock, held: HeldLease, hours: int
) -> None:
    watch = LeaseWatch(clock.monotonic)
    assert not watch.is_over("s", held, LONGEST)
    clock.jump(timedelta(hours=hours))
    clock.advance(LONGEST - 1)
    assert not watch.is_over("s", held, LONGEST)
    clock.advance(1)
    assert watch.is_over("s", held, LONGEST)


def test_a_renewed_lease_begins_anew(clock: ManualClock, held: HeldLease) -> None:
    watch = LeaseWatch(clock.monotonic)
    for number in range(5):
        renewed = replace(held, until=held.until + timedelta(seconds=number))
        assert not watch.is_over("s", renewed, LONGEST)
        clock.advance(LONGEST - 1)
    clock.advance(1)
    assert watch.is_over("s", renewed, LONGEST)


def test_a_lease_with_events_is_another_one_than_before(clock: ManualClock, held: HeldLease) -> None:
    watch = LeaseWatch(clock.monotonic)
    watch.is_over("s", replace(held, delivered=False), LONGEST)
    clock.advance(LONGEST)
    assert not watch.is_over("s", held, LONGEST)


def test_what_was_taken_is_forgotten(clock: ManualClock, held: HeldLease) -> None:
    watch = LeaseWatch(clock.monotonic)
    watch.is_over("s", held, LONGEST)
    clock.advance(LONGEST)
    watch.forget("s")
    assert not watch.is_over("s", held, LONGEST)


def test_so_many_are_watched(clock: ManualClock, held: HeldLease, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "MOST_WATCHED", 2)
    watch = LeaseWatch(clock.monotonic)
    for subscription in ("a", "b", "a", "c"):
        watch.is_over(subscription, held, LONGEST)
    clock.advance(LONGEST)
    assert [watch.is_over(subscription, held, LONGEST) for subscription in ("a", "c")] == [True, True]
    assert not watch.is_over("b", held, LONGEST)
