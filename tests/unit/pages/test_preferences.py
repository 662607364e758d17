"""How somebody sees pages, by cookies that anyone could have written."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from starlette.requests import Request

from lienthong.pages.preferences import HOME_ZONE, Preferences, preferences_of

AT = datetime(2026, 11, 30, 20, 5, tzinfo=UTC)


def request(**cookies: str) -> Request:
    written = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return Request({"type": "http", "headers": [(b"cookie", written.encode("latin-1"))]})


def test_without_cookies_pages_are_vietnamese_in_the_devices_colours_and_vietnams_time() -> None:
    assert preferences_of(request()) == Preferences("vi", "system", HOME_ZONE)


def test_what_somebody_chose_holds() -> None:
    chosen = preferences_of(request(language="en", theme="dark", zone="Europe%2FParis"))
    assert chosen == Preferences("en", "dark", "Europe/Paris")


@pytest.mark.parametrize(
    "zone", ["../../etc/passwd", "/etc/passwd", "Asia", "Asia/Nowhere", "x" * 10_000, "..", "\xff", ""]
)
def test_a_zone_that_is_none_leads_to_no_file(zone: str) -> None:
    found = preferences_of(request(zone=zone, language="<b>", theme="\xe9"))
    assert found == Preferences("vi", "system", HOME_ZONE)


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        (HOME_ZONE, "01/12/2026 03:05 (30/11 20:05 UTC)"),
        ("Europe/Paris", "30/11/2026 21:05 (20:05 UTC)"),
        ("UTC", "30/11/2026 20:05 UTC"),
    ],
)
def test_a_time_is_shown_in_the_persons_zone_with_utc_beside(zone: str, shown: str) -> None:
    assert Preferences("vi", "system", zone).time(AT) == shown
