"""Periods of validity."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.catalog.domain.validity import check_order, instant, read, write
from lienthong.catalog.errors import InvalidValueError


def test_a_date_is_a_whole_day_in_vietnam() -> None:
    assert instant("2025-07-01", end=False) == "2025-06-30T17:00:00Z"
    assert instant("2025-07-01", end=True) == "2025-07-01T17:00:00Z"


@pytest.mark.parametrize("end", [False, True])
def test_an_instant_keeps_its_meaning(end: bool) -> None:
    assert instant("2025-07-01T08:00:00+07:00", end=end) == "2025-07-01T01:00:00Z"
    assert instant("2025-07-01t01:00:00.5z", end=end) == "2025-07-01T01:00:00.500000Z"
    assert instant("2025-07-01 08:00:00+07:00", end=end) == "2025-07-01T01:00:00Z"
    assert instant("2026-12-31T23:59:60Z", end=end) == "2026-12-31T23:59:59.999999Z"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2025",
        "2025-7-1",
        "01/07/2025",
        "2025-02-30",
        "2025-07-01T08:00:00",
        "2025-07-01 08:00:00",
        "9999-12-31",
    ],
)
def test_what_leaves_the_instant_open_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError):
        instant(text, end=True)


@given(
    st.datetimes(
        min_value=datetime(1950, 1, 1),  # noqa: DTZ001 - the strategy adds the zone
        max_value=datetime(2200, 1, 1),  # noqa: DTZ001
        timezones=st.integers(-12, 12).map(lambda hours: timezone(timedelta(hours=hours))),
    )
)
def test_what_was_written_is_read_back_and_stays_as_it_is(moment: datetime) -> None:
    text = write(moment)
    assert read(text) == moment
    assert instant(text, end=True) == instant(text, end=False) == text


def test_a_period_is_not_empty() -> None:
    check_order("2025-01-01T00:00:00Z", None)
    check_order(None, "2025-01-01T00:00:00Z")
    check_order("2025-01-01T00:00:00Z", "2025-01-01T00:00:00.000001Z")
    with pytest.raises(InvalidValueError):
        check_order("2025-01-01T00:00:00Z", "2025-01-01T00:00:00Z")
