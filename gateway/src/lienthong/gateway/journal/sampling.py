"""Keeping floods of calls without a valid token, and of refusals, from filling the journal.

Such calls are recorded one by one at a limited rate; beyond it they are counted, and each count becomes one
record.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime


class SampleReason(NamedTuple):
    """What calls have in common that are counted together. Callers cannot choose any of it freely."""

    status: int | None
    """None when the callers went away before there was an answer."""
    error: str | None
    service: str | None
    client: str | None
    """Whom a valid token named."""


@dataclass(frozen=True, slots=True)
class Sample:
    """`count` calls since `since`, for one reason."""

    reason: SampleReason
    count: int
    since: datetime


MOST_REASONS = 2000


class CallCounts:
    """Counts of calls that were not recorded one by one, for at most `MOST_REASONS` reasons at a time.

    When there are more, services and clients are not told apart any longer.
    """

    def __init__(self) -> None:
        self._counts: dict[SampleReason, tuple[int, datetime]] = {}

    def add(self, reason: SampleReason, now: datetime) -> None:
        """Count one call."""
        if reason not in self._counts and len(self._counts) >= MOST_REASONS:
            reason = SampleReason(reason.status, reason.error, None, None)
        count, since = self._counts.get(reason, (0, now))
        self._counts[reason] = (count + 1, since)

    def take(self) -> list[Sample]:
        """Everything counted since the last time."""
        counts, self._counts = self._counts, {}
        return [Sample(reason, count, since) for reason, (count, since) in counts.items()]
