"""Which changes of systems are lost, and which still on their way, by what identity says that it lacks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lienthong.kit.lost_records import LOST_AFTER, waited_for

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta


@dataclass(slots=True)
class _Missing:
    """A system that identity lacks as it is at this version, since a moment of `Clock.monotonic`."""

    version: int
    since: float
    repeats: int = 0


class MissedChanges:
    """Remembers from one answer of identity to the next what it lacks."""

    def __init__(self, lost_after: timedelta = LOST_AFTER) -> None:
        self._lost_after = lost_after
        self._missing: dict[str, _Missing] = {}
        self._newest = 0

    def note(self, behind: Mapping[str, int], newest: int, now: float) -> dict[str, int]:
        """Note the versions of systems that identity lacks; returns those that are lost, oldest first.

        `newest` is the greatest version at which identity has any system, `now` is `Clock.monotonic`. What
        identity has gone past is lost when it has been missing for `lost_after`, and twice as long each time
        that it was published again; what is newer, only while identity gets no further.
        """
        moving, self._newest = newest != self._newest, newest
        before, self._missing = self._missing, {}
        for system, version in behind.items():
            known = before.get(system)
            if known is None or known.version != version or (moving and version > newest):
                known = _Missing(version, now)
            self._missing[system] = known
        lost = {system: one.version for system, one in self._missing.items() if self._is_lost(one, now)}
        return dict(sorted(lost.items(), key=lambda one: one[1]))

    def published(self, system: str, now: float) -> None:
        """Note that a change, which was lost, was published again."""
        missing = self._missing[system]
        missing.since = now
        missing.repeats += 1

    def forget(self) -> None:
        """Begin anew: nothing could come to identity meanwhile, or somebody else was looking."""
        self._missing.clear()

    def _is_lost(self, missing: _Missing, now: float) -> bool:
        return now - missing.since >= waited_for(missing.repeats, self._lost_after).total_seconds()
