"""What is found of a resource, and what is shown of it."""

from __future__ import annotations

from typing import Any

import pytest

from lienthong.catalog.domain.resources import Resource, ResourceKind, ServiceOperation
from lienthong.catalog.search.domain.asked import Asked
from lienthong.catalog.search.domain.entries import Entry, entry_of
from lienthong.catalog.search.domain.hits import hit
from lienthong.catalog.services.domain.service import ServiceResource
from tests.unit.catalog.manifests import NOW

DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Parcels", "version": "1", "description": "Ranh giới và diện tích từng thửa."},
    "tags": [{"name": "Địa chính"}],
    "paths": {
        "/parcels/{parcelId}": {
            "summary": "One",
            "get": {"operationId": "getParcelById", "summary": "Xem một thửa đất", "tags": ["cadastre"]},
        }
    },
}


def service(**more: Any) -> Entry:  # noqa: ANN401 - members of a service
    """The entry of a service."""
    members: dict[str, Any] = {
        "id": "H11.05/land/parcels-v1",
        "spec": {"name": {"vi": "Tra cứu đất đai", "en": "Land"}},
        "status": "active",
        "version": 7,
        "created_at": NOW,
        "updated_at": NOW,
        "openapi": DOCUMENT,
        "operations": (ServiceOperation("getParcelById", "GET", "/parcels/{parcelId}"),),
    }
    return entry_of(ServiceResource(**members | more))


@pytest.mark.parametrize(
    "term",
    ["0tra", "1tra", "2tra", "0land", "0parcels", "0v1", "1ranh", "1dia", "2getparcelbyid", "2parcel", "2mot",
     "2cadastre", "2parcelid"],
)  # fmt: skip
def test_a_service_is_found_by_its_name_its_document_and_its_operations(term: str) -> None:
    assert term in service().terms


@pytest.mark.parametrize("term", ["0ranh", "1mot", "0getparcelbyid"])
def test_a_word_counts_where_it_stands(term: str) -> None:
    assert term not in service().terms


@pytest.mark.parametrize(
    "document",
    [
        {"info": None, "paths": []},
        {"info": {"title": 3}, "tags": {"name": "x"}, "paths": {"/": None, "/a": {"get": 1, "put": {}}}},
        {"tags": [None, 1], "paths": {"/a": {"get": {"tags": 5, "summary": []}}}},
    ],
)
def test_an_odd_document_is_no_obstacle(document: dict[str, Any]) -> None:
    assert "0tra" in service(openapi=document).terms


def test_a_service_of_soap_is_found_by_its_operations() -> None:
    operation = ServiceOperation("LookupHousehold", "POST", "/")
    assert "2household" in service(openapi=None, wsdl="<x/>", operations=(operation,)).terms


def test_an_event_type_is_found_by_what_its_schema_says() -> None:
    schema = {"description": "Hộ khẩu đổi chủ", "properties": {"oldOwner": {"title": "Chủ cũ"}, "x": True}}
    spec = {"name": {"vi": "Biến động", "en": "Change"}, "dataSchema": schema}
    found = entry_of(
        Resource(
            kind=ResourceKind.EVENT_TYPE,
            id="H11.05/land/changed-v1",
            spec=spec,
            status="active",
            version=3,
            created_at=NOW,
            updated_at=NOW,
        )
    )
    assert {"0bien", "1khau", "2owner", "2cu"} <= set(found.terms)
    assert "1owner" not in found.terms


def test_what_is_looked_at_of_a_document_is_bounded() -> None:
    long = " ".join(f"w{number}" for number in range(100_000))
    paths = {f"/{number}": {"get": {"summary": long}} for number in range(50)}
    found = service(openapi={"info": {"description": long}, "paths": paths})
    assert sum(len(term.encode()) + 1 for term in found.terms) <= 200_000
    assert "0tra" in found.terms


def test_it_is_shown_where_the_words_are() -> None:
    entry = service()
    found = hit(entry.kind, entry.resource_id, entry.agency, entry.texts, Asked.of("thua"))
    assert found.description == "Ranh giới và diện tích từng thửa."
    assert list(found.operations) == [{"id": "getParcelById", "summary": "Xem một thửa đất"}]
    assert list(found.highlights) == [
        {"pointer": "/description", "ranges": [[28, 32]]},
        {"pointer": "/operations/0/summary", "ranges": [[8, 12]]},
    ]


def test_of_a_long_description_the_part_with_the_word_is_shown() -> None:
    text = "mở đầu " * 60 + "thửa đất ở đây " + "kết thúc " * 60
    entry = service(openapi={"info": {"description": text}})
    found = hit(entry.kind, entry.resource_id, entry.agency, entry.texts, Asked.of("thửa"))
    assert found.description.startswith("… ")
    assert found.description.endswith(" …")
    assert "thửa đất ở đây" in found.description
