"""What this process hears of the use of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lienthong.gateway.limits.messages import Heard, Used

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lienthong.gateway.limits.day import Day
    from lienthong.gateway.limits.limiter import Limiter
    from lienthong.gateway.limits.messages import Message
    from lienthong.gateway.limits.use import Use

MOST_PEERS: Final = 1024
MOST_COUNTS: Final = 200_000
"""Counts of a day, one for each seat and agreement."""
_MOST_SILENT_LOOKS: Final = 3
_RECENT_S: Final = 60.0


class _Seen:
    """What a peer said last of an agreement that concerns more than the day."""

    __slots__ = ("at", "in_flight", "recent")

    def __init__(self) -> None:
        self.recent = 0
        self.in_flight = 0
        self.at = 0.0


class _Peer:
    """Another process that counts."""

    __slots__ = ("answered", "number", "seen", "silent")

    def __init__(self) -> None:
        self.number = -1
        self.answered = -1
        """The last message of this process that it says it has heard."""
        self.silent = 0
        """At how many looks in a row nothing had come from it."""
        self.seen: dict[str, _Seen] = {}


class Peers:
    """The other processes that count, and what they have told; the limiter decides by it."""

    def __init__(self, limiter: Limiter, most_counts: int = MOST_COUNTS) -> None:
        self._limiter = limiter
        self._most_counts = most_counts
        self._peers: dict[str, _Peer] = {}
        self.left_out = 0
        """What was told and not taken in, for want of room or because it is of no day that is near."""
        limiter.joined = self._join

    def hear(self, message: Message, now: float) -> None:
        """Take in a message of another process; `now` is a time of the clock that does not jump."""
        limiter = self._limiter
        peer = self._peers.get(message.seat)
        if peer is None:
            if len(self._peers) >= MOST_PEERS:
                self.left_out += 1
                return
            peer = self._peers[message.seat] = _Peer()
            limiter.others = len(self._peers)
        peer.silent = 0
        newer = message.number > peer.number
        peer.number = max(peer.number, message.number)
        for one in message.used:
            self._used(message.seat, peer, one, now, newer=newer)
        for told in message.heard:
            if told.seat != limiter.seat and told.seat not in self._peers:
                day = self._day(told.day, told.seat, told.agreement)
                if day is not None:
                    day.learn(told.seat, told.agreement, told.calls, told.size)
        for answer in message.answers:
            if answer.seat == limiter.seat:
                peer.answered = max(peer.answered, answer.number)
        if message.leaves:
            self._forget(message.seat)

    def look(self) -> None:
        """Count a second in which something should have come from each; who was silent for three is gone."""
        for seat, peer in list(self._peers.items()):
            peer.silent += 1
            if peer.silent > _MOST_SILENT_LOOKS:
                self._forget(seat)

    def answered(self, number: int) -> int:
        """Up to which message of this process all others say that they have heard; `number` without any."""
        return min((peer.answered for peer in self._peers.values()), default=number)

    @property
    def is_eldest(self) -> bool:
        """Whether this process began before all others: it is for it to tell of those that are gone."""
        return all(self._limiter.seat < seat for seat in self._peers)

    def own(self, use: Use, now: float) -> Used:
        """What to tell the others of this process's use."""
        use.advance(now)
        window = use.own_minute or use.own_second
        recent = window.total if window is not None else 0
        count = use.own_day
        return Used(use.agreement, use.day.number, count.calls, count.size, recent, use.in_flight)

    def own_of_day(self, number: int, agreement: str, now: float) -> Used | None:
        """As `own`, of any day that is remembered."""
        use = self._limiter.uses.get(agreement)
        if use is not None and use.day.number == number:
            return self.own(use, now)
        day = self._limiter.days.get(number)
        count = day.by_seat.get(self._limiter.seat, {}).get(agreement) if day is not None else None
        return Used(agreement, number, count.calls, count.size, 0, 0) if count is not None else None

    def own_names(self) -> Iterator[tuple[int, str]]:
        """The days and agreements that this process has counted."""
        for day in self._near_days():
            for agreement in day.by_seat.get(self._limiter.seat, ()):
                yield day.number, agreement

    def gone(self) -> Iterator[Heard]:
        """What is known of seats that are gone."""
        for day in self._near_days():
            for seat, counts in day.by_seat.items():
                if seat != self._limiter.seat and seat not in self._peers:
                    for agreement, count in counts.items():
                        yield Heard(seat, agreement, day.number, count.calls, count.size)

    def learn(self, told: Heard) -> None:
        """Take in what was kept of a seat that is gone."""
        day = self._day(told.day, told.seat, told.agreement)
        if day is not None:
            day.learn(told.seat, told.agreement, told.calls, told.size)

    def _used(self, seat: str, peer: _Peer, one: Used, now: float, *, newer: bool) -> None:
        day = self._day(one.day, seat, one.agreement)
        if day is None:
            return
        before = day.of(seat, one.agreement).calls
        day.learn(seat, one.agreement, one.calls, one.size)
        use = self._limiter.uses.get(one.agreement)
        if use is not None and one.calls > before:
            use.advance(now)
            use.used_elsewhere(min(one.calls - before, one.recent))
        if newer:
            seen = peer.seen.get(one.agreement)
            if seen is None:
                seen = peer.seen[one.agreement] = _Seen()
            if use is not None:
                use.in_flight_elsewhere += one.in_flight - seen.in_flight
            seen.recent, seen.in_flight, seen.at = one.recent, one.in_flight, now

    def _day(self, number: int, seat: str, agreement: str) -> Day | None:
        """The day to count in; None where nothing is taken in."""
        limiter = self._limiter
        day = limiter.days.get(number)
        if day is None:
            if not self._is_near(number):
                self.left_out += 1
                return None
            day = limiter.day(number)
        if day.size >= self._most_counts and agreement not in day.by_seat.get(seat, {}):
            self.left_out += 1
            return None
        return day

    def _is_near(self, number: int) -> bool:
        """Whether it is yesterday, today or tomorrow: with others it may be another day, but no other one."""
        limiter = self._limiter
        return abs(number - limiter.calendar.day(limiter.now())) <= 1

    def _near_days(self) -> list[Day]:
        return [day for day in self._limiter.days.values() if self._is_near(day.number)]

    def _join(self, use: Use) -> None:
        """An agreement is called here for the first time: what the others used of late counts as of now."""
        now = use.used_at
        for peer in self._peers.values():
            seen = peer.seen.get(use.agreement)
            if seen is not None:
                use.in_flight_elsewhere += seen.in_flight
                if seen.recent and now - seen.at <= _RECENT_S:
                    use.used_elsewhere(seen.recent)

    def _forget(self, seat: str) -> None:
        peer = self._peers.pop(seat)
        self._limiter.others = len(self._peers)
        for agreement, seen in peer.seen.items():
            use = self._limiter.uses.get(agreement)
            if use is not None:
                use.in_flight_elsewhere -= seen.in_flight
