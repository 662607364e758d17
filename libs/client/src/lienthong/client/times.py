"""Moments as people write them: `2026-11-23T06:30:00Z`, `2026-11-23`, `90m`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from lienthong.client.errors import InputError, Text

_AGO = re.compile(r"([0-9]{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment(text: str, *, now: datetime) -> str:
    """A moment in RFC 3339 (UTC), of an ISO 8601 date or time (in this machine's zone), or of so long ago.

    Raises `InputError` with the forms that are understood.
    """
    ago = _AGO.fullmatch(text)
    try:
        if ago is not None:
            found = now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        else:
            found = datetime.fromisoformat(text)
        return found.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError) as error:
        raise InputError(
            Text(f"Không hiểu thời điểm «{text}»", f"The time '{text}' is not understood"),
            advice=Text(
                "Viết 2026-11-23, 2026-11-23T06:30:00+07:00, hoặc 90m, 2h, 3d (cách đây).",
                "Write 2026-11-23, 2026-11-23T06:30:00+07:00, or 90m, 2h, 3d (ago).",
            ),
        ) from error
