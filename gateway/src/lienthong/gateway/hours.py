"""The hours of the week at which an agreement lets calls begin."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, tzinfo

_MINUTES_OF_DAY: Final = 24 * 60
_DAYS: Final = 7
_LAST: Final = datetime.max.replace(tzinfo=UTC)


class OpeningHours:
    """Hours of a week, by the clocks of a time zone; looked up again when they open or close."""

    __slots__ = ("_days", "_is_open", "_since", "_until", "zone")

    def __init__(self, zone: tzinfo, parts: Iterable[tuple[int, int, int]]) -> None:
        """`parts` are days of the week (1 is Monday), the first minute, and the first that is no part.

        Raises:
            ValueError: there is no part, or one that is not within a day of the week.
        """
        self.zone = zone
        self._days: list[list[tuple[int, int]]] = [[] for _ in range(_DAYS)]
        for day, start, end in parts:
            if not (1 <= day <= _DAYS and 0 <= start < end <= _MINUTES_OF_DAY):
                raise ValueError(f"no part of a week: day {day}, minutes {start} to {end}")
            self._days[day - 1].append((start, end))
        if not any(self._days):
            raise ValueError("no hours at all")
        self._since = self._until = _LAST
        self._is_open = False

    def __str__(self) -> str:
        parts = [
            f"{day} {start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}"
            for day, found in enumerate(self._days, 1)
            for start, end in found
        ]
        return f"{', '.join(parts)} {self.zone}"

    def is_open(self, now: datetime) -> bool:
        """Whether calls may begin."""
        if not self._since <= now < self._until:
            self._look_up(now)
        return self._is_open

    def opens(self, now: datetime) -> datetime:
        """When calls may begin, at `now` or later; in UTC."""
        if self.is_open(now):
            return now
        local = now.astimezone(self.zone)
        for later in range(_DAYS + 2):
            day = local.date() + timedelta(days=later)
            for start, _ in sorted(self._days[day.weekday()]):
                moment = self._moment(day, start)
                if moment > now:
                    return moment
        raise AssertionError("every week has hours")

    def _look_up(self, now: datetime) -> None:
        local = now.astimezone(self.zone)
        minute = local.hour * 60 + local.minute
        parts = self._days[local.weekday()]
        self._is_open = any(start <= minute < end for start, end in parts)
        turns = [turn for part in parts for turn in part if turn > minute]
        self._since = now
        self._until = self._moment(local.date(), min(turns, default=_MINUTES_OF_DAY))
        if self._until <= now:
            # Clocks were set back, and this minute of the day has come twice.
            self._until = now + timedelta(minutes=1)

    def _moment(self, day: date, minute: int) -> datetime:
        if minute == _MINUTES_OF_DAY:
            day, minute = day + timedelta(days=1), 0
        return datetime.combine(day, time(minute // 60, minute % 60), self.zone).astimezone(UTC)
