"""Periods of validity, of agency codes and agreements.

A date without a time is a day in Vietnam (UTC+7, no daylight saving since 1975): `validFrom` is its
beginning, `validTo` its end. Both are kept as instants in UTC; `validTo` itself is not part of the period.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone

from lienthong.catalog.errors import InvalidValueError
from lienthong.kit.clock import parse_rfc3339

VIETNAM = timezone(timedelta(hours=7), "UTC+07:00")

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def instant(text: str, *, end: bool) -> str:
    """Return an instant as RFC 3339 text in UTC.

    A date stands for the first instant of its day, with `end` for the first instant of the day after.

    Raises:
        InvalidValueError: it is neither a date nor a date-time with its offset.
    """
    try:
        if _DATE.fullmatch(text):
            day = date.fromisoformat(text) + timedelta(days=1 if end else 0)
            return write(datetime(day.year, day.month, day.day, tzinfo=VIETNAM))
        # YAML's own timestamps have a space between day and time.
        return write(parse_rfc3339(text.replace(" ", "T", 1)))
    except (ValueError, OverflowError):
        pass
    raise InvalidValueError(
        "write a date like '2026-01-31' (Vietnamese time) or an instant like '2026-01-31T08:00:00+07:00'",
        "hãy viết ngày như '2026-01-31' (giờ Việt Nam) hoặc thời điểm như '2026-01-31T08:00:00+07:00'",
    )


def read(text: str) -> datetime:
    """Read an instant that `instant` or `write` returned."""
    return datetime.fromisoformat(text)


def write(moment: datetime) -> str:
    """Return an aware instant as RFC 3339 text in UTC, e.g. `2026-01-31T01:00:00Z`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def check_order(valid_from: str | None, valid_to: str | None) -> None:
    """Check that a period is not empty.

    Raises:
        InvalidValueError: its end is not after its beginning.
    """
    if valid_from is not None and valid_to is not None and read(valid_to) <= read(valid_from):
        raise InvalidValueError("'validTo' must be later than 'validFrom'", "'validTo' phải sau 'validFrom'")
