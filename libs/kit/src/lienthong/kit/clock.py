"""Time as a parameter, so that tests are exact and never sleep; and times as text (RFC 3339)."""

from __future__ import annotations

import math
import re
import time
from calendar import monthrange
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Protocol

_RFC3339 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
)
_LEAP_SECOND = 60


class Clock(Protocol):
    """Where a component reads the time."""

    def now(self) -> datetime:
        """The wall clock, aware and in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back."""
        ...


class SystemClock:
    """The machine's clock. Its functions are CPython's own: the way of a call reads it several times."""

    now = staticmethod(partial(datetime.now, UTC))
    """The wall clock, aware and in UTC."""
    monotonic = staticmethod(time.monotonic)
    """Seconds since some moment; never goes back."""


class SteadyTime:
    """The wall clock without its jumps forward, for what must not be forgotten too early.

    It is the wall clock as it was at the start and what has passed since by the monotonic clock, or the wall
    clock where that is earlier. Time for which the machine sleeps may not count. A lead that the wall clock
    has kept for long is no fault, but shows a clock that was wrong at the start (before NTP had set it):
    with `believed_after` steady time catches up, within twice that. It learns of the wall clock by being
    asked.
    """

    def __init__(self, clock: Clock, *, believed_after: timedelta | None = None) -> None:
        """`believed_after` is longer than anything lives that must not be forgotten, by the wall clock.

        Without it steady time never catches up: what was noted by steady time itself must not age at once.
        """
        self._clock = clock
        self._believed_after = math.inf if believed_after is None else believed_after.total_seconds()
        self._began, self._began_monotonic = clock.now(), clock.monotonic()
        self._looking_since = self._began_monotonic
        self._least_lead = timedelta.max

    def now(self) -> datetime:
        """The time, aware and in UTC."""
        wall, monotonic = self._clock.now(), self._clock.monotonic()
        steady = self._began + timedelta(seconds=monotonic - self._began_monotonic)
        self._least_lead = min(self._least_lead, wall - steady)
        if monotonic - self._looking_since >= self._believed_after:
            lead = max(self._least_lead, timedelta(0))
            self._began, steady = self._began + lead, steady + lead
            self._looking_since, self._least_lead = monotonic, wall - steady
        return min(wall, steady)


class ManualClock:
    """A clock that stands still until it is moved."""

    def __init__(self, start: datetime = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)) -> None:
        if start.tzinfo is None:
            raise ValueError("start must be aware: give it a tzinfo")
        self._now = start.astimezone(UTC)
        self._monotonic = 0.0

    def now(self) -> datetime:
        """The moment this clock was last moved to."""
        return self._now

    def monotonic(self) -> float:
        """Seconds this clock was moved so far."""
        return self._monotonic

    def advance(self, by: timedelta | float) -> None:
        """Move forward by a timedelta or by seconds.

        Raises:
            ValueError: `by` is negative.
        """
        step = by if isinstance(by, timedelta) else timedelta(seconds=by)
        if step < timedelta(0):
            raise ValueError("a clock moves forward only")
        self._now += step
        self._monotonic += step.total_seconds()

    def jump(self, by: timedelta) -> None:
        """Set the wall clock forward or back, as an operator or a time server may; no time passes."""
        self._now += by


def rfc3339(moment: datetime) -> str:
    """`moment` as RFC 3339 in UTC with microseconds, e.g. `2026-11-23T06:30:00.123456Z`."""
    if moment.tzinfo is None:
        raise ValueError("moment must be aware: give it a tzinfo")
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def parse_rfc3339(text: str) -> datetime:
    """The instant that an RFC 3339 date-time (section 5.6) names, aware and in UTC.

    What a `datetime` cannot hold becomes the nearest earlier instant that it can hold, so that times keep
    their order and never move into the next second or day:

    - digits after the sixth decimal are cut off, not rounded;
    - a leap second (second 60) becomes the last microsecond of its minute, whatever its decimals. As section
      5.7 says, it is a time only at the end of a month in UTC: `2016-12-31T23:59:60Z`.

    Raises:
        ValueError: the text is not of this form, has no such day, hour or offset, or lies outside the years 1
            to 9999 in UTC; says which.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError("not an RFC 3339 time, like 2026-11-23T06:30:00Z or 2026-11-23T13:30:00+07:00")
    year, month, day, hour, minute, second = (int(match[group]) for group in range(1, 7))
    microsecond = int((match[7] or "")[:6].ljust(6, "0"))
    leap = second == _LEAP_SECOND
    if leap:
        second, microsecond = 59, 999_999
    try:
        local = datetime(year, month, day, hour, minute, second, microsecond, _offset(match))
        moment = local.astimezone(UTC)
    except OverflowError:
        raise ValueError("outside the years 1 to 9999 in UTC") from None
    if leap and not _ends_a_month(moment):
        raise ValueError("second 60 exists only at the end of a month in UTC, as in 2016-12-31T23:59:60Z")
    return moment


def _offset(match: re.Match[str]) -> timezone:
    if match[8] is None:
        return UTC
    hours, minutes = int(match[9]), int(match[10])
    if hours > 23 or minutes > 59:
        raise ValueError("an offset has at most 23 hours and 59 minutes")
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if match[8] == "-" else offset)


def _ends_a_month(moment: datetime) -> bool:
    _, last_day = monthrange(moment.year, moment.month)
    return (moment.day, moment.hour, moment.minute) == (last_day, 23, 59)
