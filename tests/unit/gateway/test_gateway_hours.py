"""The hours of the week at which an agreement lets calls begin."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.gateway.hours import OpeningHours

if TYPE_CHECKING:
    from collections.abc import Iterable

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
MONDAY = datetime(2026, 11, 23, tzinfo=VIETNAM)
WORKING_DAYS = [(day, 7 * 60, 17 * 60 + 30) for day in range(1, 6)]


def hours(parts: Iterable[tuple[int, int, int]] = WORKING_DAYS, zone: ZoneInfo = VIETNAM) -> OpeningHours:
    return OpeningHours(zone, parts)


def at(day: int, time: str) -> datetime:
    """A moment of that week, 1 is Monday, in UTC."""
    hour, minute, *seconds = map(int, time.split(":"))
    delta = timedelta(days=day - 1, hours=hour, minutes=minute, seconds=seconds[0] if seconds else 0)
    return (MONDAY + delta).astimezone(UTC)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        (at(1, "06:59:59"), False),
        (at(1, "07:00"), True),
        (at(1, "17:29:59"), True),
        (at(1, "17:30"), False),
        (at(5, "12:00"), True),
        (at(6, "12:00"), False),
        (at(7, "12:00"), False),
        (at(8, "07:00"), True),
    ],
    ids=range(8),
)
def test_calls_begin_on_working_days_only(moment: datetime, is_open: bool) -> None:
    assert hours().is_open(moment) is is_open


def test_it_says_when_it_opens() -> None:
    opening = hours()
    assert opening.opens(at(1, "08:00")) == at(1, "08:00")
    assert opening.opens(at(1, "05:00")) == at(1, "07:00")
    assert opening.opens(at(1, "17:30")) == at(2, "07:00")
    assert opening.opens(at(5, "18:00")) == at(8, "07:00")
    assert hours([(3, 0, 60)]).opens(at(3, "01:00")) == at(10, "00:00")


def test_hours_through_midnight_are_two_parts() -> None:
    opening = hours([(5, 22 * 60, 24 * 60), (6, 0, 6 * 60)])
    found = [
        opening.is_open(at(5, time)) for time in ("21:59", "22:00", "23:59:59", "24:00", "29:59", "30:00")
    ]
    assert found == [False, True, True, True, True, False]


@given(
    st.lists(
        st.tuples(st.integers(1, 7), st.integers(0, 1439), st.integers(1, 1440)).filter(
            lambda p: p[1] < p[2]
        ),
        min_size=1,
        max_size=6,
    ),
    st.lists(st.integers(0, 10 * 24 * 3600), min_size=1, max_size=30),
    st.sampled_from(["Asia/Ho_Chi_Minh", "Europe/Berlin", "America/St_Johns", "UTC"]),
)
def test_what_is_remembered_says_the_same_as_looking_anew_whichever_way_clocks_go(
    parts: list[tuple[int, int, int]], seconds: list[int], name: str
) -> None:
    zone, remembering = ZoneInfo(name), hours(parts, ZoneInfo(name))
    # The week in which clocks are set back in Berlin and in St. John's.
    begin = datetime(2026, 10, 23, tzinfo=UTC)
    for second in seconds:
        moment = begin + timedelta(seconds=second)
        local = moment.astimezone(zone)
        minute = local.hour * 60 + local.minute
        plain = any(day == local.isoweekday() and start <= minute < end for day, start, end in parts)
        assert remembering.is_open(moment) is plain
        opens = remembering.opens(moment)
        assert opens >= moment
        assert hours(parts, zone).is_open(opens)


@pytest.mark.parametrize(
    "part", [(0, 0, 1), (8, 0, 1), (1, 5, 5), (1, 6, 5), (1, 0, 1441), None], ids=range(6)
)
def test_what_is_no_part_of_a_week_is_refused(part: tuple[int, int, int] | None) -> None:
    with pytest.raises(ValueError, match="no "):
        hours([part] if part is not None else [])
