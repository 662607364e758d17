"""How many keys a client has begun, so that none fills the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_HOURS: Final = 24
_HOUR_S: Final = 3600.0
_MOST_CLIENTS: Final = 10_000


class KeyCounts:
    """Counts in hours, for a day: at most `most` keys of one client, in this process."""

    def __init__(self, most: int, monotonic: Callable[[], float]) -> None:
        self._most = most
        self._monotonic = monotonic
        self._of: dict[str, dict[int, int]] = {}

    def room(self, client: str) -> bool:
        """Whether a client may begin another key."""
        oldest = self._hour() - _HOURS
        counts = self._of.get(client, {})
        for past in [past for past in counts if past <= oldest]:
            del counts[past]
        return sum(counts.values()) < self._most

    def add(self, client: str) -> None:
        """Count a key that a client has begun."""
        # Who began one last stands last: beyond the most, the one that did so first is forgotten.
        counts = self._of.pop(client, {})
        while len(self._of) >= _MOST_CLIENTS:
            del self._of[next(iter(self._of))]
        self._of[client] = counts
        hour = self._hour()
        counts[hour] = counts.get(hour, 0) + 1

    def _hour(self) -> int:
        return int(self._monotonic() / _HOUR_S)
