"""Pauses between attempts."""

from __future__ import annotations

import pytest

from lienthong.kit.backoff import Backoff


class Pauses:
    def __init__(self) -> None:
        self.taken: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.taken.append(seconds)


async def test_pauses_double_up_to_the_longest_and_start_over_after_a_success() -> None:
    pauses = Pauses()
    backoff = Backoff(0.1, 0.5, jitter=lambda _low, high: high, sleep=pauses.sleep)
    for _ in range(5):
        await backoff.pause()
    backoff.reset()
    await backoff.pause()
    assert pauses.taken == pytest.approx([0.1, 0.2, 0.4, 0.5, 0.5, 0.1])


async def test_jitter_takes_away_at_most_half() -> None:
    pauses = Pauses()
    backoff = Backoff(1.0, 1.0, sleep=pauses.sleep)
    for _ in range(200):
        await backoff.pause()
    assert 0.5 <= min(pauses.taken) < 0.6
    assert 0.9 < max(pauses.taken) <= 1.0


@pytest.mark.parametrize(("first", "longest"), [(0, 1), (-1, 1), (2, 1)])
def test_pauses_that_make_no_sense_are_refused(first: float, longest: float) -> None:
    with pytest.raises(ValueError, match="first pause"):
        Backoff(first, longest)
