"""Reading the catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from jsonschema import Draft202012Validator, FormatChecker

from tests.integration.catalog.province import Province, manifest, name

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
        ("/agreements?state=requested", "state"),
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
    inside = {
        "upstreams": ["https://10.0.0.5"],
        "credentials": [{"kind": "basic", "secret": "core"}],
        "tls": {"certificate": "cert"},
        "xRoad": {"client": "VN/GOV/H11", "service": "VN/GOV/G09/population/citizens"},
    }
    service = place.service(**inside)
    manifests = [service if one["kind"] == "Service" else one for one in place.everything()]
    assert catalog.operator().post("/apply", json={"manifests": manifests}).status_code == 200
    for client, visible in (
        (catalog.operator(), True),
        (catalog.client(place.provider), True),
        (catalog.client(place.colleague), True),
        (catalog.client(place.consumer), False),
    ):
        shown = client.get(f"/services/{place.service_id}").json()
        listed = client.get("/services", params={"limit": 200}).json()["items"]
        [item] = [item for item in listed if item["metadata"]["id"] == place.service_id]
        for spec in (shown["spec"], item["spec"]):
            assert {name: spec[name] for name in inside if name in spec} == (inside if visible else {})
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


def _ids(client: httpx.Client, path: str, **params: str) -> list[str]:
    answer = client.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return [item["metadata"]["id"] for item in answer.json()["items"]]


def test_lists_are_filtered(catalog: Catalog, place: Province) -> None:
    operator = catalog.operator()
    other = place.agreement(f"{place.agreement_id}-events")
    del other["spec"]["service"]
    other["spec"] |= {"eventType": place.event_type_id, "status": "approved"}
    applied = operator.post("/apply", json={"manifests": [*place.everything(), other]})
    assert applied.status_code == 200, applied.text
    agency, provider = f"{place.code}.05", place.provider
    old_form = f"000.00.05.{place.code}"

    assert _ids(operator, "/systems", agency=agency) == [provider, place.colleague]
    assert _ids(operator, "/systems", agency=old_form) == [provider, place.colleague]
    assert _ids(operator, "/systems", agency=f"{place.code}.99") == []
    for path, resource in (("/services", place.service_id), ("/event-types", place.event_type_id)):
        assert _ids(operator, path, agency=agency) == [resource]
        assert _ids(operator, path, system=provider) == [resource]
        assert _ids(operator, path, system=provider, agency=f"{place.code}.01") == []
    mine = {"consumer": place.consumer}
    assert _ids(operator, "/agreements", **mine) == [place.agreement_id, f"{place.agreement_id}-events"]
    assert _ids(operator, "/agreements", **mine, status="requested") == [place.agreement_id]
    assert _ids(operator, "/agreements", **mine, status="approved") == [f"{place.agreement_id}-events"]
    assert _ids(operator, "/agreements", **mine, status="revoked") == []
    assert _ids(operator, "/agreements", service=place.service_id) == [place.agreement_id]
    assert _ids(operator, "/agreements", event_type=place.event_type_id) == [f"{place.agreement_id}-events"]
    both = [place.agreement_id, f"{place.agreement_id}-events"]
    assert _ids(operator, "/agreements", provider=agency) == both
    assert _ids(operator, "/agreements", provider=old_form) == both
    assert _ids(operator, "/agreements", provider=agency, status="requested") == [place.agreement_id]
    assert _ids(operator, "/agreements", provider=f"{place.code}.01") == []
    assert _ids(operator, "/agreements", provider=place.code) == []


def test_a_filtered_list_has_pages_too(catalog: Catalog, place: Province) -> None:
    operator = catalog.operator()
    operator.post("/apply", json={"manifests": place.everything()})
    first = operator.get("/systems", params={"agency": f"{place.code}.05", "limit": 1}).json()
    assert [item["metadata"]["id"] for item in first["items"]] == [place.provider]
    second = operator.get(
        "/systems", params={"agency": f"{place.code}.05", "limit": 1, "cursor": first["next"]}
    ).json()
    assert [item["metadata"]["id"] for item in second["items"]] == [place.colleague]
    assert second["next"] is None


@pytest.mark.parametrize(
    ("path", "params", "pointer"),
    [
        ("/agreements", {"state": "requested"}, "query/state"),
        ("/agencies", {"agency": "H11"}, "query/agency"),
        ("/agencies/H11.05", {"verbose": "1"}, "query/verbose"),
        ("/agreements", {"status": "open"}, "query/status"),
        ("/agreements", {"consumer": "nonsense"}, "query/consumer"),
        ("/services", {"agency": "H11/land"}, "query/agency"),
    ],
)
def test_unknown_parameters_and_impossible_values_are_refused(
    catalog: Catalog, path: str, params: dict[str, str], pointer: str
) -> None:
    refused = catalog.operator().get(path, params=params)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid-request")
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]


def test_answers_are_as_the_openapi_document_says(catalog: Catalog, place: Province) -> None:
    operator = catalog.operator()
    document = httpx.get(f"{catalog.url}/catalog/v1/openapi.json").json()
    manifests = [*place.everything(), place.agreement(f"{place.agreement_id}-2", validTo="2020-01-01")]

    def check(method: str, path: str, template: str, **request: Any) -> None:  # noqa: ANN401
        answer = operator.request(method, path, **request)
        described = document["paths"][f"/catalog/v1{template}"][method.lower()]["responses"]
        media_type = answer.headers["content-type"].partition(";")[0]
        schema = described[str(answer.status_code)]["content"][media_type]["schema"]
        validator = Draft202012Validator(
            {**schema, "components": document["components"]}, format_checker=FormatChecker()
        )
        assert [error.message for error in validator.iter_errors(answer.json())] == [], (method, path)

    check("POST", "/apply", "/apply", json={"manifests": manifests})
    check("POST", "/apply", "/apply", json={"manifests": [{}]})
    agreement = f"/agreements/{place.agreement_id}"
    check(
        "POST", f"{agreement}/approve", "/agreements/{agreement_id}/approve", json={"legal_ground": "Điều 5"}
    )
    check("POST", f"{agreement}/approve", "/agreements/{agreement_id}/approve", json={"reason": "x"})
    check("POST", f"{agreement}-2/approve", "/agreements/{agreement_id}/approve")
    check("POST", "/agreements", "/agreements", json={"id": f"{place.agreement_id}-3", **place.terms()})
    check("POST", "/agreements", "/agreements", content="[")
    check("POST", f"/systems/{place.provider}/suspend", "/systems/{agency}/{system}/suspend")
    check("GET", f"/agencies/{place.code}.05", "/agencies/{agency}")
    check("GET", f"/systems/{place.provider}", "/systems/{agency}/{system}")
    check("GET", f"/services/{place.service_id}", "/services/{agency}/{system}/{code}")
    check("GET", f"/services/{place.service_id}/openapi", "/services/{agency}/{system}/{code}/openapi")
    check("GET", f"/event-types/{place.event_type_id}", "/event-types/{agency}/{system}/{code}")
    check("GET", agreement, "/agreements/{agreement_id}")
    check("GET", "/agreements/nobody-knows", "/agreements/{agreement_id}")
    for collection in ("agencies", "systems", "services", "event-types", "agreements"):
        check("GET", f"/{collection}", f"/{collection}", params={"limit": 200})


@pytest.mark.parametrize("kind", ["Agency", "System", "Service", "EventType", "Agreement"])
def test_manifests_are_as_the_openapi_document_says(catalog: Catalog, place: Province, kind: str) -> None:
    document = httpx.get(f"{catalog.url}/catalog/v1/openapi.json").json()
    body = document["paths"]["/catalog/v1/apply"]["post"]["requestBody"]["content"]["application/json"]
    validator = Draft202012Validator(body["schema"])
    [manifest, *_] = [manifest for manifest in place.everything() if manifest["kind"] == kind]
    assert validator.is_valid({"manifests": [manifest]})
    assert validator.is_valid({"manifests": [manifest | {"status": "active"}]}), (
        "what reading adds is ignored"
    )
    assert not validator.is_valid({"manifests": [manifest | {"kind": "Thing"}]})
    assert not validator.is_valid({"manifests": [manifest | {"spec": {**manifest["spec"], "x": 1}}]})
    assert not validator.is_valid({"manifests": []})


def test_a_page_of_large_resources_ends_early_and_the_next_goes_on(catalog: Catalog, place: Province) -> None:
    operator = catalog.operator()
    system = {"agency": f"{place.code}.05", "system": place.provider}
    schema = {"description": "đ" * 25_000}
    kinds = [
        manifest("EventType", f"{place.provider}/large{number:03d}-v1", name=name("Lớn"), dataSchema=schema)
        for number in range(60)
    ]
    applied = operator.post("/apply", json={"manifests": [*place.without_agreement(), *kinds]})
    assert applied.status_code == 200, applied.text
    seen: list[str] = []
    pages = 0
    cursor: str | None = ""
    while cursor is not None:
        answer = operator.get("/event-types", params={**system, "limit": 200, "cursor": cursor})
        assert len(answer.content) < 1_200_000
        seen += [item["metadata"]["id"] for item in answer.json()["items"]]
        cursor, pages = answer.json()["next"], pages + 1
    assert pages > 2
    assert seen == sorted([*(kind["metadata"]["id"] for kind in kinds), place.event_type_id])
