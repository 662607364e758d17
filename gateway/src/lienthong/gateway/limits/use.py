"""What is used under one agreement, as far as this process knows, and whether one more call is within it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lienthong.gateway.limits.fields import policy_field, use_template
from lienthong.gateway.limits.terms import NOTHING_SAID, Limit, in_force
from lienthong.gateway.limits.window import Window

if TYPE_CHECKING:
    from lienthong.gateway.limits.day import Count, Day
    from lienthong.gateway.limits.terms import Limits, ServiceLimits

_SOON_S: Final = 1.0


class Refusal:
    """The limit that a call would exceed."""

    __slots__ = ("allowed", "limit", "wait")

    def __init__(self, limit: Limit, allowed: int, wait: float | None) -> None:
        self.limit = limit
        self.allowed = allowed
        self.wait = wait
        """In how many seconds there is room again, as far as is known; None: at midnight."""


class Use:
    """The use of one agreement.

    What this process has used and the others may not have heard of counts once for each of them: they may
    have used as much that was not heard of here. So together they never exceed a limit, but for one call of
    each that begin at the same moment, however the load is spread; and a process that hears of no other one
    goes on with its share.
    """

    __slots__ = (
        "agreement",
        "all_day",
        "changed",
        "day",
        "in_flight",
        "in_flight_elsewhere",
        "in_flight_settled",
        "limits",
        "minute",
        "of_agreement",
        "of_service",
        "own_day",
        "own_minute",
        "own_second",
        "policy",
        "second",
        "settled",
        "settled_size",
        "template",
        "used_at",
    )

    def __init__(self, agreement: str, day: Day, seat: str, now: float) -> None:
        self.agreement = agreement
        self.of_agreement: Limits | None = None
        self.of_service: ServiceLimits | None = None
        self.limits: Limits = NOTHING_SAID
        self.policy = b""
        """The field RateLimit-Policy of answers."""
        self.template = b""
        self.second: Window | None = None
        self.minute: Window | None = None
        self.own_second: Window | None = None
        self.own_minute: Window | None = None
        self.in_flight = 0
        self.in_flight_elsewhere = 0
        self.in_flight_settled = 0
        self.changed = False
        """Whether the others have to be told."""
        self.used_at = now
        self.turn(day, seat)

    def turn(self, day: Day, seat: str) -> None:
        """Count in this day from now on."""
        self.day = day
        self.own_day: Count = day.of(seat, self.agreement)
        self.all_day: Count = day.in_all(self.agreement)
        self.settled = self.own_day.calls
        """How much of `own_day` the others have heard of."""
        self.settled_size = self.own_day.size

    def set_terms(self, agreement: Limits | None, service: ServiceLimits | None, now: float) -> None:
        """Count by these limits from now on; what was counted stays."""
        self.of_agreement, self.of_service = agreement, service
        limits = in_force(agreement, service) or NOTHING_SAID
        if limits == self.limits:
            return
        self.limits = limits
        self.policy, self.template = policy_field(limits), use_template(limits)
        if not limits.per_second:
            self.second = self.own_second = None
        elif self.second is None:
            self.second, self.own_second = Window(20, 0.05, now), Window(20, 0.05, now)
        if not limits.per_minute:
            self.minute = self.own_minute = None
        elif self.minute is None:
            self.minute, self.own_minute = Window(60, 1.0, now), Window(60, 1.0, now)

    def advance(self, now: float) -> None:
        """Forget what is too old."""
        for window in (self.second, self.own_second, self.minute, self.own_minute):
            if window is not None:
                window.advance(now)

    def take(self, now: float, others: int) -> Refusal | None:
        """Count one more call that begins now, or say which limit it would exceed; `advance` comes first.

        `others` is how many other processes count as well.
        """
        limits = self.limits
        unseen = self.own_day.calls - self.settled
        if limits.concurrent:
            known = self.in_flight + self.in_flight_elsewhere
            if known + others * max(self.in_flight - self.in_flight_settled, 0) >= limits.concurrent:
                return Refusal(Limit.CONCURRENT, limits.concurrent, _SOON_S)
        second, own_second, minute, own_minute = self.second, self.own_second, self.minute, self.own_minute
        if (
            second is not None
            and own_second is not None
            and second.total + others * min(unseen, own_second.total) >= limits.per_second
        ):
            wait = second.room_in(now, second.total - limits.per_second + 1)
            return Refusal(Limit.PER_SECOND, limits.per_second, wait)
        if (
            minute is not None
            and own_minute is not None
            and minute.total + others * min(unseen, own_minute.total) >= limits.per_minute
        ):
            wait = minute.room_in(now, minute.total - limits.per_minute + 1)
            return Refusal(Limit.PER_MINUTE, limits.per_minute, wait)
        if limits.per_day and self.all_day.calls + others * unseen >= limits.per_day:
            full = self.all_day.calls >= limits.per_day
            return Refusal(Limit.PER_DAY, limits.per_day, None if full else _SOON_S)
        if limits.bytes_per_day:
            size = self.all_day.size + others * (self.own_day.size - self.settled_size)
            if size >= limits.bytes_per_day:
                full = self.all_day.size >= limits.bytes_per_day
                return Refusal(Limit.BYTES_PER_DAY, limits.bytes_per_day, None if full else _SOON_S)
        self.in_flight += 1
        self.own_day.calls += 1
        self.all_day.calls += 1
        for window in (second, own_second, minute, own_minute):
            if window is not None:
                window.add(1)
        self.used_at = now
        return None

    def is_tight(self, others: int) -> bool:
        """Whether the others should hear of this process's use soon: there is little room for what they do
        not know of.
        """
        unseen = self.own_day.calls - self.settled
        at_stake = 2 * others * unseen
        if (
            at_stake == 0
            and self.in_flight == self.in_flight_settled
            and self.own_day.size == self.settled_size
        ):
            return False
        limits = self.limits
        return bool(
            (self.second is not None and at_stake >= limits.per_second - self.second.total)
            or (self.minute is not None and at_stake >= limits.per_minute - self.minute.total)
            or (limits.per_day and at_stake >= limits.per_day - self.all_day.calls)
            or (
                limits.bytes_per_day
                and 2 * others * (self.own_day.size - self.settled_size)
                >= limits.bytes_per_day - self.all_day.size
            )
            or (
                limits.concurrent
                and 2 * others * abs(self.in_flight - self.in_flight_settled)
                >= limits.concurrent - self.in_flight - self.in_flight_elsewhere
            )
        )

    def end(self, size: int) -> None:
        """A call has ended; its bodies had `size` bytes together."""
        self.in_flight -= 1
        self.own_day.size += size
        self.all_day.size += size

    def used_elsewhere(self, calls: int) -> None:
        """Other processes have used so much within the last minute; `advance` comes first."""
        if self.second is not None:
            self.second.add(calls)
        if self.minute is not None:
            self.minute.add(calls)

    def settle(self, day: int, calls: int, size: int, in_flight: int) -> None:
        """What was told of this process's use is known to all others."""
        self.in_flight_settled = in_flight
        if day == self.day.number:
            self.settled = max(self.settled, calls)
            self.settled_size = max(self.settled_size, size)
