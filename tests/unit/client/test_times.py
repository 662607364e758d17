"""Moments are taken as people write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lienthong.client.errors import InputError
from lienthong.client.times import moment

NOW = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-11-23T06:30:00+07:00", "2026-11-22T23:30:00Z"),
        ("2026-11-23T06:30:00Z", "2026-11-23T06:30:00Z"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999999Z"),
        ("2017-01-01t06:59:60.5+07:00", "2016-12-31T23:59:59.999999Z"),
        ("2016-12-31T23:59:59.9999999Z", "2016-12-31T23:59:59.999999Z"),
        ("90m", "2026-11-23T05:00:00Z"),
        ("2h", "2026-11-23T04:30:00Z"),
        ("3d", "2026-11-20T06:30:00Z"),
        ("1w", "2026-11-16T06:30:00Z"),
    ],
)
def test_a_moment_becomes_utc(written: str, meant: str) -> None:
    assert moment(written, now=NOW) == meant


def test_a_date_without_a_zone_is_this_machines() -> None:
    local = datetime(2026, 11, 23).astimezone(UTC)
    assert moment("2026-11-23", now=NOW) == local.isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize(
    "written", ["", "yesterday", "5 minutes", "999999w", "2026-13-01", "2026-11-23T06:30:60Z"]
)
def test_anything_else_is_refused_with_the_forms_there_are(written: str) -> None:
    with pytest.raises(InputError) as refused:
        moment(written, now=NOW)
    assert "2h" in refused.value.document()["advice"]
