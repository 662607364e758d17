"""Times as people write them: `2026-11-23T06:30:00Z`, `2026-11-23`, `90m`."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta

from lienthong.client.errors import InputError, Text

_AGO = re.compile(r"([0-9]{1,6})([smhdw])")
_LEAP_SECOND = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:)60(?:\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment(text: str, *, now: datetime) -> str:
    """A moment in RFC 3339 (UTC), of an ISO 8601 date or time (in this machine's zone), or of so long ago.

    As everywhere in Liên thông, a leap second becomes the last microsecond of its minute, and decimals after
    the sixth are cut off. Raises `InputError` with the forms that are understood.
    """
    try:
        found = _read(text, now)
        return found.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError) as error:
        raise InputError(
            Text(f"Không hiểu thời điểm «{text}»", f"The time '{text}' is not understood"),
            advice=Text(
                "Viết 2026-11-23, 2026-11-23T06:30:00+07:00, hoặc 90m, 2h, 3d (cách đây).",
                "Write 2026-11-23, 2026-11-23T06:30:00+07:00, or 90m, 2h, 3d (ago).",
            ),
        ) from error


def _read(text: str, now: datetime) -> datetime:
    ago = _AGO.fullmatch(text)
    if ago is not None:
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    leap = _LEAP_SECOND.fullmatch(text)
    if leap is None:
        return datetime.fromisoformat(text)
    found = datetime.fromisoformat(f"{leap[1]}59.999999{leap[2]}".upper()).astimezone(UTC)
    # RFC 3339 §5.7: second 60 is there only at the end of a month in UTC.
    if (found.day, found.hour, found.minute) != (monthrange(found.year, found.month)[1], 23, 59):
        raise ValueError("no leap second can be there")
    return found
