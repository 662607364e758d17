"""Keeping floods of strangers from filling the journal.

Calls of unauthenticated callers are recorded one by one as long as a budget lasts; beyond it they are
counted, and each count becomes one record.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


class Budget:
    """A token bucket: `per_second` on average, `burst` at once. `now` is a monotonic clock in seconds."""

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


class Reason(NamedTuple):
    """What counted calls have in common. Never anything that a stranger chooses freely."""

    status: int
    error: str | None
    service: str | None


@dataclass(frozen=True, slots=True)
class Sample:
    """`count` calls since `since`, for one reason."""

    reason: Reason
    count: int
    since: datetime


class Counts:
    """Calls that were not recorded one by one."""

    def __init__(self) -> None:
        self._counts: dict[Reason, tuple[int, datetime]] = {}

    def add(self, reason: Reason, now: datetime) -> None:
        """Count one call."""
        count, since = self._counts.get(reason, (0, now))
        self._counts[reason] = (count + 1, since)

    def take(self) -> list[Sample]:
        """Everything counted since the last time."""
        counts, self._counts = self._counts, {}
        return [Sample(reason, count, since) for reason, (count, since) in counts.items()]
