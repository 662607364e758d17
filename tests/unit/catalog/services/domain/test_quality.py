"""The quality report of a document."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.catalog.services.domain import openapi
from lienthong.catalog.services.domain.naming import style_of
from lienthong.catalog.services.domain.quality import MOST_FINDINGS, RULES, quality

GOOD: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {
        "title": "Thửa đất",
        "version": "1",
        "description": "Thửa đất của tỉnh, cập nhật hằng ngày từ sổ địa chính.",
        "contact": {"name": "Phòng dữ liệu"},
    },
    "paths": {
        "/parcels": {
            "get": {
                "operationId": "listParcels",
                "summary": "Liệt kê thửa đất",
                "parameters": [
                    {"name": "limit", "in": "query", "description": "Số dòng", "schema": {"type": "integer"}},
                    {
                        "name": "citizenId",
                        "in": "query",
                        "description": "Chủ",
                        "schema": {"type": "string"},
                        "x-lgsp-person": True,
                    },
                ],
                "responses": {
                    "200": {
                        "content": {
                            "application/json": {
                                "schema": {"type": "array", "items": {"$ref": "#/components/schemas/Parcel"}},
                                "example": [{"parcelNumber": "1"}],
                            }
                        }
                    },
                    "default": {"content": {"application/problem+json": {}}},
                },
                "x-lgsp-person": {"answer": ["[*].ownerList[*].soDinhDanh"]},
            }
        }
    },
    "components": {
        "schemas": {
            "Parcel": {
                "type": "object",
                "properties": {
                    "parcelNumber": {"type": "string"},
                    "landUse": {"type": "string"},
                    "ownerList": {
                        "type": "array",
                        "items": {"type": "object", "properties": {"soDinhDanh": {"type": "string"}}},
                    },
                },
            }
        }
    },
}


def failed(document: dict[str, Any]) -> dict[str, int]:
    """How many places lack what each rule asks for."""
    assert openapi.read(document)[1] == ()
    return quality(document).failed


def test_a_good_document_has_a_hundred_points() -> None:
    found = quality(GOOD)
    assert (found.failed, found.score, found.findings) == ({}, 100, [])
    assert set(found.checked) == set(RULES)


OPERATION = GOOD["paths"]["/parcels"]["get"]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda d, o: d["info"].update(title="Parcels"), "title-vi"),
        (lambda d, o: d["info"].pop("description"), "description"),
        (lambda d, o: d["info"].pop("contact"), "contact"),
        (lambda d, o: o.pop("summary"), "operation-summary"),
        (lambda d, o: o.pop("operationId"), "operation-id"),
        (lambda d, o: o["parameters"][0].pop("description"), "parameter-description"),
        (lambda d, o: o["parameters"][1].pop("x-lgsp-person"), "person-not-declared"),
        (lambda d, o: o.pop("x-lgsp-person"), "person-not-declared"),
        (lambda d, o: o["parameters"].pop(0), "pagination"),
        (lambda d, o: o["responses"].pop("default"), "error-answers"),
        (lambda d, o: o["responses"]["200"]["content"]["application/json"].pop("example"), "example"),
        (lambda d, o: o["responses"]["200"]["content"]["application/json"].pop("schema"), "answer-schema"),
        (
            lambda d, o: d["components"]["schemas"]["Parcel"]["properties"].update(land_area={}),
            "names",
        ),
    ],
)
def test_what_is_missing_is_found_with_advice_and_costs_points(change: Any, rule: str) -> None:  # noqa: ANN401
    document = copy.deepcopy(GOOD)
    change(document, document["paths"]["/parcels"]["get"])
    assert failed(document) == {rule: 1}
    found = quality(document)
    assert found.score < 100
    (finding,) = found.document()["findings"]
    assert finding["rule"] == rule
    assert finding["detail"]
    assert finding["detail_vi"]


def test_so_many_findings_are_named_and_the_rest_is_counted() -> None:
    document = copy.deepcopy(GOOD)
    document["paths"] = {
        f"/p{number}": {"get": {"responses": {"204": {"description": ""}}}} for number in range(200)
    }
    found = quality(document).document()
    assert len(found["findings"]) == MOST_FINDINGS
    assert found["more_findings"] == 601 - MOST_FINDINGS, "and a person that no operation declares"


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["get", "properties", "parameters", "responses", "200", "content", "schema", "$ref", "a_b"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(_json, _json)
def test_whatever_stands_in_a_document_it_is_measured(item: Any, components: Any) -> None:  # noqa: ANN401
    found = quality({"openapi": "3.1.0", "info": item, "paths": {"/a": item}, "components": components})
    assert 0 <= found.score <= 100


@pytest.mark.parametrize(
    ("name", "style"),
    [
        ("land_use", "snake_case"),
        ("land-use", "kebab-case"),
        ("landUse", "camelCase"),
        ("LandUse", "PascalCase"),
        ("land", None),
        ("Thửa", None),
        ("x" * 1000 + "_y", None),
    ],
)
def test_names_are_told_by_how_they_are_written(name: str, style: str | None) -> None:
    assert style_of(name) == style
