"""Times as people type them into the address of a search: the plus of `+07:00` arrives as a space."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from tests.integration.practice.raw import exchange, head, status
from tests.integration.practice.tokens import document

if TYPE_CHECKING:
    from tests.support.platform import Platform


@pytest.fixture(scope="module")
def authorization(platform: Platform) -> str:
    """The field with an auditor's token."""
    with platform.auditor() as auditor:
        return f"Authorization: Bearer {auditor.token().value}"


@pytest.mark.parametrize("plus", ["+", "%2B", "%20"])
def test_the_zone_is_read_as_it_was_meant(platform: Platform, authorization: str, plus: str) -> None:
    begun = datetime.now(timezone(timedelta(hours=7))) - timedelta(hours=1)
    typed = begun.strftime("%Y-%m-%dT%H:%M:%S") + plus + "07:00"
    answer = exchange(
        platform.gateway, head("GET", f"/audit/v1/entries?from={typed}&kind=call", authorization)
    )
    assert status(answer) == 200
    entries = document(answer)["items"]
    assert entries
    assert all(datetime.fromisoformat(entry["record"]["at"]) >= begun.astimezone(UTC) for entry in entries)
    later = (begun + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S") + plus + "07:00"
    nothing = exchange(platform.gateway, head("GET", f"/audit/v1/entries?from={later}", authorization))
    assert document(nothing)["items"] == []


@pytest.mark.parametrize("typed", ["2026-11-30T07:00:00", "2026-11-30%2007:00:00", "yesterday"])
def test_a_time_without_its_zone_is_told_the_form(platform: Platform, authorization: str, typed: str) -> None:
    answer = exchange(platform.gateway, head("GET", f"/audit/v1/entries?from={typed}", authorization))
    assert status(answer) == 422
    (mistake,) = document(answer)["errors"]
    assert "2026-11-23T06:30:00Z" in mistake["detail"]
