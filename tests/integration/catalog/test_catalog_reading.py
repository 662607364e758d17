"""Reading the catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.catalog.province import Province, name

if TYPE_CHECKING:
    from tests.integration.catalog.running import Catalog


def test_pages_show_everything_exactly_once(catalog: Catalog, place: Province) -> None:
    operator = catalog.operator()
    codes = [f"{place.code}.{number:03}" for number in range(25)]
    manifests = [place.agency(f"{number:03}") for number in range(25)]
    assert operator.post("/apply", json={"manifests": manifests}).status_code == 200

    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = operator.get("/agencies", params={"limit": 7, "cursor": cursor}).json()
        assert len(page["items"]) <= 7
        seen += [item["metadata"]["id"] for item in page["items"]]
        cursor = page["next"]

    assert sorted(set(seen)) == sorted(seen)
    assert [code for code in seen if code.startswith(f"{place.code}.")] == codes


@pytest.mark.parametrize("limit", ["0", "201", "-1", "many"])
def test_a_page_has_a_limit(catalog: Catalog, limit: str) -> None:
    assert catalog.operator().get("/agencies", params={"limit": limit}).status_code == 422


@pytest.mark.parametrize("cursor", ["!", "x", "/w", "AA", "đ"])
def test_a_cursor_nobody_gave_out_is_refused(catalog: Catalog, cursor: str) -> None:
    assert catalog.operator().get("/agencies", params={"cursor": cursor}).status_code == 422


@pytest.mark.parametrize(
    ("path", "unknown"),
    [
        ("/agreements?status=requested", "status"),
        ("/agencies?limit=5&page=2", "page"),
        ("/agencies/H11?fields=name", "fields"),
    ],
)
def test_a_filter_that_does_not_exist_is_refused_rather_than_ignored(
    catalog: Catalog, path: str, unknown: str
) -> None:
    answer = catalog.operator().get(path)
    assert (answer.status_code, answer.headers["LGSP-Error"]) == (422, "invalid-request")
    assert [error["pointer"] for error in answer.json()["errors"]] == [f"query/{unknown}"]


def test_each_kind_is_listed_and_shown_as_a_manifest_with_its_status(
    catalog: Catalog, place: Province
) -> None:
    operator = catalog.operator()
    operator.post("/apply", json={"manifests": place.everything()})
    for collection, kind, identity, status in (
        ("agencies", "Agency", f"{place.code}.05", "active"),
        ("systems", "System", place.provider, "active"),
        ("services", "Service", place.service_id, "active"),
        ("event-types", "EventType", place.event_type_id, "active"),
        ("agreements", "Agreement", place.agreement_id, "requested"),
    ):
        shown = operator.get(f"/{collection}/{identity}").json()
        assert (shown["apiVersion"], shown["kind"], shown["status"]) == ("lienthong/v1", kind, status)
        assert shown["metadata"]["id"] == identity
        assert shown["metadata"]["version"] > 0
        listed = operator.get(f"/{collection}", params={"limit": 200}).json()["items"]
        [item] = [item for item in listed if item["metadata"]["id"] == identity]
        shown["spec"].pop("openapi", None)
        assert item == shown, "a list leaves out the OpenAPI document and nothing else"


def test_the_address_of_a_service_is_shown_to_its_agency_and_the_operator_only(
    catalog: Catalog, place: Province
) -> None:
    catalog.operator().post("/apply", json={"manifests": place.everything()})
    for client, visible in (
        (catalog.operator(), True),
        (catalog.client(place.provider), True),
        (catalog.client(place.colleague), True),
        (catalog.client(place.consumer), False),
    ):
        shown = client.get(f"/services/{place.service_id}").json()
        listed = client.get("/services", params={"limit": 200}).json()["items"]
        [item] = [item for item in listed if item["metadata"]["id"] == place.service_id]
        assert ("upstreams" in shown["spec"]) is ("upstreams" in item["spec"]) is visible
        assert shown["operations"][0] == {"id": "getParcel", "method": "GET", "path": "/0/{key}"}


@pytest.mark.parametrize(
    "path",
    [
        "/agencies/Z99",
        "/agencies/nonsense",
        "/systems/Z99/land",
        "/services/Z99/land/parcels-v1",
        "/services/Z99/land/parcels-v1/openapi",
        "/event-types/Z99/land/x-v1",
        "/agreements/nobody-knows",
        "/agreements/%00",
        "/things",
        "/agencies/Z99/land",
        "/agencies/",
    ],
)
def test_what_is_not_there_is_not_found(catalog: Catalog, path: str) -> None:
    missing = catalog.operator().get(path)
    assert missing.status_code == 404
    assert missing.headers["content-type"] == "application/problem+json"


def test_a_resource_keeps_when_it_was_created_and_changed(catalog: Catalog, place: Province) -> None:
    operator = catalog.operator()
    operator.post("/apply", json={"manifests": [place.agency()]})
    before = operator.get(f"/agencies/{place.code}.05").json()["metadata"]
    operator.post("/apply", json={"manifests": [place.agency(name=name("Mới"))]})
    after = operator.get(f"/agencies/{place.code}.05").json()["metadata"]
    assert before["createdAt"] == before["updatedAt"] == after["createdAt"]
    assert after["updatedAt"] > before["updatedAt"]
    assert after["version"] > before["version"]
