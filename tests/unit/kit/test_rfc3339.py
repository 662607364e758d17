"""One reader of times for the whole product: what it takes, what it refuses, and that order is kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.kit.clock import parse_rfc3339, rfc3339

_offsets = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))
_moments = st.datetimes(
    min_value=datetime(2, 1, 1),  # noqa: DTZ001 - the strategy adds the zone
    max_value=datetime(9998, 12, 31),  # noqa: DTZ001
    timezones=_offsets,
)


@given(_moments)
def test_what_is_written_is_read_back(moment: datetime) -> None:
    assert parse_rfc3339(rfc3339(moment)) == moment
    assert parse_rfc3339(moment.isoformat()) == moment
    assert parse_rfc3339(moment.isoformat()).tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-23T06:30:00Z", datetime(2026, 11, 23, 6, 30, tzinfo=UTC)),
        ("2026-11-23t06:30:00z", datetime(2026, 11, 23, 6, 30, tzinfo=UTC)),
        ("2026-11-23T06:30:00-00:00", datetime(2026, 11, 23, 6, 30, tzinfo=UTC)),
        ("2026-11-23T13:30:00+07:00", datetime(2026, 11, 23, 6, 30, tzinfo=UTC)),
        ("2026-11-23T06:30:00.5Z", datetime(2026, 11, 23, 6, 30, 0, 500_000, UTC)),
        # .NET writes seven decimals, Go and Java up to nine.
        ("2026-11-23T06:30:00.1234567Z", datetime(2026, 11, 23, 6, 30, 0, 123_456, UTC)),
        ("2026-12-31T23:59:59.999999999Z", datetime(2026, 12, 31, 23, 59, 59, 999_999, UTC)),
        ("2024-02-29T00:00:00Z", datetime(2024, 2, 29, tzinfo=UTC)),
    ],
)
def test_the_grammar_is_understood(text: str, expected: datetime) -> None:
    assert parse_rfc3339(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "2016-12-31T23:59:60Z",
        "2016-12-31T23:59:60.000Z",
        "2016-12-31T23:59:60.999999999Z",
        "2017-01-01T06:59:60+07:00",
        "2016-12-31T15:59:60-08:00",
    ],
)
def test_a_leap_second_is_the_last_instant_of_its_minute(text: str) -> None:
    assert parse_rfc3339(text) == datetime(2016, 12, 31, 23, 59, 59, 999_999, UTC)


def test_the_last_leap_second_of_all_is_still_a_time() -> None:
    assert parse_rfc3339("9999-12-31T23:59:60Z") == datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC)


@pytest.mark.parametrize(
    "text",
    ["2016-12-31T23:58:60Z", "2016-12-30T23:59:60Z", "2016-12-31T23:59:60+07:00", "2016-12-31T23:59:61Z"],
)
def test_second_60_exists_nowhere_else(text: str) -> None:
    with pytest.raises(ValueError, match="second"):
        parse_rfc3339(text)


@given(_moments, st.text("0123456789", max_size=12))
def test_more_decimals_never_lead_past_the_next_microsecond(moment: datetime, digits: str) -> None:
    text = rfc3339(moment).removesuffix("Z") + digits + "Z"
    assert parse_rfc3339(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-11-23",
        "2026-11-23T06:30:00",
        "2026-11-23T06:30Z",
        "2026-11-23 06:30:00Z",
        "20261123T063000Z",
        "2026-11-23T06:30:00.Z",
        "2026-11-23T06:30:00,5Z",
        "2026-11-23T06:30:00+07",
        "2026-11-23T06:30:00+0700",
        "2026-11-23T06:30:00+24:00",
        "2026-11-23T06:30:00+07:60",
        "2026-02-30T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-11-23T24:00:00Z",
        "2026-11-23T06:60:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-23:00",
        "٢٠٢٦-11-23T06:30:00Z",
        " 2026-11-23T06:30:00Z",
        "2026-11-23T06:30:00Z\n",
        "1790000000",
    ],
)
def test_everything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".{10}"):
        parse_rfc3339(text)


@given(st.text(max_size=40))
def test_any_text_is_a_time_or_refused(text: str) -> None:
    try:
        assert parse_rfc3339(text).tzinfo is UTC
    except ValueError:
        return
