"""Decides at once, by what is in memory, whether a call is within the limits of its agreement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lienthong.gateway.limits.day import Day
from lienthong.gateway.limits.fields import limit_fields
from lienthong.gateway.limits.terms import Limit
from lienthong.gateway.limits.use import Use

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from lienthong.gateway.limits.day import Calendar
    from lienthong.gateway.limits.terms import Limits, ServiceLimits
    from lienthong.gateway.limits.use import Refusal

MOST_USES: Final = 20_000
"""Agreements whose use is counted to the second. One that was not used for a minute is forgotten when there
are more, but for its days."""
MOST_DAYS: Final = 3
_IDLE_S: Final = 62.0
_SWEEP_EVERY_S: Final = 5.0


class Quota:
    """A call under an agreement with limits: its use, and the limit that refused it, if one did."""

    __slots__ = ("ended", "refusal", "use")

    def __init__(self, use: Use, refusal: Refusal | None) -> None:
        self.use = use
        self.refusal = refusal
        self.ended = refusal is not None


class Limiter:
    """Counts the use of agreements in this process, which is one `seat` of the installation."""

    def __init__(
        self,
        seat: str,
        calendar: Calendar,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        most_uses: int = MOST_USES,
    ) -> None:
        self.seat = seat
        self.calendar = calendar
        self.now = now
        self.monotonic = monotonic
        self.others = 0
        """How many other processes count as well."""
        self.refused: dict[Limit, int] = dict.fromkeys(Limit, 0)
        self.number = 0
        """Grows with each call that is counted."""
        self.changed: list[Use] = []
        """Those that the others have to be told of."""
        self.hurry: Callable[[], None] | None = None
        """Is called when the others should hear soon."""
        self.joined: Callable[[Use], None] | None = None
        """Is called with the use of an agreement that was not counted before."""
        self.uses: dict[str, Use] = {}
        self.days: dict[int, Day] = {}
        """Of the last days that were counted in, by number; the one used last at the end."""
        self._most_uses = most_uses
        self._swept_at = monotonic() - _SWEEP_EVERY_S

    def admit(
        self, agreement: str, own: Limits | None, service: ServiceLimits | None, now: datetime
    ) -> Quota:
        """Count a call that begins, unless it would exceed a limit; who is admitted has to `end`."""
        moment = self.monotonic()
        number = self.calendar.day(now)
        use = self.uses.get(agreement)
        if use is None:
            use = self._begin(agreement, number, moment, own, service)
        else:
            if use.day.number != number:
                use.turn(self.day(number), self.seat)
            if use.of_agreement is not own or use.of_service is not service:
                use.set_terms(own, service, moment)
        use.advance(moment)
        refusal = use.take(moment, self.others)
        if refusal is None:
            self.number += 1
            self._tell(use)
        else:
            self.refused[refusal.limit] += 1
        self._hurry(use)
        return Quota(use, refusal)

    def end(self, quota: Quota, size: int) -> None:
        """A call has ended, whose bodies had `size` bytes; what was refused or has ended before is left."""
        if not quota.ended:
            quota.ended = True
            quota.use.end(size)
            self.number += 1
            self._tell(quota.use)
            self._hurry(quota.use)

    def fields(self, quota: Quota, now: datetime) -> list[bytes]:
        """The fields that tell a caller of its limits, as written."""
        return limit_fields(quota.use, self.calendar.rest(now))

    def used(self, agreement: str, now: datetime) -> dict[Limit, int]:
        """How much is used of each limit that an agreement could have, as far as this process knows.

        Of seconds and minutes it knows where the agreement's limits were in force when calls began.
        """
        found = dict.fromkeys(Limit, 0)
        day = self.days.get(self.calendar.day(now))
        count = day.total.get(agreement) if day is not None else None
        if count is not None:
            found[Limit.PER_DAY], found[Limit.BYTES_PER_DAY] = count.calls, count.size
        use = self.uses.get(agreement)
        if use is not None:
            use.advance(self.monotonic())
            found[Limit.PER_SECOND] = use.second.total if use.second is not None else 0
            found[Limit.PER_MINUTE] = use.minute.total if use.minute is not None else 0
            found[Limit.CONCURRENT] = use.in_flight + use.in_flight_elsewhere
        return found

    def day(self, number: int) -> Day:
        """What was used in a day, which is counted in from now on."""
        day = self.days.pop(number, None) or Day(number)
        self.days[number] = day
        while len(self.days) > MOST_DAYS:
            del self.days[next(iter(self.days))]
        return day

    def _hurry(self, use: Use) -> None:
        if self.others and self.hurry is not None and use.is_tight(self.others):
            self.hurry()

    def _tell(self, use: Use) -> None:
        if not use.changed:
            use.changed = True
            self.changed.append(use)

    def _begin(
        self, agreement: str, number: int, moment: float, own: Limits | None, service: ServiceLimits | None
    ) -> Use:
        if len(self.uses) >= self._most_uses:
            self._make_room(moment)
        day = self.days.get(number) or self.day(number)
        use = self.uses[agreement] = Use(agreement, day, self.seat, moment)
        use.set_terms(own, service, moment)
        if self.joined is not None:
            self.joined(use)
        return use

    def _make_room(self, moment: float) -> None:
        """Forget agreements that were not used for a minute; if there is none, those counted for longest."""
        if moment - self._swept_at >= _SWEEP_EVERY_S:
            self._swept_at = moment
            idle = [
                use for use in self.uses.values() if not use.in_flight and moment - use.used_at >= _IDLE_S
            ]
            for use in idle:
                del self.uses[use.agreement]
        while len(self.uses) >= self._most_uses:
            oldest = next((use for use in self.uses.values() if not use.in_flight), None)
            if oldest is None:
                return
            del self.uses[oldest.agreement]
