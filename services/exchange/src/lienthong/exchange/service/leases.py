"""When the lease of another pull is over.

A process waits until it has itself seen the lease unchanged for as long as a lease can last, by a clock that
does not jump. The time in the database was written by another process, or before the clock was set: compared
with the present one it could end a lease whose events are not overdue, or keep it for as long as the clock
was set back.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

MOST_WATCHED: Final = 10_000
"""Subscriptions; of those beyond, the one looked at longest ago is forgotten: its lease lasts longer."""


@dataclass(frozen=True, slots=True)
class HeldLease:
    """A lease as the database has it. Renewed, it has another `until`; `delivered`: events are under it."""

    id: str
    until: datetime
    delivered: bool


class LeaseWatch:
    """What this process has seen of the leases of others, since when, in seconds of `monotonic`."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._seen: OrderedDict[str, tuple[HeldLease, float]] = OrderedDict()

    def is_over(self, subscription_id: str, lease: HeldLease, longest: float) -> bool:
        """Whether the lease has been the same, here, for `longest` seconds."""
        now = self._monotonic()
        seen, since = self._seen.get(subscription_id, (None, now))
        if seen != lease:
            since = now
        self._seen[subscription_id] = lease, since
        self._seen.move_to_end(subscription_id)
        if len(self._seen) > MOST_WATCHED:
            self._seen.popitem(last=False)
        return now - since >= longest

    def forget(self, subscription_id: str) -> None:
        """The lease is taken by a pull of this process."""
        self._seen.pop(subscription_id, None)
