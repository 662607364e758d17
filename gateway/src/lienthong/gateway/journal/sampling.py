"""Keeping floods of calls without a valid token, and of refusals, from filling the journal.

Such calls are recorded one by one at a limited rate; beyond it they are counted, and each count becomes one
record.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003  compiled, a dataclass looks its types up
from typing import NamedTuple, TypeAlias


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


Reason: TypeAlias = tuple[int | None, str | None, str | None, str | None]
"""The members of a `SampleReason`, which on the way of a call is not worth a class of its own."""
MOST_REASONS = 2000


class CallCounts:
    """Counts of calls that were not recorded one by one, for at most `MOST_REASONS` reasons at a time.

    When there are more, services and clients are not told apart any longer.
    """

    def __init__(self) -> None:
        self._counts: dict[Reason, _Count] = {}

    def add(self, reason: Reason, at: datetime) -> None:
        """Count one call that ended so."""
        count = self._counts.get(reason)
        if count is None:
            count = self._new(reason, at)
        count.number += 1

    def take(self) -> list[Sample]:
        """Everything counted since the last time."""
        counts, self._counts = self._counts, {}
        return [Sample(SampleReason(*reason), count.number, count.since) for reason, count in counts.items()]

    def _new(self, reason: Reason, at: datetime) -> _Count:
        if len(self._counts) >= MOST_REASONS:
            status, error, _, _ = reason
            reason = (status, error, None, None)
        count = self._counts.get(reason)
        if count is None:
            count = self._counts[reason] = _Count(at)
        return count


class _Count:
    __slots__ = ("number", "since")

    def __init__(self, since: datetime) -> None:
        self.number = 0
        self.since = since
