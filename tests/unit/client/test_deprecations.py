"""What a program is told of a service that comes to its end."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import httpx
import pytest

from lienthong.client.deprecations import Deprecation, DeprecationWarnings

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
SAID = {
    "Deprecation": "@1767225600",
    "Sunset": "Wed, 30 Jun 2027 17:00:00 GMT",
    "Link": '<https://example.vn/v2>; rel="deprecation",'
    ' </api/H11.05/land/parcels-v2>; rel="successor-version"',
}


def test_what_an_answer_says_is_read() -> None:
    found = Deprecation.of(httpx.Headers(SAID))
    assert found == Deprecation(SINCE, datetime(2027, 6, 30, 17, tzinfo=UTC), "H11.05/land/parcels-v2")
    assert "2027-06-30T17:00:00Z" in found.text.vi
    assert "H11.05/land/parcels-v2" in found.text.en


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"deprecation": "true"},
        {"deprecation": "@-99999999999"},
        {"deprecation": "@1.5"},
        {"deprecation": "@" + "9" * 5000},
    ],
)
def test_what_cannot_be_read_says_nothing(said: dict[str, str]) -> None:
    assert Deprecation.of(httpx.Headers(said)) is None


@pytest.mark.parametrize("sunset", ["", "soon", "Wed, 99 Jun 2027 17:00:00 GMT", "(" * 1000])
def test_an_end_that_cannot_be_read_is_left_out(sunset: str) -> None:
    found = Deprecation.of(httpx.Headers({"deprecation": "@1767225600", "sunset": sunset}))
    assert found == Deprecation(SINCE)


def test_it_is_told_once_of_each_service(caplog: pytest.LogCaptureFixture) -> None:
    warnings = DeprecationWarnings()
    with caplog.at_level(logging.WARNING, "lienthong.client"):
        for service in ("a/b/c-v1", "a/b/c-v1", "a/b/d-v1", "a/b/c-v1"):
            warnings.note(service, httpx.Headers(SAID))
        warnings.note("a/b/e-v1", httpx.Headers())
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == ["a/b/c-v1", "a/b/d-v1"]
