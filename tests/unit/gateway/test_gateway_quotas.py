"""How much an agreement may use, decided in one process."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.gateway.limit import refused
from lienthong.gateway.limits.day import VIETNAM, Calendar, Day, zone
from lienthong.gateway.limits.limiter import MOST_DAYS, Limiter
from lienthong.gateway.limits.terms import Limit, Limits, ServiceLimits, in_force
from lienthong.gateway.limits.window import Window
from lienthong.kit.clock import ManualClock

if TYPE_CHECKING:
    from lienthong.gateway.limits.limiter import Quota

AGREEMENT, SERVICE = "one-stop-parcels", "H11.05/land/parcels-v1"


class Asked:
    """A limiter with a clock of its own, asked about one agreement."""

    def __init__(self, limits: Limits | None = None, service: ServiceLimits | None = None) -> None:
        self.clock = ManualClock(datetime(2026, 11, 23, 6, 30, tzinfo=UTC))
        self.limits, self.service = limits, service
        self.limiter = Limiter("a", Calendar(zone(VIETNAM)), self.clock.now, self.clock.monotonic)

    def call(self, agreement: str = AGREEMENT) -> Quota:
        """A call begins."""
        return self.limiter.admit(agreement, self.limits, self.service, self.clock.now())

    def refusal(self) -> tuple[Limit, float | None] | None:
        """A call begins and, if it may, ends; by which limit it may not, and for how long."""
        quota = self.call()
        self.limiter.end(quota, 0)
        return (quota.refusal.limit, quota.refusal.wait) if quota.refusal is not None else None

    def passed(self, calls: int) -> int:
        """How many of so many calls may pass."""
        return sum(self.refusal() is None for _ in range(calls))

    def fields(self) -> tuple[str, str]:
        """The policy and the use that an answer tells of, of a call that begins and ends now."""
        quota = self.call()
        self.limiter.end(quota, 0)
        names = self.limiter.fields(quota, self.clock.now())
        assert names[0::2] == [b"\r\nratelimit-policy: ", b"\r\nratelimit: "]
        return names[1].decode(), names[3].decode()


def test_in_any_minute_there_are_no_more_calls_than_the_limit() -> None:
    asked = Asked(Limits(per_minute=600))
    assert asked.passed(700) == 600
    limit, wait = asked.refusal() or (None, None)
    assert limit is Limit.PER_MINUTE
    assert wait is not None
    assert 60 <= wait <= 61
    asked.clock.advance(wait - 0.001)
    assert asked.passed(1) == 0
    asked.clock.advance(0.002)
    assert asked.passed(700) == 600


def test_the_use_is_told_as_it_is_decided_by() -> None:
    asked = Asked(Limits(per_second=10, per_minute=600))
    unused = dict.fromkeys(Limit, 0)
    assert asked.limiter.used(AGREEMENT, asked.clock.now()) == unused
    quota = asked.call()
    asked.limiter.end(asked.call(), 300)
    under_way = {Limit.PER_SECOND: 2, Limit.PER_MINUTE: 2, Limit.PER_DAY: 2, Limit.CONCURRENT: 1}
    assert asked.limiter.used(AGREEMENT, asked.clock.now()) == {**under_way, Limit.BYTES_PER_DAY: 300}
    asked.limiter.end(quota, 100)
    asked.clock.advance(30)
    in_the_day = {**unused, Limit.PER_DAY: 2, Limit.BYTES_PER_DAY: 400}
    assert asked.limiter.used(AGREEMENT, asked.clock.now()) == {**in_the_day, Limit.PER_MINUTE: 2}
    asked.clock.advance(40)
    assert asked.limiter.used(AGREEMENT, asked.clock.now()) == in_the_day
    asked.clock.advance(86_400)
    assert asked.limiter.used(AGREEMENT, asked.clock.now()) == unused


def test_who_always_asks_for_more_gets_nearly_the_whole_limit() -> None:
    asked = Asked(Limits(per_minute=600))
    passed = 0
    for _ in range(6000):
        passed += asked.passed(2)
        asked.clock.advance(0.1)
    assert 600 * 10 * 60 / 61 <= passed <= 600 * 10 + 600


@given(
    st.lists(st.tuples(st.floats(0, 30, allow_nan=False), st.integers(0, 40)), max_size=60),
    st.integers(1, 50),
)
def test_whatever_the_pattern_no_minute_has_more_than_the_limit(
    steps: list[tuple[float, int]], limit: int
) -> None:
    asked = Asked(Limits(per_minute=limit))
    times: list[float] = []
    for pause, calls in steps:
        asked.clock.advance(pause)
        times += [asked.clock.monotonic()] * asked.passed(calls)
    for number, time in enumerate(times):
        assert sum(time <= other < time + 60 for other in times[number:]) <= limit


def test_a_burst_is_limited_by_the_second() -> None:
    asked = Asked(Limits(per_second=5, per_minute=600))
    assert asked.passed(20) == 5
    limit, wait = asked.refusal() or (None, None)
    assert limit is Limit.PER_SECOND
    assert wait is not None
    assert 1 <= wait <= 1.06
    asked.clock.advance(wait)
    assert asked.passed(20) == 5


def test_a_day_ends_at_midnight_in_vietnam() -> None:
    asked = Asked(Limits(per_day=3))
    assert asked.passed(5) == 3
    assert asked.refusal() == (Limit.PER_DAY, None)
    asked.clock.advance(timedelta(hours=10, minutes=29, seconds=59))
    assert asked.passed(1) == 0
    asked.clock.advance(1)
    assert asked.passed(5) == 3


def test_bytes_are_counted_when_calls_end_and_the_last_may_be_larger() -> None:
    asked = Asked(Limits(bytes_per_day=1000))
    for size in (400, 599, 5000):
        quota = asked.call()
        assert quota.refusal is None
        asked.limiter.end(quota, size)
        asked.limiter.end(quota, size)
    assert asked.refusal() == (Limit.BYTES_PER_DAY, None)
    asked.clock.advance(timedelta(days=1))
    assert asked.refusal() is None


def test_calls_at_a_time_are_counted_until_they_end() -> None:
    asked = Asked(Limits(concurrent=2))
    first, second = asked.call(), asked.call()
    third = asked.call()
    assert third.refusal is not None
    assert third.refusal.limit is Limit.CONCURRENT
    asked.limiter.end(third, 0)
    assert asked.call().refusal is not None
    asked.limiter.end(first, 0)
    asked.limiter.end(first, 0)
    assert asked.call().refusal is None
    assert asked.call().refusal is not None
    asked.limiter.end(second, 0)
    assert asked.call().refusal is None


def test_a_refused_call_uses_nothing() -> None:
    asked = Asked(Limits(per_second=1, per_day=3))
    assert asked.passed(100) == 1
    for _ in range(2):
        asked.clock.advance(2)
        assert asked.passed(100) == 1
    asked.clock.advance(2)
    assert asked.refusal() == (Limit.PER_DAY, None)


@pytest.mark.parametrize("jump", [timedelta(days=-400), timedelta(days=400)], ids=["back", "forward"])
def test_a_clock_that_is_set_and_set_right_again_forgets_nothing(jump: timedelta) -> None:
    asked = Asked(Limits(per_minute=5, per_day=3))
    assert asked.passed(2) == 2
    asked.clock.jump(jump)
    assert asked.passed(2) == 2
    asked.clock.jump(-jump)
    assert asked.passed(2) == 1, "of the right day two are used, and of the minute four"
    assert len(asked.limiter.days) <= MOST_DAYS


def test_limits_that_change_hold_at_once_and_what_was_used_stays_used() -> None:
    asked = Asked(Limits(per_minute=5, per_day=100))
    assert asked.passed(10) == 5
    asked.limits = Limits(per_minute=8, per_day=100)
    assert asked.passed(10) == 3
    asked.limits = Limits(per_day=8)
    assert asked.refusal() == (Limit.PER_DAY, None)
    asked.limits = None
    assert asked.passed(10) == 10


def test_agreements_count_apart() -> None:
    asked = Asked(Limits(per_minute=1))
    assert asked.call("a-one").refusal is None
    assert asked.call("a-two").refusal is None
    assert asked.call("a-one").refusal is not None


def test_a_service_sets_what_an_agreement_leaves_open_and_the_most() -> None:
    service = ServiceLimits(
        default=Limits(per_minute=60, per_day=50), maximum=Limits(per_day=40, concurrent=9)
    )
    assert in_force(None, None) is None
    assert in_force(None, service) == Limits(per_minute=60, per_day=40, concurrent=9)
    own = Limits(per_second=2, per_minute=600, per_day=30, concurrent=10)
    assert in_force(own, service) == Limits(per_second=2, per_minute=600, per_day=30, concurrent=9)
    assert in_force(own, None) == own


def test_answers_tell_what_is_left() -> None:
    asked = Asked(
        Limits(per_second=9, per_minute=600, per_day=50_000, bytes_per_day=1_000_000, concurrent=10)
    )
    policy, use = asked.fields()
    assert policy == (
        '"per-second";q=9;w=1, "per-minute";q=600;w=60, "per-day";q=50000;w=86400, '
        '"bytes-per-day";q=1000000;qu="content-bytes";w=86400, "concurrent";q=10;qu="concurrent-requests"'
    )
    assert use == (
        '"per-second";r=8;t=1, "per-minute";r=599;t=60, "per-day";r=49999;t=37800, '
        '"bytes-per-day";r=1000000;t=37800, "concurrent";r=10'
    )


def test_the_problem_says_which_limit_when_there_is_room_and_who_may_raise_it() -> None:
    service = ServiceLimits(default=Limits(per_second=1), maximum=Limits(per_day=1))
    cases = {
        "limits.perMinute of the agreement": (Limits(per_second=9, per_minute=1), 61),
        f"limits.default.perSecond in the manifest of {SERVICE}": (Limits(per_minute=9), 2),
        f"limits.maximum.perDay in the manifest of {SERVICE}": (Limits(per_second=9, per_day=5), 37800),
    }
    for where, (limits, seconds) in cases.items():
        asked = Asked(limits, service)
        asked.passed(1)
        problem = refused(asked.limiter, asked.call(), SERVICE, asked.clock.now())
        assert problem is not None
        assert (problem.code, problem.status) == ("quota-exceeded", 429)
        assert problem.detail.en.endswith(f"The provider may allow more: {where}.")
        for text in (problem.detail.en, problem.detail.vi):
            assert AGREEMENT in text
            assert f" {seconds} " in text
            assert str(problem.extra["free_at"]) in text
        assert problem.headers == {"Retry-After": str(seconds)}
    asked = Asked(Limits(per_day=1))
    asked.passed(1)
    problem = refused(asked.limiter, asked.call(), SERVICE, asked.clock.now())
    assert problem is not None
    assert problem.extra == {"violated-policies": ["per-day"], "free_at": "2026-11-24T00:00:00+07:00"}


def test_what_is_in_memory_is_bounded() -> None:
    clock = ManualClock()
    limits = Limits(per_minute=1)
    limiter = Limiter("a", Calendar(zone(VIETNAM)), clock.now, clock.monotonic, most_uses=50)
    held = limiter.admit("held", limits, None, clock.now())
    for number in range(500):
        quota = limiter.admit(f"agreement-{number}", limits, None, clock.now())
        limiter.end(quota, 0)
        clock.advance(0.5)
    assert len(limiter.uses) == 50
    assert limiter.uses["held"] is held.use, "a call is under way"
    assert limiter.admit("agreement-499", limits, None, clock.now()).refusal is not None


def test_days_have_the_length_that_they_have_where_clocks_are_changed() -> None:
    calendar = Calendar(ZoneInfo("Europe/Berlin"))
    before = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)
    assert calendar.rest(before) == 22.5 * 3600
    assert calendar.day(before + timedelta(hours=22, minutes=29)) == calendar.day(before)
    assert calendar.day(before + timedelta(hours=22, minutes=30)) == calendar.day(before) + 1


def test_the_time_zone_of_vietnam_is_known_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lienthong.gateway.limits.day.ZoneInfo", _no_zones)
    assert datetime(2026, 1, 1, tzinfo=zone(VIETNAM)).utcoffset() == timedelta(hours=7)
    with pytest.raises(ValueError, match="names no time zone"):
        zone("Europe/Berlin")


def _no_zones(name: str) -> ZoneInfo:
    raise OSError(name)


def test_counts_of_a_day_may_come_twice_late_and_in_any_order() -> None:
    day = Day(1)
    for calls, size in ((5, 100), (3, 400), (5, 100), (9, 50)):
        day.learn("b", AGREEMENT, calls, size)
    day.learn("c", AGREEMENT, 1, 1)
    total = day.in_all(AGREEMENT)
    assert (total.calls, total.size) == (10, 401)


def test_a_window_forgets_each_slot_in_its_time() -> None:
    window = Window(4, 1.0, 0.5)
    window.add(3)
    window.advance(2.1)
    window.add(2)
    assert window.total == 5
    assert [window.room_in(2.1, amount) for amount in (1, 3, 4, 9)] == pytest.approx([2.9, 2.9, 4.9, 4.9])
    window.advance(4.9)
    assert window.total == 5
    window.advance(5.0)
    assert window.total == 2
    window.advance(1.0)
    assert window.total == 2, "a time that went back changes nothing"
    window.advance(1e6)
    assert window.total == 0
