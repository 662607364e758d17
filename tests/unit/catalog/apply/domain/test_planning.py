"""What an apply would do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tests.support.soap as support
from lienthong.catalog.agreements.domain.lifecycle import AgreementStatus
from lienthong.catalog.apply.domain.planning import CREATED, UNCHANGED, UPDATED
from lienthong.catalog.domain.resources import ResourceKind
from tests.unit.catalog.manifests import (
    CONSUMER,
    EVENT_TYPE,
    PROVIDER,
    SERVICE,
    agency,
    agreement,
    catalog_with,
    event_type,
    name,
    plan,
    pointers,
    province,
    service,
    system,
)


@given(st.permutations(province()))
def test_the_order_inside_a_request_does_not_matter(manifests: list[dict[str, Any]]) -> None:
    made, violations = plan(*manifests)
    assert violations == []
    assert [change.id for change in made.changes] == [body["metadata"]["id"] for body in manifests]
    writes = [list(ResourceKind).index(change.kind) for change in made.in_write_order()]
    assert writes == sorted(writes)


@given(st.permutations(province()))
def test_the_same_manifests_again_change_nothing(manifests: list[dict[str, Any]]) -> None:
    made, violations = plan(*manifests, excerpt=catalog_with(*province()))
    assert violations == []
    assert {change.action for change in made.changes} == {UNCHANGED}
    assert made.in_write_order() == []


def test_a_changed_field_is_an_update_that_names_it() -> None:
    made, _ = plan(agency(name=name("Sở mới")), excerpt=catalog_with(*province()))
    [change] = made.changes
    assert change.action == UPDATED
    assert [change.document() for change in change.changes] == [
        {"path": "spec.name.vi", "old": "Tên", "new": "Sở mới"}
    ]


def test_a_change_inside_the_openapi_document_is_named_exactly() -> None:
    made, _ = plan(service(SERVICE, "getParcel", "listAll"), excerpt=catalog_with(*province()))
    assert [change.document()["path"] for change in made.changes[0].changes] == [
        'spec.openapi.paths["/1"].get.operationId'
    ]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (system(), "/manifests/0/metadata/id"),
        (service(), "/manifests/0/metadata/id"),
        (event_type(), "/manifests/0/metadata/id"),
        (agency(replacedBy="H11.09", validTo="2026-01-01"), "/manifests/0/spec/replacedBy"),
    ],
)
def test_a_reference_to_nothing_is_named(body: dict[str, Any], place: str) -> None:
    assert pointers(body) == [place]


def test_every_reference_of_an_agreement_is_checked() -> None:
    assert pointers(agreement()) == ["/manifests/0/spec/consumer", "/manifests/0/spec/service"]
    assert pointers(agreement(eventType=EVENT_TYPE)) == [
        "/manifests/0/spec/consumer",
        "/manifests/0/spec/eventType",
    ]


def test_references_are_checked_even_where_something_else_is_wrong() -> None:
    assert pointers(agreement("?", purposes=[])) == [
        "/manifests/0/metadata/id",
        "/manifests/0/spec/consumer",
        "/manifests/0/spec/purposes",
        "/manifests/0/spec/service",
    ]


def test_a_manifest_with_violations_does_not_make_those_that_refer_to_it_wrong() -> None:
    assert pointers(agency(), system(contact="nobody"), service()) == ["/manifests/1/spec/contact"]


def test_references_may_point_into_the_catalog() -> None:
    excerpt = catalog_with(agency(), system())
    assert pointers(service(), excerpt=excerpt) == []


def test_a_resource_stands_once_in_a_request_whatever_form_its_code_has() -> None:
    assert pointers(agency("H11.05"), agency("000.00.05.H11")) == ["/manifests/1/metadata/id"]


def test_agreements_name_operations_that_the_service_has() -> None:
    everything = [body for body in province() if body["kind"] != "Agreement"]
    bad = agreement(operations=["getParcel", "dropTable"])
    assert pointers(*everything, bad) == [f"/manifests/{len(everything)}/spec/operations/1"]
    assert pointers(bad, excerpt=catalog_with(*everything)) == ["/manifests/0/spec/operations/1"]


def test_no_fields_are_agreed_of_a_service_that_answers_in_soap() -> None:
    everything = [body for body in province() if body["kind"] not in {"Agreement", "Service"}]
    of_soap = service(wsdl=(Path(support.__path__[0]) / "land.wsdl").read_text(encoding="utf-8"))
    del of_soap["spec"]["openapi"]
    fields = agreement(fields={"*": ["area"]})
    assert pointers(*everything, of_soap, agreement()) == []
    assert pointers(*everything, of_soap, fields) == [f"/manifests/{len(everything) + 1}/spec/fields"]
    assert pointers(fields, excerpt=catalog_with(*everything, of_soap)) == ["/manifests/0/spec/fields"]
    assert pointers(fields, excerpt=catalog_with(*everything, service())) == []


def test_an_unreadable_service_does_not_make_its_agreements_wrong() -> None:
    everything = [body for body in province() if body["kind"] not in {"Agreement", "Service"}]
    bad = service()
    bad["spec"]["openapi"]["openapi"] = "2.0"
    assert pointers(bad, agreement(operations=["other"]), *everything) == [
        "/manifests/0/spec/openapi/openapi"
    ]
    assert pointers(bad, agreement(operations=["other"]), excerpt=catalog_with(*province())) == [
        "/manifests/0/spec/openapi/openapi"
    ]


def test_an_operation_stays_while_an_agreement_in_force_names_it() -> None:
    before = [body for body in province() if body["kind"] != "Agreement"]
    excerpt = catalog_with(*before, agreement(operations=["listParcels"]))
    smaller = service(SERVICE, "getParcel")
    assert pointers(smaller, excerpt=excerpt) == ["/manifests/0/spec/openapi/paths"]
    assert pointers(smaller, agreement(operations=["getParcel"]), excerpt=excerpt) == []
    ended = catalog_with(*before, agreement(operations=["listParcels"]), status="revoked")
    assert pointers(smaller, excerpt=ended) == []


def test_a_service_without_operations_has_none_that_agreements_could_name() -> None:
    before = [body for body in province() if body["kind"] != "Agreement"]
    none = service()
    del none["spec"]["openapi"]["paths"]
    none["spec"]["openapi"]["webhooks"] = {"parcelSold": {"post": {}}}
    excerpt = catalog_with(*before, agreement(operations=["listParcels"]))
    assert pointers(none, excerpt=excerpt) == ["/manifests/0/spec/openapi/paths"]
    assert pointers(none, agreement(operations=["getParcel"]), excerpt=catalog_with(*before)) == [
        "/manifests/1/spec/operations/0"
    ]


def test_nothing_new_begins_under_an_agency_code_that_has_ended() -> None:
    ended = agency(validTo="2025-06-30", replacedBy="H10.05")
    heir = agency("H10.05")
    _, [violation] = plan(ended, heir, system())
    assert violation.pointer == "/manifests/2/metadata/id"
    assert "use 'H10.05'" in violation.text.en
    assert "'H10.05'" in violation.text.vi
    assert pointers(system(name=name("Mới")), ended, heir, excerpt=catalog_with(*province())) == []
    assert pointers(agency(validTo="2027-01-01"), system()) == []


def test_agencies_do_not_replace_each_other_in_a_circle() -> None:
    circle = [
        agency("H11.01", validTo="2025-01-01", replacedBy="H11.02"),
        agency("H11.02", validTo="2025-01-01", replacedBy="H11.03"),
        agency("H11.03", validTo="2025-01-01", replacedBy="H11.01"),
    ]
    assert pointers(*circle) == [f"/manifests/{index}/spec/replacedBy" for index in range(3)]
    excerpt = catalog_with(agency("H11.01"), agency("H11.02", validTo="2025-01-01", replacedBy="H11.01"))
    assert pointers(agency("H11.01", validTo="2025-01-01", replacedBy="H11.02"), excerpt=excerpt) == [
        "/manifests/0/spec/replacedBy"
    ]


def test_systems_are_touched_when_their_agency_gets_another_class() -> None:
    made, _ = plan(agency(**{"class": "NGO"}), excerpt=catalog_with(*province()))
    assert made.affected == ((ResourceKind.SYSTEM, PROVIDER),)
    unchanged, _ = plan(agency(name=name("Khác")), excerpt=catalog_with(*province()))
    assert unchanged.affected == ()
    both, _ = plan(agency(**{"class": "NGO"}), system(name=name("Khác")), excerpt=catalog_with(*province()))
    assert both.affected == ()


def test_a_new_agreement_is_requested_or_at_once_approved() -> None:
    for status, decision in (("requested", None), ("approved", AgreementStatus.APPROVED)):
        made, _ = plan(*province()[:-1], agreement(status=status))
        assert (made.changes[-1].action, made.changes[-1].decision) == (CREATED, decision)


def test_a_requested_manifest_leaves_an_approved_agreement_as_it_is() -> None:
    made, violations = plan(agreement(), excerpt=catalog_with(*province(), status="approved"))
    assert violations == []
    assert made.changes[0].action == UNCHANGED


def test_an_approved_manifest_approves_a_request() -> None:
    made, _ = plan(agreement(status="approved"), excerpt=catalog_with(*province()))
    [change] = made.changes
    assert change.decision is AgreementStatus.APPROVED
    assert [change.document() for change in change.changes] == [
        {"path": "spec.status", "old": "requested", "new": "approved"}
    ]


def test_approved_terms_change_only_with_a_new_decision() -> None:
    excerpt = catalog_with(*province(), status="approved")
    made, _ = plan(agreement(status="approved", limits={"perDay": 9}), excerpt=excerpt)
    assert made.changes[0].decision is AgreementStatus.APPROVED
    assert [change.path for change in made.changes[0].changes] == [("spec", "limits")]
    _, [violation] = plan(agreement(status="approved", purposes=["audit"]), excerpt=excerpt)
    assert violation.conflict
    assert "amendment" in violation.text.en
    _, [violation] = plan(agreement(purposes=["audit"]), excerpt=excerpt)
    assert violation.conflict
    assert violation.pointer == "/manifests/0/spec/status"
    assert f"'{made.changes[0].id}': " in violation.text.en
    assert "(differs in: purposes)" in violation.text.en
    assert "(khác ở: purposes)" in violation.text.vi


@pytest.mark.parametrize("status", ["rejected", "revoked"])
@pytest.mark.parametrize("declared", ["requested", "approved"])
def test_an_ended_agreement_conflicts_with_every_manifest(status: str, declared: str) -> None:
    _, [violation] = plan(agreement(status=declared), excerpt=catalog_with(*province(), status=status))
    assert violation.conflict


def test_a_consumer_of_another_agency_is_just_another_term() -> None:
    excerpt = catalog_with(*province(), system("H11.01/other"))
    made, _ = plan(agreement(consumer="H11.01/other"), excerpt=excerpt)
    assert [change.document()["old"] for change in made.changes[0].changes] == [CONSUMER]
