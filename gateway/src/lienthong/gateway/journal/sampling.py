"""Keeping floods of calls without a valid token from filling the journal.

Such calls are recorded one by one at a limited rate; beyond it they are counted, and each count becomes one
record.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


class TokenBucket:
    """Limits a rate: `per_second` on average, `burst` at once. `now` is a monotonic clock in seconds."""

    __slots__ = ("_burst", "_filled_at", "_now", "_per_second", "_tokens")

    def __init__(self, *, per_second: float, burst: float, now: Callable[[], float]) -> None:
        self._per_second = per_second
        self._burst = burst
        self._now = now
        self._tokens = burst
        self._filled_at = now()

    def take(self) -> bool:
        """Take one token; False when there is none."""
        now = self._now()
        self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._per_second)
        self._filled_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class SampleReason(NamedTuple):
    """What calls have in common that are counted together. Callers cannot choose any of it freely."""

    status: int | None
    """None when the callers went away before there was an answer."""
    error: str | None
    service: str | None


@dataclass(frozen=True, slots=True)
class Sample:
    """`count` calls since `since`, for one reason."""

    reason: SampleReason
    count: int
    since: datetime


class CallCounts:
    """Counts of calls that were not recorded one by one."""

    def __init__(self) -> None:
        self._counts: dict[SampleReason, tuple[int, datetime]] = {}

    def add(self, reason: SampleReason, now: datetime) -> None:
        """Count one call."""
        count, since = self._counts.get(reason, (0, now))
        self._counts[reason] = (count + 1, since)

    def take(self) -> list[Sample]:
        """Everything counted since the last time."""
        counts, self._counts = self._counts, {}
        return [Sample(reason, count, since) for reason, (count, since) in counts.items()]
