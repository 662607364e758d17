"""Asking for agreements, deciding on them, and who may do what."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from lienthong.client import operations
from lienthong.kit.ids import uuid7
from tests.integration.catalog.province import GROUND, Province

if TYPE_CHECKING:
    import httpx

    from tests.integration.catalog.running import Catalog


@pytest.fixture
def ready(catalog: Catalog, place: Province) -> Province:
    """A province without agreements, applied."""
    applied = catalog.operator().post("/apply", json={"manifests": place.without_agreement()})
    assert applied.status_code == 200, applied.text
    return place


def _ask(client: httpx.Client, place: Province, **more: object) -> httpx.Response:
    return client.post("/agreements", json={"id": place.agreement_id, **place.terms(**more)})


def _decide(client: httpx.Client, place: Province, verdict: str, **said: str) -> httpx.Response:
    return client.post(f"/agreements/{place.agreement_id}/{verdict}", json=said)


def test_a_consumer_asks_and_the_provider_decides(catalog: Catalog, ready: Province) -> None:
    consumer, provider = catalog.client(ready.consumer), catalog.client(ready.colleague)

    asked = _ask(consumer, ready, operations=["getParcel"], validTo="2030-12-31")
    assert asked.status_code == 201, asked.text
    assert asked.headers["Location"] == f"/catalog/v1/agreements/{ready.agreement_id}"
    assert (asked.json()["status"], asked.json()["decisions"]) == ("requested", [])
    assert asked.json()["spec"]["validTo"] == "2030-12-31T17:00:00Z"

    approved = _decide(provider, ready, "approve")
    assert (approved.status_code, approved.json()["status"]) == (200, "approved")

    revoked = _decide(provider, ready, "revoke", reason="Hết nhiệm vụ", legal_ground="Điều 20")
    assert revoked.json()["status"] == "revoked"
    shown = consumer.get(f"/agreements/{ready.agreement_id}").json()
    assert [{**decision, "at": ""} for decision in shown["decisions"]] == [
        {"status": "approved", "by": ready.colleague, "at": "", "legalGround": GROUND, "reason": ""},
        {
            "status": "revoked",
            "by": ready.colleague,
            "at": "",
            "legalGround": "Điều 20",
            "reason": "Hết nhiệm vụ",
        },
    ]


def test_a_rejection_names_its_legal_ground_and_a_revocation_its_reason(
    catalog: Catalog, ready: Province
) -> None:
    provider = catalog.client(ready.provider)
    _ask(catalog.client(ready.consumer), ready)

    without = _decide(provider, ready, "reject", reason="Không phù hợp")
    assert without.status_code == 422
    assert [error["pointer"] for error in without.json()["errors"]] == ["/legal_ground"]
    assert "căn cứ pháp lý" in without.json()["errors"][0]["detail_vi"]
    assert _decide(provider, ready, "revoke").json()["errors"][0]["pointer"] == "/reason"
    assert _decide(provider, ready, "approve", ground="x").status_code == 422

    rejected = _decide(provider, ready, "reject", legal_ground="Điều 16 Nghị định 194/2025/NĐ-CP")
    assert rejected.json()["status"] == "rejected"
    assert rejected.json()["decisions"][0]["legalGround"] == "Điều 16 Nghị định 194/2025/NĐ-CP"


def test_decisions_follow_the_state_machine(catalog: Catalog, ready: Province) -> None:
    operator = catalog.operator()
    _ask(operator, ready)
    assert _decide(operator, ready, "revoke", reason="x").status_code == 409
    assert _decide(operator, ready, "reject", legal_ground="x").status_code == 200
    for verdict in ("approve", "revoke"):
        refused = _decide(operator, ready, verdict, reason="x")
        assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
        assert "new id" in refused.json()["detail"]
    assert _ask(operator, ready).status_code == 409


def test_a_decision_sent_twice_counts_once(catalog: Catalog, ready: Province) -> None:
    operator = catalog.operator()
    _ask(operator, ready)
    first = _decide(operator, ready, "approve", legal_ground="Điều 5")
    again = _decide(operator, ready, "approve", legal_ground="Điều 5")
    assert again.status_code == 200
    assert again.json() == first.json()
    assert _decide(operator, ready, "approve", legal_ground="Điều 6").status_code == 409
    assert _decide(catalog.client(ready.provider), ready, "approve", legal_ground="Điều 5").status_code == 409


def test_a_request_sent_twice_counts_once(catalog: Catalog, ready: Province) -> None:
    consumer = catalog.client(ready.consumer)
    first, again = _ask(consumer, ready), _ask(consumer, ready)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    other = _ask(consumer, ready, purposes=["something-else"])
    assert other.status_code == 409
    assert other.json()["errors"][0]["pointer"] == "/id"


def test_a_systems_agreements_are_in_its_own_name_space(catalog: Catalog, ready: Province) -> None:
    consumer, other = catalog.client(ready.consumer), catalog.client(ready.unrelated)
    terms = {**ready.terms(), "id": "parcels"}
    terms.pop("consumer", None)
    asked = other.post("/agreements", json=terms)
    assert (asked.status_code, asked.json()["metadata"]["id"]) == (201, f"{ready.code}.06.planning.parcels")
    # The same word stands for another agreement where another system says it, and both can be sent again.
    for client, owner in ((consumer, f"{ready.code}.01.one-stop"), (other, f"{ready.code}.06.planning")):
        again = [
            client.post("/agreements", json={**terms, "id": name}) for name in ("parcels", f"{owner}.parcels")
        ]
        assert {answer.json()["metadata"]["id"] for answer in again} == {f"{owner}.parcels"}
        assert again[1].status_code == 200
    taken = other.post("/agreements", json={**terms, "id": ready.agreement_id})
    assert (taken.status_code, taken.json()["errors"][0]["pointer"]) == (422, "/id")
    assert f"{ready.code}.06.planning." in taken.json()["errors"][0]["detail_vi"]
    assert (
        catalog.operator().post("/agreements", json={"id": f"x-{uuid7()}", **ready.terms()}).status_code
        == 201
    )


def test_a_request_needs_no_id_and_no_consumer(catalog: Catalog, ready: Province) -> None:
    body = {"eventType": ready.event_type_id, "purposes": ["watch"], "legalGround": GROUND}
    asked = catalog.client(ready.consumer).post("/agreements", json=body)
    assert asked.status_code == 201, asked.text
    assert asked.json()["spec"]["consumer"] == ready.consumer
    assert "operations" not in asked.json()["spec"], "an empty list would look like none allowed"
    assert len(asked.json()["metadata"]["id"]) == 36


@pytest.mark.parametrize(
    ("more", "pointers"),
    [
        ({"status": "approved"}, ["/status"]),
        ({"operations": ["dropTable"]}, ["/operations/0"]),
        ({"operations": []}, ["/operations"]),
        ({"service": "Z99/none/none-v1", "purposes": []}, ["/purposes", "/service"]),
        ({"id": "?"}, ["/id"]),
        ({"id": 5}, ["/id"]),
        ({"colour": "red"}, ["/colour"]),
    ],
)
def test_a_wrong_request_names_its_mistakes(
    catalog: Catalog, ready: Province, more: dict[str, Any], pointers: list[str]
) -> None:
    refused = _ask(catalog.client(ready.consumer), ready, **more)
    assert refused.status_code == 422, refused.text
    assert [error["pointer"] for error in refused.json()["errors"]] == pointers


@pytest.mark.parametrize("body", ["[]", '"x"', "null", "5"])
def test_a_request_that_is_no_object_is_refused(catalog: Catalog, ready: Province, body: str) -> None:
    client = catalog.client(ready.consumer)
    assert client.post("/agreements", content=body).status_code == 422


_CALLERS = ("operator", "consumer", "provider", "colleague", "unrelated", "nobody", "forger")
_VERDICTS = ("approve", "reject", "revoke")
_ALLOWED = {
    "read": {"operator", "consumer", "provider", "colleague", "unrelated"},
    "list": {"operator", "consumer", "provider", "colleague", "unrelated"},
    "openapi": {"operator", "consumer", "provider", "colleague", "unrelated"},
    "request": {"operator", "consumer"},
    "approve": {"operator", "provider", "colleague"},
    "reject": {"operator", "provider", "colleague"},
    "revoke": {"operator", "provider", "colleague"},
    "apply": {"operator"},
    "rehearse": {"operator"},
    "suspend": {"operator"},
    "resume": {"operator"},
}


def _client(catalog: Catalog, place: Province, who: str) -> httpx.Client:
    match who:
        case "operator":
            return catalog.operator()
        case "nobody":
            client = catalog.client("nobody/nobody")
            del client.headers["Authorization"]
            return client
        case "forger":
            client = catalog.operator()
            head, payload, _ = client.headers["Authorization"].split(".")
            client.headers["Authorization"] = f"{head}.{payload}.{'A' * 86}"
            return client
        case _:
            return catalog.client(str(getattr(place, who)))


def _do(client: httpx.Client, place: Province, action: str, agreement: str) -> httpx.Response:
    match action:
        case "read":
            return client.get(f"/agreements/{agreement}")
        case "list":
            return client.get("/systems")
        case "openapi":
            return client.get(f"/services/{place.service_id}/openapi")
        case "request":
            return client.post("/agreements", json={"id": f"r-{uuid7()}", **place.terms()})
        case "apply" | "rehearse":
            return client.post(
                "/apply", json={"manifests": [place.agency()]}, params={"dry_run": action == "rehearse"}
            )
        case "suspend" | "resume":
            return client.post(f"/systems/{place.unrelated}/{action}")
        case _:
            return client.post(f"/agreements/{agreement}/{action}", json={"legal_ground": "x", "reason": "y"})


@pytest.mark.parametrize("who", _CALLERS)
def test_everyone_may_do_exactly_what_is_theirs(catalog: Catalog, ready: Province, who: str) -> None:
    operator, client = catalog.operator(), _client(catalog, ready, who)
    for action, allowed in _ALLOWED.items():
        agreement = f"{ready.agreement_id}-{action}"
        _ask(operator, ready, id=agreement)
        if action == "revoke":
            operator.post(f"/agreements/{agreement}/approve")
        before = operator.get(f"/agreements/{agreement}").json()["status"]

        answer = _do(client, ready, action, agreement)

        if who in {"nobody", "forger"}:
            assert answer.status_code == 401, action
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        elif who in allowed:
            assert answer.status_code in {200, 201}, (action, answer.text)
        else:
            assert answer.status_code == 403, (action, answer.text)
            assert answer.json()["detail_vi"]
        after = operator.get(f"/agreements/{agreement}").json()["status"]
        assert (after != before) is (action in _VERDICTS and who in allowed), action


def test_a_system_cannot_ask_for_another_one_of_its_own_agency(catalog: Catalog, ready: Province) -> None:
    refused = _ask(catalog.client(ready.colleague), ready, consumer=ready.provider)
    assert refused.status_code == 403
    assert ready.colleague in refused.json()["detail"]


def test_an_agreement_whose_period_has_ended_cannot_be_approved(catalog: Catalog, ready: Province) -> None:
    operator = catalog.operator()
    asked = _ask(operator, ready, validTo="2025-12-31")
    assert (asked.status_code, asked.json()["effectiveStatus"]) == (201, "expired")
    assert [warning["pointer"] for warning in asked.json()["warnings"]] == ["/spec/validTo"]

    refused = _decide(operator, ready, "approve")
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    [error] = refused.json()["errors"]
    assert "ended on 2025-12-31T17:00:00Z" in error["detail"]
    assert "2025-12-31T17:00:00Z" in error["detail_vi"]
    shown = operator.get(f"/agreements/{ready.agreement_id}").json()
    assert (shown["status"], shown["effectiveStatus"]) == ("requested", "expired")
    assert "warnings" not in shown

    assert _decide(operator, ready, "reject", legal_ground="Điều 16").json()["effectiveStatus"] == "rejected"


def test_an_approval_says_that_the_agreement_is_not_valid_yet(catalog: Catalog, ready: Province) -> None:
    operator = catalog.operator()
    _ask(operator, ready, validFrom="2999-01-01")
    approved = _decide(operator, ready, "approve")
    assert approved.status_code == 200
    assert (approved.json()["status"], approved.json()["effectiveStatus"]) == ("approved", "not-yet-valid")
    [warning] = approved.json()["warnings"]
    assert warning["pointer"] == "/spec/validFrom"
    assert "2998-12-31T17:00:00Z" in warning["detail"]
    assert "2998-12-31T17:00:00Z" in warning["detail_vi"]
    listed = operator.get("/agreements", params={"service": ready.service_id}).json()["items"]
    assert [item["effectiveStatus"] for item in listed] == ["not-yet-valid"]


def test_an_agreement_in_force_is_shown_as_such_without_a_warning(catalog: Catalog, ready: Province) -> None:
    operator = catalog.operator()
    assert "warnings" not in _ask(operator, ready, validTo="2999-12-31").json()
    approved = _decide(operator, ready, "approve").json()
    assert approved["effectiveStatus"] == "in-force"
    assert "warnings" not in approved


def test_applying_an_approved_agreement_out_of_its_period_warns(catalog: Catalog, ready: Province) -> None:
    operator = catalog.operator()
    manifests = [
        ready.agreement(f"{ready.agreement_id}-ended", status="approved", validTo="2025-12-31"),
        ready.agreement(f"{ready.agreement_id}-later", status="approved", validFrom="2999-01-01"),
        ready.agreement(f"{ready.agreement_id}-now", status="approved"),
    ]
    applied = operator.post("/apply", json={"manifests": manifests})
    results = applied.json()["results"]
    assert [[warning["pointer"] for warning in result.get("warnings", [])] for result in results] == [
        ["/spec/validTo"],
        ["/spec/validFrom"],
        [],
    ]
    # The SDK reads the same, and gives it back as it came.
    read = operations.apply(manifests, dry_run=False).read(applied)
    assert [[warning.field for warning in result.warnings] for result in read.results] == [
        ["spec.validTo"],
        ["spec.validFrom"],
        [],
    ]
    assert read.document() == applied.json()
    listed = operator.get("/agreements", params={"service": ready.service_id}).json()["items"]
    assert [item["effectiveStatus"] for item in listed] == ["expired", "not-yet-valid", "in-force"]
    again = operator.post("/apply", json={"manifests": listed})
    assert again.status_code == 200, again.text
    assert [result["action"] for result in again.json()["results"]] == ["unchanged"] * 3
    assert not any("warnings" in result for result in again.json()["results"])


def test_a_client_may_not_ask_for_agreements_without_end(catalog: Catalog, place: Province) -> None:
    began = time.monotonic()
    asking, other = catalog.client(f"{place.code}.01/asking"), catalog.client(f"{place.code}.01/other")
    answers = [asking.post("/agreements", json={}) for _ in range(130)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert 130 - len(refused) <= 100 + 2 + (time.monotonic() - began)
    assert refused[0].json()["code"] == "rate-limited"
    assert refused[0].headers["retry-after"] == "1"
    assert other.post("/agreements", json={}).status_code == 422
