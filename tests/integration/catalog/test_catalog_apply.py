"""Applying manifests, over real HTTP on real databases."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.integration.catalog.province import Province, agency, name, openapi

if TYPE_CHECKING:
    import httpx

    from tests.integration.catalog.running import Catalog


def _apply(client: httpx.Client, *manifests: dict[str, Any], dry_run: bool = False) -> httpx.Response:
    return client.post("/apply", json={"manifests": list(manifests)}, params={"dry_run": dry_run})


def _actions(response: httpx.Response) -> set[str]:
    assert response.status_code == 200, response.text
    return {result["action"] for result in response.json()["results"]}


def test_a_province_is_applied_in_any_order_and_again_without_effect(
    catalog: Catalog, place: Province
) -> None:
    operator = catalog.operator()
    manifests = place.everything()

    first = _apply(operator, *manifests)
    again = _apply(operator, *reversed(manifests))

    assert _actions(first) == {"created"}
    assert [result["id"] for result in first.json()["results"]] == [
        manifest["metadata"]["id"] for manifest in manifests
    ]
    assert _actions(again) == {"unchanged"}
    assert again.json()["version"] == first.json()["version"]


def test_an_update_says_what_changed(catalog: Catalog, place: Province) -> None:
    operator = catalog.operator()
    before = _apply(operator, *place.everything()).json()["version"]

    updated = _apply(operator, place.service(timeoutMs=500, openapi=openapi("getParcel", "findParcels")))

    assert _actions(updated) == {"updated"}
    assert updated.json()["results"][0]["changes"] == [
        {"path": "spec.timeoutMs", "old": 10_000, "new": 500},
        {
            "path": 'spec.openapi.paths["/1/{key}"].get.operationId',
            "old": "listParcels",
            "new": "findParcels",
        },
    ]
    assert updated.json()["version"] > before
    shown = operator.get(f"/services/{place.service_id}").json()
    assert [operation["id"] for operation in shown["operations"]] == ["getParcel", "findParcels"]


def test_what_was_read_can_be_applied_again_without_effect(catalog: Catalog, place: Province) -> None:
    operator = catalog.operator()
    _apply(operator, *place.everything())
    paths = [
        f"/agencies/{place.code}.05",
        f"/systems/{place.provider}",
        f"/services/{place.service_id}",
        f"/event-types/{place.event_type_id}",
        f"/agreements/{place.agreement_id}",
    ]
    assert _actions(_apply(operator, *(operator.get(path).json() for path in paths))) == {"unchanged"}


def test_all_mistakes_are_named_at_once_and_nothing_is_applied(catalog: Catalog, place: Province) -> None:
    operator = catalog.operator()
    bad_service = place.service(upstreams=["http://user:secret@land"])

    refused = _apply(operator, place.agency(), bad_service, place.agreement(purposes=[]))

    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.headers["LGSP-Error"] == "invalid-manifests"
    problem = refused.json()
    assert problem["type"] == "urn:lgsp:problem:invalid-manifests"
    assert [error["pointer"] for error in problem["errors"]] == [
        "/manifests/1/spec/upstreams/0",
        "/manifests/1/metadata/id",
        "/manifests/2/spec/purposes",
        "/manifests/2/spec/consumer",
    ]
    assert all(error["detail"] and error["detail_vi"] for error in problem["errors"])
    assert "secret" not in refused.text
    assert operator.get(f"/agencies/{place.code}.05").status_code == 404


def test_a_dry_run_says_what_would_happen_and_changes_nothing(catalog: Catalog, place: Province) -> None:
    operator = catalog.operator()
    version = _apply(operator, place.agency("99")).json()["version"]

    rehearsed = _apply(operator, *place.everything(), dry_run=True)

    assert _actions(rehearsed) == {"created"}
    assert (rehearsed.json()["dry_run"], rehearsed.json()["version"]) == (True, version)
    assert operator.get(f"/agencies/{place.code}.05").status_code == 404
    assert _apply(operator, place.service(), dry_run=True).status_code == 422
    assert _apply(operator, place.agency("99")).json()["version"] == version


def test_an_agency_has_one_name_in_both_forms_of_its_code(catalog: Catalog, place: Province) -> None:
    operator = catalog.operator()
    old_form = f"000.00.15.{place.code}"
    assert _apply(operator, agency(old_form)).json()["results"][0]["id"] == f"{place.code}.15"
    assert _actions(_apply(operator, agency(f"{place.code}.15", name=name(f"Cơ quan {old_form}")))) == {
        "unchanged"
    }
    assert operator.get(f"/agencies/{old_form}").json()["metadata"]["id"] == f"{place.code}.15"


def test_an_approved_agreement_stays_approved_when_its_request_is_applied_again(
    catalog: Catalog, place: Province
) -> None:
    operator = catalog.operator()
    assert _actions(_apply(operator, *place.without_agreement(), place.agreement(status="approved"))) == {
        "created"
    }
    assert _actions(_apply(operator, place.agreement())) == {"unchanged"}
    shown = operator.get(f"/agreements/{place.agreement_id}").json()
    assert (shown["status"], shown["spec"]["status"]) == ("approved", "approved")
    assert [(decision["status"], decision["by"]) for decision in shown["decisions"]] == [
        ("approved", "operator")
    ]


@pytest.mark.parametrize("status", ["requested", "approved"])
def test_a_revoked_agreement_is_not_opened_by_a_manifest(
    catalog: Catalog, place: Province, status: str
) -> None:
    operator = catalog.operator()
    _apply(operator, *place.without_agreement(), place.agreement(status="approved"))
    operator.post(f"/agreements/{place.agreement_id}/revoke", json={"reason": "Hết nhiệm vụ"})

    refused = _apply(operator, place.agency(name=name("Tên mới")), place.agreement(status=status))

    assert refused.status_code == 409
    assert refused.json()["code"] == "conflict"
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/manifests/1/spec/status"]
    assert operator.get(f"/agencies/{place.code}.05").json()["spec"]["name"]["vi"] != "Tên mới"


def test_documents_come_back_as_they_were_written(catalog: Catalog, place: Province) -> None:
    operator = catalog.operator()
    document = openapi() | {
        "x-order": {"z": 1, "a": 2.0, "đ": None, "m": {"b": [True, 1, 1.0, "1"], "a": "😀"}},
        "components": {"schemas": {"Parcel": {"$ref": "https://nowhere.invalid/parcel.json"}}},
    }
    _apply(operator, *place.without_agreement())
    assert _actions(_apply(operator, place.service(openapi=document))) == {"updated"}
    assert _actions(_apply(operator, place.service(openapi=document))) == {"unchanged"}

    shown = operator.get(f"/services/{place.service_id}/openapi").json()

    assert shown == document
    assert list(shown["x-order"]) == ["z", "a", "đ", "m"]


def test_a_document_of_openapi_2_is_kept_as_one_of_3_and_both_are_the_same(
    catalog: Catalog, place: Province
) -> None:
    operator = catalog.operator()
    _apply(operator, *place.without_agreement())
    given = {
        "swagger": "2.0",
        "info": {"title": "Thửa đất", "version": "1.0.0"},
        "basePath": "/api",
        "paths": {"/parcels/": {"get": {"responses": {"200": {"description": "Thửa đất"}}}}},
    }
    result = _apply(operator, place.service(openapi=given))
    assert _actions(result) == {"updated"}
    assert "/api" in result.json()["results"][0]["warnings"][0]["detail"]
    kept = operator.get(f"/services/{place.service_id}/openapi").json()
    assert kept["openapi"] == "3.0.4"
    assert kept["info"] == given["info"]
    assert _actions(_apply(operator, place.service(openapi=given))) == {"unchanged"}
    assert _actions(_apply(operator, place.service(openapi=kept))) == {"unchanged"}
    shown = operator.get(f"/services/{place.service_id}").json()
    assert shown["spec"]["openapi"] == kept
    assert shown["operations"] == [{"id": "GET /parcels/", "method": "GET", "path": "/parcels/"}]


def test_concurrent_applies_commit_one_after_the_other(catalog: Catalog, place: Province) -> None:
    operator = catalog.operator()
    before = _apply(operator, *place.everything()).json()["version"]

    def change(number: int) -> httpx.Response:
        shared = place.agency(name=name(f"Tên {number}"))
        return _apply(operator, shared, place.agency(f"9{number}"), place.agency("88"))

    with ThreadPoolExecutor(8) as pool:
        responses = list(pool.map(change, range(24)))

    assert [response.status_code for response in responses] == [200] * 24
    results = [response.json()["results"] for response in responses]
    assert [own["action"] for _, own, _ in results] == ["created"] * 24
    assert sorted(common["action"] for _, _, common in results) == ["created"] + ["unchanged"] * 23
    updates = {shared["changes"][0]["old"]: shared["changes"][0]["new"] for shared, _, _ in results}
    assert len(updates) == 24, "every update starts from another one's outcome"
    versions = sorted(response.json()["version"] for response in responses)
    assert versions == sorted(set(versions))
    assert before < versions[0]


def test_a_service_is_not_registered_at_an_address_that_calls_do_not_go_to(
    catalog: Catalog, place: Province
) -> None:
    own_port = catalog.url.rpartition(":")[2]
    upstreams = ["http://10.0.0.5:8201", "http://169.254.169.254/latest", f"http://127.0.0.1:{own_port}"]
    issuer = {"kind": "oauth2", "secret": "core", "tokenUrl": "http://169.254.169.254/token"}
    service = place.service(
        upstreams=upstreams, credentials=[{"kind": "lgspaccesstoken", "secret": "a"}, issuer]
    )
    everything = [service if one["kind"] == "Service" else one for one in place.everything()]
    at = [one["kind"] for one in everything].index("Service")

    refused = _apply(catalog.operator(), *everything)

    assert (refused.status_code, refused.json()["code"]) == (422, "invalid-manifests")
    told = {error["pointer"]: error["detail"] for error in refused.json()["errors"]}
    places = ("upstreams/1", "upstreams/2", "credentials/1/tokenUrl")
    assert list(told) == [f"/manifests/{at}/spec/{place}" for place in places]
    assert "hand out credentials" in told[f"/manifests/{at}/spec/upstreams/1"]
    assert "a port of the platform itself" in told[f"/manifests/{at}/spec/upstreams/2"]


def test_a_key_with_a_prime_of_another_systems_key_is_refused(catalog: Catalog, place: Province) -> None:
    first, second = (
        rsa.generate_private_key(public_exponent=65537, key_size=2048).private_numbers() for _ in range(2)
    )

    def system(*moduli: int) -> dict[str, Any]:
        keys = []
        for modulus in moduli:
            octets = modulus.to_bytes((modulus.bit_length() + 7) // 8)
            text = base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
            keys.append({"kty": "RSA", "e": "AQAB", "n": text})
        everything = place.everything()
        (found,) = [one for one in everything if one["metadata"]["id"] == place.provider]
        found["spec"]["jwks"] = {"keys": keys}
        return found

    operator = catalog.operator()
    agencies = [one for one in place.everything() if one["kind"] == "Agency"]
    registered, related = first.p * first.q, max(first.p, first.q) * max(second.p, second.q)
    assert _apply(operator, *agencies, system(registered)).status_code == 200
    assert _apply(operator, system(registered, second.p * second.q)).status_code == 200

    refused = _apply(operator, system(registered, related))

    assert (refused.status_code, refused.json()["code"]) == (422, "invalid-manifests")
    (error,) = refused.json()["errors"]
    assert error["pointer"] == "/manifests/0/spec/jwks/keys/1"
    assert "a prime in common" in error["detail"]


@pytest.mark.parametrize(
    ("content", "media_type", "status", "code"),
    [
        (b"{", "application/json", 400, "malformed-request"),
        (b'{"manifests": [], "manifests": []}', "application/json", 400, "malformed-request"),
        (b"manifests: []", "application/yaml", 415, "unsupported-media-type"),
        (b" " * (26 * 1024 * 1024), "application/json", 413, "request-too-large"),
        (b"[]", "application/json", 422, "invalid-manifests"),
        (b'{"manifests": ["\\u0000"]}', "application/json", 422, "invalid-manifests"),
    ],
)
def test_what_cannot_be_read_is_told_apart(
    catalog: Catalog, content: bytes, media_type: str, status: int, code: str
) -> None:
    operator = catalog.operator()
    refused = operator.post("/apply", content=content, headers={"Content-Type": media_type})
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert refused.json()["title_vi"]
    named = "LIENTHONG_CATALOG_MAX_REQUEST_BYTES"
    assert (named in refused.json()["detail"], named in refused.json()["detail_vi"]) == (status == 413,) * 2


@pytest.mark.parametrize("path", ["/agreements", "/agreements/some-agreement/approve"])
@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{" + b",".join(b'"%d":1' % number for number in range(10_001)) + b"}", 400),
        (b" " * (256 * 1024 + 1), 413),
    ],
    ids=["members", "bytes"],
)
def test_what_any_system_may_send_is_limited_narrowly(
    catalog: Catalog, path: str, content: bytes, status: int
) -> None:
    refused = catalog.operator().post(path, content=content, headers={"Content-Type": "application/json"})
    assert refused.status_code == status
    assert ("this limit is fixed" in refused.json()["detail"]) == (status == 413)
