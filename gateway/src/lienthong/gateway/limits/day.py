"""Days: when they begin and end, and what was used in them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

if TYPE_CHECKING:
    from datetime import tzinfo

VIETNAM: Final = "Asia/Ho_Chi_Minh"
_LAST: Final = datetime.max.replace(tzinfo=UTC)


def zone(name: str) -> tzinfo:
    """The time zone of an IANA name. That of Vietnam is known also where the system has no such data.

    Raises:
        ValueError: there is none of this name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        if name == VIETNAM:
            return timezone(timedelta(hours=7))
        raise ValueError(f"{name!r} names no time zone, like {VIETNAM!r}") from None


class Calendar:
    """Which day it is in a time zone, looked up once a day."""

    __slots__ = ("_began", "_day", "_ends", "_zone")

    def __init__(self, where: tzinfo) -> None:
        self._zone = where
        self._began = _LAST
        self._ends = _LAST
        self._day = 0

    def day(self, now: datetime) -> int:
        """The number of the day (1 is the first of January of the year 1)."""
        if not self._began <= now < self._ends:
            local = now.astimezone(self._zone)
            midnight = datetime(local.year, local.month, local.day, tzinfo=self._zone)
            self._began = midnight.astimezone(UTC)
            next_day = midnight.date() + timedelta(days=1)
            self._ends = datetime(next_day.year, next_day.month, next_day.day, tzinfo=self._zone).astimezone(
                UTC
            )
            self._day = local.toordinal()
        return self._day

    def ends(self, now: datetime) -> datetime:
        """The next midnight."""
        self.day(now)
        return self._ends

    def rest(self, now: datetime) -> float:
        """Seconds until the next midnight."""
        return (self.ends(now) - now).total_seconds()

    def local(self, moment: datetime) -> str:
        """A moment as people here write it, e.g. `2026-11-30T00:00:00+07:00`."""
        return moment.astimezone(self._zone).isoformat(timespec="seconds")


class Count:
    """Calls, and bytes of their bodies, of one agreement in one day."""

    __slots__ = ("calls", "size")

    def __init__(self, calls: int = 0, size: int = 0) -> None:
        self.calls = calls
        self.size = size


class Day:
    """What was used in one day: by each seat, and in all.

    A seat is one life of a process that serves calls, so that its counts only grow: whichever message comes
    twice, late or after another one, the larger counts are right (a grow-only counter).
    """

    __slots__ = ("by_seat", "number", "size", "total")

    def __init__(self, number: int) -> None:
        self.number = number
        self.by_seat: dict[str, dict[str, Count]] = {}
        self.total: dict[str, Count] = {}
        """By agreement."""
        self.size = 0
        """How many counts there are."""

    def of(self, seat: str, agreement: str) -> Count:
        """The count of a seat, made where there is none."""
        counts = self.by_seat.get(seat)
        if counts is None:
            counts = self.by_seat[seat] = {}
        count = counts.get(agreement)
        if count is None:
            count = counts[agreement] = Count()
            self.size += 1
        return count

    def in_all(self, agreement: str) -> Count:
        """The sum over all seats, made where there is none."""
        count = self.total.get(agreement)
        if count is None:
            count = self.total[agreement] = Count()
        return count

    def learn(self, seat: str, agreement: str, calls: int, size: int) -> None:
        """Take in what a seat has used by its own count, or by that of another who heard of it."""
        count, total = self.of(seat, agreement), self.in_all(agreement)
        if calls > count.calls:
            total.calls += calls - count.calls
            count.calls = calls
        if size > count.size:
            total.size += size - count.size
            count.size = size
