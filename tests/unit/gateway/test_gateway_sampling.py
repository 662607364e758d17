"""Calls without a valid token are recorded one by one at a limited rate, and counted beyond it."""

from __future__ import annotations

from datetime import timedelta

from lienthong.gateway.journal.sampling import MOST_REASONS, CallCounts, Sample, SampleReason
from lienthong.kit.clock import ManualClock


def test_counts_are_kept_apart_by_reason_and_taken_once() -> None:
    clock = ManualClock()
    counts = CallCounts()
    no_token, refused = (
        SampleReason(401, "no-token", None, None),
        SampleReason(401, "token-refused", None, None),
    )
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


def test_counts_take_no_more_memory_than_for_so_many_reasons() -> None:
    clock = ManualClock()
    counts = CallCounts()
    for number in range(MOST_REASONS + 500):
        counts.add(SampleReason(403, "no-agreement", "A/a/a-v1", f"A/c{number}"), clock.now())
    taken = counts.take()
    assert len(taken) == MOST_REASONS + 1
    assert taken[-1] == Sample(SampleReason(403, "no-agreement", None, None), 500, clock.now())
