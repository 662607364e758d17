"""Several processes that tell each other of the use of an agreement: what passes in all, whatever is lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.gateway.limits.conversation import Conversation
from lienthong.gateway.limits.day import VIETNAM, Calendar, zone
from lienthong.gateway.limits.kept import KeptUse
from lienthong.gateway.limits.limiter import Limiter
from lienthong.gateway.limits.messages import (
    MAX_MESSAGE_BYTES,
    MOST_ANSWERS,
    MOST_HEARD,
    MOST_USED,
    Answer,
    Heard,
    Message,
    Used,
    decode,
    encode,
)
from lienthong.gateway.limits.peers import MOST_PEERS, Peers
from lienthong.gateway.limits.terms import Limit, Limits
from lienthong.kit.clock import ManualClock

if TYPE_CHECKING:
    from pathlib import Path

    from lienthong.gateway.limits.limiter import Quota

AGREEMENT = "one-stop-parcels"
ENTRY = [AGREEMENT, 1, 1, 0, 0, 0]


class Seat:
    """One process that counts."""

    def __init__(self, name: str, clock: ManualClock, most_counts: int = 1000) -> None:
        self.clock = clock
        self.limiter = Limiter(name, Calendar(zone(VIETNAM)), clock.now, clock.monotonic)
        self.peers = Peers(self.limiter, most_counts)
        self.conversation = Conversation(self.limiter, self.peers)
        self.limiter.hurry = self._hurry
        self.hurries = self.soon = False
        self.next = 0.0

    def _hurry(self) -> None:
        self.hurries = self.soon = True

    @property
    def today(self) -> int:
        """The number of the day."""
        return self.limiter.calendar.day(self.clock.now())

    def call(self, limits: Limits, agreement: str = AGREEMENT) -> Quota:
        """A call begins."""
        return self.limiter.admit(agreement, limits, None, self.clock.now())

    def passed(self, calls: int, limits: Limits) -> int:
        """How many of so many calls may pass; they end at once."""
        found = 0
        for _ in range(calls):
            quota = self.call(limits)
            self.limiter.end(quota, 0)
            found += quota.refusal is None
        return found

    def says(self) -> list[Message]:
        """What it tells now."""
        hurries, self.hurries, self.soon = self.hurries, False, False
        return self.conversation.round(self.clock.monotonic(), hurries=hurries)

    def hear(self, *messages: Message) -> None:
        """Messages arrive, as they are on the bus."""
        for message in messages:
            if self.conversation.hear(decode(encode(message)), self.clock.monotonic()):
                self.soon = True


class Room:
    """Processes that tell each other every fifth of a second, or sooner, and hear it after a while."""

    def __init__(self, seats: int, delay: float = 0.002) -> None:
        self.clock = ManualClock(datetime(2026, 11, 23, 6, 30, tzinfo=UTC))
        self.seats = [Seat(f"seat-{number}", self.clock) for number in range(seats)]
        self.delay = delay
        self._under_way: list[tuple[float, Message]] = []
        self.advance(1.0)

    def advance(self, seconds: float, step: float = 0.02) -> None:
        """Time passes, and messages arrive."""
        until = self.clock.monotonic() + seconds
        while (now := self.clock.monotonic()) < until - 1e-9:
            for seat in self.seats:
                if seat.soon or now >= seat.next:
                    seat.next = now + 0.2
                    self._under_way += [(now + self.delay, message) for message in seat.says()]
            self.clock.advance(min(step, until - now))
            arrived = [message for at, message in self._under_way if at <= self.clock.monotonic()]
            self._under_way = [one for one in self._under_way if one[0] > self.clock.monotonic()]
            for message in arrived:
                for seat in self.seats:
                    seat.hear(message)


def told(seat: str, *used: Used, number: int = 1) -> Message:
    """A message made by hand."""
    return Message(1, seat, number, False, False, False, list(used), [], [])


@pytest.mark.parametrize("shares", [(1, 1, 1), (14, 5, 1), (20, 0, 0)], ids=["even", "uneven", "one"])
def test_three_keep_600_a_minute_within_five_percent_however_the_load_falls(
    shares: tuple[int, int, int],
) -> None:
    room, limits = Room(3), Limits(per_minute=600)
    times: list[float] = []
    for _ in range(3000):
        for seat, share in zip(room.seats, shares, strict=True):
            times += [room.clock.monotonic()] * seat.passed(share, limits)
        room.advance(0.1)
    assert 0.95 * 3000 <= len(times) <= 3000 + 600
    oldest = 0
    for number, time in enumerate(times):
        while times[oldest] <= time - 60:
            oldest += 1
        assert number - oldest + 1 <= 600 + 2, f"in the minute until {time}"


@given(st.data())
def test_together_they_exceed_no_limit_but_by_one_call_of_each_other_one(data: st.DataObject) -> None:
    seats, limit = data.draw(st.integers(2, 5)), data.draw(st.integers(1, 60))
    room = Room(seats, delay=data.draw(st.sampled_from((0.001, 0.03, 0.1))))
    limits = Limits(per_minute=limit, per_day=limit + 5)
    passed = 0
    for _ in range(data.draw(st.integers(1, 25))):
        seat = data.draw(st.sampled_from(room.seats))
        passed += seat.passed(data.draw(st.integers(1, 40)), limits)
        room.advance(data.draw(st.sampled_from((0.0, 0.001, 0.01, 0.02, 0.05, 0.2, 1.0))))
    assert passed <= limit + seats - 1


def test_one_that_hears_of_nobody_goes_on_with_its_share() -> None:
    room, limits = Room(4), Limits(per_minute=600, per_day=6000)
    alone = room.seats[0]
    assert alone.passed(1000, limits) == 150
    room.clock.advance(61)
    assert alone.passed(1000, limits) == 150
    for _ in range(60):
        room.clock.advance(61)
        alone.passed(1000, limits)
    assert alone.limiter.uses[AGREEMENT].own_day.calls == 1500, "a quarter of the day's too"
    room.advance(61)
    assert alone.passed(1000, limits) == 150, "heard of, and there is room again"


def test_the_limit_can_be_reached_by_whoever_is_called() -> None:
    room, limits = Room(3), Limits(per_day=7)
    passed = 0
    for _ in range(20):
        passed += room.seats[1].passed(1, limits)
        room.advance(1)
    assert passed == 7
    assert [seat.passed(3, limits) for seat in room.seats] == [0, 0, 0]


def test_calls_under_way_elsewhere_count_and_end_with_their_process() -> None:
    room, limits = Room(2), Limits(concurrent=4)
    here, there = room.seats
    assert [there.call(limits).refusal for _ in range(2)] == [None, None]
    room.advance(1)
    assert here.call(limits).refusal is None
    assert here.call(limits).refusal is not None, "what the other may not know of counts twice"
    room.advance(1)
    assert here.call(limits).refusal is None
    assert here.call(limits).refusal is not None
    here.hear(*there.conversation.last(room.clock.monotonic()))
    assert [here.call(limits).refusal is None for _ in range(3)] == [True, True, False]


def test_messages_may_come_twice_late_and_in_any_order() -> None:
    clock, limits = ManualClock(), Limits(per_minute=100, per_day=1000, concurrent=50)
    orderly, other = Seat("c", clock), Seat("b", clock)
    disorderly = Seat("d", clock)
    messages = []
    for _ in range(10):
        other.call(limits)
        messages += other.says()
    for seat in (orderly, disorderly):
        seat.hear(told("b", number=0))
        seat.call(limits)
    orderly.hear(*messages)
    disorderly.hear(*(messages[number * 7 % 10] for number in range(30)))
    for seat in (orderly, disorderly):
        use = seat.limiter.uses[AGREEMENT]
        assert use.minute is not None
        assert (use.all_day.calls, use.minute.total, use.in_flight_elsewhere) == (11, 11, 10)


def test_one_that_joins_counts_what_the_others_used() -> None:
    room, limits = Room(2), Limits(per_minute=10, per_day=12)
    assert room.seats[0].passed(4, limits) == 4
    room.advance(1)
    joined = Seat("seat-2", room.clock)
    room.seats.append(joined)
    joined.soon = True
    joined.hear(*room.seats[0].conversation.round(room.clock.monotonic(), connected_anew=True))
    room.advance(1)
    assert (joined.limiter.others, room.seats[0].limiter.others) == (2, 2)
    assert joined.passed(1, limits) == 1
    use = joined.limiter.uses[AGREEMENT]
    assert use.minute is not None
    assert (use.minute.total, use.all_day.calls) == (5, 5)


def test_one_that_is_silent_is_gone_after_three_seconds_and_its_day_stays() -> None:
    room, limits = Room(2), Limits(per_day=12)
    here, there = room.seats
    there.passed(4, limits)
    room.advance(1)
    room.seats.remove(there)
    room.advance(1.5)
    assert here.limiter.others == 1
    room.advance(3)
    assert here.limiter.others == 0
    assert list(here.peers.gone()) == [Heard("seat-1", AGREEMENT, here.today, 4, 0)]
    assert here.passed(20, limits) == 8


def test_the_eldest_tells_of_those_that_are_gone() -> None:
    room, limits = Room(3), Limits(per_day=12)
    room.seats.pop()
    gone = Seat("seat-9", room.clock)
    gone.passed(4, limits)
    for seat in room.seats:
        seat.hear(*gone.says(), *gone.conversation.last(room.clock.monotonic()))
    joined = Seat("seat-3", room.clock)
    room.seats.append(joined)
    messages = joined.conversation.round(room.clock.monotonic(), connected_anew=True)
    for seat in room.seats:
        seat.hear(*messages)
    room.advance(1)
    joined.call(limits)
    assert joined.limiter.uses[AGREEMENT].all_day.calls == 5


def test_what_was_used_without_a_connection_is_told_with_the_next_one() -> None:
    room, limits = Room(2), Limits(per_day=100)
    here, there = room.seats
    here.passed(10, limits)
    here.conversation.cut_off()
    assert here.limiter.changed == []
    there.hear(*here.conversation.round(room.clock.monotonic(), connected_anew=True))
    there.call(limits)
    assert there.limiter.uses[AGREEMENT].all_day.calls == 11


@pytest.mark.parametrize("jump", [timedelta(days=-30), timedelta(days=30)], ids=["back", "forward"])
def test_the_clock_of_another_one_may_be_wrong(jump: timedelta) -> None:
    here, wrong = Seat("a", ManualClock()), Seat("b", ManualClock())
    limits = Limits(per_minute=10, per_day=12)
    wrong.passed(3, limits)
    here.hear(*wrong.says())
    wrong.clock.jump(jump)
    wrong.passed(1, limits)
    here.hear(*wrong.says())
    here.call(limits)
    assert here.limiter.uses[AGREEMENT].all_day.calls == 4
    assert here.peers.left_out == 1, "of a day that is far away"
    wrong.clock.jump(-jump)
    wrong.passed(1, limits)
    here.hear(*wrong.says())
    assert here.limiter.uses[AGREEMENT].all_day.calls == 5


def test_only_days_that_are_near_are_told() -> None:
    seat, limits = Seat("a", ManualClock()), Limits(per_day=5)
    for _ in range(3):
        seat.call(limits)
        seat.clock.advance(timedelta(days=1))
    assert len(seat.limiter.days) == 3
    assert [seat.today - day for day, _ in seat.peers.own_names()] == [1]
    other = Seat("b", seat.clock)
    other.hear(*seat.conversation.round(seat.clock.monotonic(), connected_anew=True))
    assert other.peers.left_out == 0


def test_what_others_tell_is_bounded() -> None:
    seat = Seat("a", ManualClock(), most_counts=100)
    for sender in range(MOST_PEERS + 10):
        used = [Used(f"{sender}-{number}", seat.today, 1, 1, 1, 1) for number in range(5)]
        seat.hear(told(f"b-{sender}", *used))
    assert seat.limiter.others == MOST_PEERS
    assert seat.limiter.days[seat.today].size == 100
    assert seat.peers.left_out == 5 * MOST_PEERS - 100 + 10
    assert seat.call(Limits(per_day=MOST_PEERS)).refusal is None, "its own is counted all the same"


def test_much_is_told_in_several_messages_and_the_rest_the_next_time() -> None:
    here, there = Seat("a", ManualClock()), Seat("b", ManualClock(), most_counts=100_000)
    for number in range(7000):
        here.call(Limits(per_day=5), f"agreement-{number}")
    first, second = here.says(), here.says()
    assert len(first) == 20
    assert len(second) == 15
    there.hear(*first, *second)
    assert there.limiter.days[there.today].size == 7000


def test_a_message_of_the_most_and_longest_is_within_its_size() -> None:
    longest = "H11.01.02.03." + "s" * 63 + "." + "n" * 63
    number = 2**48
    used = [Used(longest, 740_000, number, number, number, number)] * MOST_USED
    heard = [Heard("s" * 36, longest, 740_000, number, number)] * MOST_HEARD
    answers = [Answer("s" * 36, number)] * MOST_ANSWERS
    data = encode(Message(1, "s" * 36, number, True, True, True, used, heard, answers))
    assert len(data) <= MAX_MESSAGE_BYTES
    assert decode(data).used == used


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc0",
        b"x" * (MAX_MESSAGE_BYTES + 1),
        encode([2, "a", 1, False, False, False, [], [], []]),
        encode([1, "", 1, False, False, False, [], [], []]),
        encode([1, "a", -1, False, False, False, [], [], []]),
        encode([1, "a", 1, False, False, False, [["b", 1, -1, 0, 0, 0]], [], []]),
        encode([1, "a", 1, False, False, False, [["b", 1, 2**63, 0, 0, 0]], [], []]),
        encode([1, "a", 1, False, False, False, [["b", 5_000_000, 1, 0, 0, 0]], [], []]),
        encode([1, "a", 1, False, False, False, [["b" * 300, 1, 1, 0, 0, 0]], [], []]),
        encode([1, "a", 1, False, False, False, [ENTRY] * (MOST_USED + 1), [], []]),
    ],
    ids=range(11),
)
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode(data)


async def test_a_restart_forgets_no_day(tmp_path: Path) -> None:
    clock, limits = ManualClock(), Limits(per_day=10, per_minute=100)
    before = Seat("a", clock)
    assert before.passed(4, limits) == 4
    before.hear(told("live", Used(AGREEMENT, before.today, 2, 70, 2, 0)))
    await KeptUse(tmp_path, 0, before.limiter, before.peers).save()
    second = Seat("b", clock)
    KeptUse(tmp_path, 0, second.limiter, second.peers).load()
    assert second.passed(3, limits) == 3
    await KeptUse(tmp_path, 0, second.limiter, second.peers).save()
    third = Seat("c", clock)
    KeptUse(tmp_path, 1, third.limiter, third.peers).load()
    assert third.passed(20, limits) == 3, "the live one tells of its own"
    clock.advance(timedelta(days=1))
    assert third.passed(20, limits) == 10


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"v":2}', b'{"v":1,"seats":{"a":{"x":{"b":[1,1]}}}}'], ids=range(4)
)
async def test_a_damaged_file_costs_itself_alone(tmp_path: Path, content: bytes) -> None:
    clock, limits = ManualClock(), Limits(per_day=10)
    before = Seat("a", clock)
    before.passed(4, limits)
    await KeptUse(tmp_path, 1, before.limiter, before.peers).save()
    (tmp_path / "0.json").write_bytes(content)
    after = Seat("b", clock)
    KeptUse(tmp_path, 0, after.limiter, after.peers).load()
    assert after.passed(20, limits) == 6


def test_who_is_in_a_hurry_says_so_and_is_answered() -> None:
    room, limits = Room(2), Limits(per_minute=600)
    here, there = room.seats
    hurried = []
    for calls in (5, 200):
        here.passed(calls, limits)
        hurried.append(here.hurries)
    assert hurried == [False, True]
    [message] = here.says()
    assert message.hurries
    there.hear(message)
    assert there.soon
    [answer] = there.says()
    assert answer.answers == [Answer("seat-0", message.number)]
    use = here.limiter.uses[AGREEMENT]
    assert use.settled == 0
    here.hear(answer)
    assert use.settled == 205
    here.passed(1, limits)
    assert not here.hurries


def test_refusals_are_counted_by_limit() -> None:
    seat = Seat("a", ManualClock())
    seat.passed(5, Limits(per_day=2))
    assert seat.limiter.refused[Limit.PER_DAY] == 3
