"""Whether terms allow more than others do."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.catalog.agreements.domain.terms import changed, widened

BASE: dict[str, Any] = {
    "consumer": "H11.01/one-stop",
    "service": "H11.05/land/parcels-v1",
    "purposes": ["a", "b"],
    "legalGround": "Luật Đất đai 2024",
}


@pytest.mark.parametrize(
    ("term", "narrow", "wide"),
    [
        ("purposes", ["a"], ["a", "b"]),
        ("operations", ["getParcel"], ["getParcel", "listParcels"]),
        ("operations", ["getParcel"], None),
        ("validFrom", "2026-02-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("validFrom", "2026-02-01T00:00:00Z", None),
        ("validTo", "2026-12-01T00:00:00Z", "2027-12-01T00:00:00Z"),
        ("validTo", "2026-12-01T00:00:00Z", None),
        ("requires", ["case", "purpose"], ["case"]),
        ("requires", ["case"], None),
        ("limits", {"perDay": 100}, {"perDay": 1000}),
        ("limits", {"perDay": 100, "perMinute": 5}, {"perDay": 100}),
        ("limits", {"perDay": 100}, None),
        ("hours", {"timeZone": "Asia/Ho_Chi_Minh", "open": []}, None),
        ("fields", {"*": ["id"]}, {"*": ["id", "owner"]}),
        ("fields", {"*": ["id"], "getParcel": ["id"]}, {"*": ["id"], "getParcel": ["$"]}),
        ("fields", {"getParcel": ["id"]}, {"*": ["$"]}),
        ("fields", {"*": ["id"]}, None),
    ],
)
def test_only_the_wider_one_is_wider(term: str, narrow: object, wide: object) -> None:
    def terms(value: object) -> dict[str, Any]:
        return BASE if value is None else {**BASE, term: value}

    assert widened(terms(narrow), terms(wide)) == [term]
    assert widened(terms(wide), terms(narrow)) == []
    for one in (narrow, wide):
        assert widened(terms(one), terms(one)) == []
        assert changed(terms(one), terms(one)) == []


@pytest.mark.parametrize(
    ("term", "one", "other"),
    [
        ("consumer", "H11.01/one-stop", "H11.01/other"),
        ("service", "H11.05/land/parcels-v1", "H11.05/land/parcels-v2"),
        ("legalGround", "Luật Đất đai 2024", "Luật Dữ liệu 2024"),
        ("hours", {"timeZone": "UTC", "open": [1]}, {"timeZone": "UTC", "open": [2]}),
        ("unheardOf", 1, 2),
    ],
)
def test_what_cannot_be_compared_counts_as_wider(term: str, one: object, other: object) -> None:
    assert widened({**BASE, term: one}, {**BASE, term: other}) == [term]
    assert widened({**BASE, term: other}, {**BASE, term: one}) == [term]


def test_the_status_is_no_term() -> None:
    assert widened({**BASE, "status": "requested"}, {**BASE, "status": "approved"}) == []


names = st.lists(st.sampled_from("abcd"), unique=True, min_size=1)
terms = st.fixed_dictionaries(
    {"purposes": names},
    optional={
        "operations": names,
        "requires": names,
        "limits": st.dictionaries(st.sampled_from(["perDay", "perMinute"]), st.integers(1, 5), min_size=1),
        "validTo": st.sampled_from(["2026-12-01T00:00:00Z", "2027-12-01T00:00:00Z"]),
    },
)


@given(terms, terms, terms)
def test_what_is_within_what_is_within_is_within(
    one: dict[str, Any], other: dict[str, Any], third: dict[str, Any]
) -> None:
    first, second, last = BASE | one, BASE | other, BASE | third
    if not widened(first, second) and not widened(second, last):
        assert not widened(first, last)
    if not widened(first, second) and not widened(second, first):
        normal = [{k: sorted(v) if isinstance(v, list) else v for k, v in x.items()} for x in (first, second)]
        assert not [path for path in changed(*normal) if not path.startswith("requires")]
