"""Calls without a valid token are recorded one by one at a limited rate, and counted beyond it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from lienthong.gateway.journal.sampling import CallCounts, Sample, SampleReason, TokenBucket
from lienthong.kit.clock import ManualClock

if TYPE_CHECKING:
    from collections.abc import Sequence


def budget(clock: ManualClock, per_second: float = 2, burst: float = 3) -> TokenBucket:
    return TokenBucket(per_second=per_second, burst=burst, now=clock.monotonic)


def test_a_budget_lasts_for_its_burst_and_fills_again() -> None:
    clock = ManualClock()
    tokens = budget(clock)
    assert [tokens.take() for _ in range(5)] == [True, True, True, False, False]
    clock.advance(0.5)
    assert [tokens.take() for _ in range(2)] == [True, False]
    clock.advance(100)
    assert [tokens.take() for _ in range(4)] == [True, True, True, False]


@given(st.lists(st.floats(0, 2), max_size=100))
def test_no_more_is_ever_taken_than_burst_and_rate_allow(pauses: Sequence[float]) -> None:
    clock = ManualClock()
    tokens = budget(clock)
    taken = 0
    for pause in pauses:
        clock.advance(pause)
        taken += tokens.take()
        assert taken <= 3 + 2 * clock.monotonic() + 1e-6


def test_counts_are_kept_apart_by_reason_and_taken_once() -> None:
    clock = ManualClock()
    counts = CallCounts()
    no_token, refused = SampleReason(401, "no-token", None), SampleReason(401, "token-refused", None)
    start = clock.now()
    counts.add(no_token, clock.now())
    clock.advance(3)
    counts.add(refused, clock.now())
    counts.add(no_token, clock.now())
    assert counts.take() == [
        Sample(no_token, 2, start),
        Sample(refused, 1, start + timedelta(seconds=3)),
    ]
    assert counts.take() == []
    counts.add(no_token, clock.now())
    assert counts.take() == [Sample(no_token, 1, start + timedelta(seconds=3))]
