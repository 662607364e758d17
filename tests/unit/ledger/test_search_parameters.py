"""The filters of a search at the door."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from lienthong.ledger.domain.search import EntryQuery
from lienthong.ledger.endpoints import search_query
from lienthong.ledger.schemas import SearchParameters


def test_all_filters_reach_the_search() -> None:
    parameters = SearchParameters.model_validate(
        {
            "tx": "t", "client": "H11.01/one-stop", "service": "H11.05/land/parcels-v1", "agency": "H11.05",
            "kind": "call", "status": "403", "from": "2026-11-23T06:30:00Z",
            "to": "2026-11-24T00:00:00+07:00", "order": "asc", "cursor": "17", "limit": "5",
            "unfinished": "true", "person": [f"hmac-sha256:{'0f' * 32}"],
        }
    )  # fmt: skip
    query = search_query(parameters)
    assert query == EntryQuery(
        limit=5,
        order="asc",
        tx="t",
        client="H11.01/one-stop",
        service="H11.05/land/parcels-v1",
        agency="H11.05",
        kind="call",
        status=403,
        since=datetime(2026, 11, 23, 6, 30, tzinfo=UTC),
        until=datetime(2026, 11, 23, 17, 0, tzinfo=UTC),
        unfinished=True,
        after=17,
        persons=(b"\x0f" * 32,),
    )


@pytest.mark.parametrize("person", ["079203001234", "hmac-sha256:", f"hmac-sha256:{'0F' * 32}"])
def test_a_person_is_asked_for_by_a_hash_alone(person: str) -> None:
    with pytest.raises(ValidationError):
        SearchParameters.model_validate({"person": [person]})


@pytest.mark.parametrize("leap", ["2026-12-31T23:59:60Z", "2027-01-01T06:59:60.5+07:00"])
def test_a_leap_second_belongs_to_its_minute(leap: str) -> None:
    query = search_query(SearchParameters.model_validate({"to": leap}))
    assert query.until == datetime(2026, 12, 31, 23, 59, 59, 999_999, UTC)


def test_the_newest_come_first_by_default() -> None:
    assert search_query(SearchParameters.model_validate({})) == EntryQuery(limit=50, order="desc")


@pytest.mark.parametrize(
    "parameters",
    [
        {"customer": "H11.01"},
        {"from": "2026-11-23T06:30:00"},
        {"from": "yesterday"},
        {"from": "1790000000"},
        {"from": "2026-11-23T06:30:60Z"},
        {"from": "9999-12-31T23:59:59-23:00"},
        {"to": "0001-01-01T00:00:00+07:00"},
        {"status": "ok"},
        {"order": "newest"},
        {"unfinished": "perhaps"},
        {"cursor": "-1"},
        {"cursor": "abc"},
        {"limit": "0"},
        {"limit": "501"},
        {"tx": ""},
        {"tx": "x" * 129},
    ],
)
def test_a_filter_that_means_nothing_is_refused_rather_than_passed_over(parameters: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        SearchParameters.model_validate(parameters)
