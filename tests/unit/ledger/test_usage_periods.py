"""A period is made up of counted hours and days: of each moment once, and of days where they are whole."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from lienthong.ledger.usage.domain import DAY, HOUR, LONGEST, CallKind, Period, count
from lienthong.ledger.usage.domain import CountedEntry as Entry

MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(MOMENTS, st.timedeltas(timedelta(microseconds=1), LONGEST))
def test_a_period_has_each_hour_around_it_once(since: datetime, length: timedelta) -> None:
    period = Period.around(since, since + length)
    hour = timedelta(hours=1)
    assert period.start <= since < period.start + hour
    assert period.end - hour < since + length <= period.end
    place = period.start
    for hours, start, end in period.spans:
        assert start == place < end
        assert (end - start) % timedelta(hours=hours) == timedelta(0)
        if hours == DAY:
            assert (start.hour, end.hour) == (0, 0)
        else:
            # Hours are read one by one only where they are no whole day.
            assert end - start < timedelta(days=1) or len(period.spans) == 1
        place = end
    assert place == period.end


def test_hours_that_make_up_no_day_of_utc_stay_hours() -> None:
    period = Period(datetime(2026, 11, 23, 17, tzinfo=UTC), datetime(2026, 11, 24, 17, tzinfo=UTC))
    assert [hours for hours, _, _ in period.spans] == [HOUR]


def entry(kind: str, data: bytes, status: int | None = 403) -> Entry:
    at = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
    return Entry(0, kind, "H11.01/one-stop", "H11.01", None, None, None, status, "no-agreement", at, data)


def test_a_sample_counts_for_as_many_calls_as_it_says_and_other_records_for_none() -> None:
    kind = CallKind("H11.01/one-stop", "H11.01", "", "", "", "", 4, "no-agreement")
    day = datetime(2026, 11, 23, tzinfo=UTC)
    records = [
        entry("refused-sample", b'{"count":41}'),
        entry("call", b'{"count":7}'),
        entry("refused-sample", b'{"count":"many"}'),
        entry("intent", b"{}"),
        entry("opening", b"{}"),
    ]
    found = count(records).calls
    assert found == {(HOUR, day + timedelta(hours=6), kind): 43, (DAY, day, kind): 43}


def test_what_a_record_does_not_say_is_nothing() -> None:
    kind = CallKind("H11.01/one-stop", "H11.01", "", "", "", "", 0, "no-agreement")
    records = [
        entry("call", b'{"purpose":7}', None),
        entry("call", b'{"purpose":"' + b"x" * 300 + b'"}', 999),
    ]
    assert {kind for _, _, kind in count(records).calls} == {kind}
