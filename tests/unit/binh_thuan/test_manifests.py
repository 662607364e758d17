"""The province's manifests can be read, agree with each other and with the story of the first calls."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from binh_thuan import story
from binh_thuan.credentials import ensure
from binh_thuan.data.civil_status import births
from binh_thuan.data.land import first_registrations, parcels
from binh_thuan.data.officials import organisations
from binh_thuan.data.people import population
from binh_thuan.data.places import communes_by_code
from binh_thuan.data.procedures import procedures
from binh_thuan.departments.ports import NATIONAL_CORE, PORTS
from binh_thuan.province import MANIFESTS, SYSTEMS, upstreams
from lienthong.catalog.services.domain.openapi import read as read_openapi
from lienthong.catalog.services.domain.wsdl import read as read_wsdl
from lienthong.client.manifests.load import load
from lienthong.kit.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

OFFSET = 700


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the keys of every system; RSA takes its time, so they are made once."""
    made = tmp_path_factory.mktemp("home")
    ensure(made / "demo", "http://127.0.0.1:8080")
    return made


@pytest.fixture
def manifests(home: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    monkeypatch.setenv("LIENTHONG_HOME", str(home))
    for name, value in upstreams(Settings(port_offset=OFFSET)).items():
        monkeypatch.setenv(name, value)
    found = load([MANIFESTS])
    assert found.mistakes == []
    return found.values


def of_kind(manifests: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["id"]: one["spec"] for one in manifests if one["kind"] == kind}


def operation_ids(spec: dict[str, Any]) -> set[str]:
    operations, mistakes = read_wsdl(spec["wsdl"]) if "wsdl" in spec else read_openapi(spec["openapi"])
    assert mistakes == ()
    return {operation.id for operation in operations}


def test_every_system_of_the_province_is_registered_with_its_own_public_key(
    manifests: list[dict[str, Any]],
) -> None:
    systems = of_kind(manifests, "System")
    assert set(systems) == {system.client_id for system in SYSTEMS}
    keys = [key for spec in systems.values() for key in spec["jwks"]["keys"]]
    assert len({key["kid"] for key in keys}) == len(SYSTEMS)
    assert not any("d" in key for key in keys)
    assert {key["kty"] for key in keys} == {"EC", "OKP", "RSA"}


def test_everything_that_is_named_exists(manifests: list[dict[str, Any]]) -> None:
    agencies, systems = of_kind(manifests, "Agency"), of_kind(manifests, "System")
    services, event_types = of_kind(manifests, "Service"), of_kind(manifests, "EventType")
    assert {one.rpartition("/")[0] for one in systems} <= set(agencies)
    assert {one.rpartition("/")[0] for one in (*services, *event_types)} <= set(systems)
    for identity, spec in of_kind(manifests, "Agreement").items():
        assert spec["consumer"] in systems, identity
        if "service" in spec:
            assert set(spec.get("operations", [])) <= operation_ids(services[spec["service"]]), identity
        else:
            assert spec["eventType"] in event_types, identity


def test_names_are_in_both_languages_and_agreements_name_purpose_and_ground(
    manifests: list[dict[str, Any]],
) -> None:
    for one in manifests:
        if one["kind"] == "Agreement":
            assert one["spec"]["purposes"]
            assert one["spec"]["legalGround"].startswith("Ví dụ: ")
        else:
            assert set(one["spec"]["name"]) == {"vi", "en"}


def test_addresses_of_the_departments_follow_the_port_offset(manifests: list[dict[str, Any]]) -> None:
    found = {spec["upstreams"][0] for spec in of_kind(manifests, "Service").values()}
    departments = {f"http://127.0.0.1:{port + OFFSET}" for port in PORTS.values()}
    assert found == departments | {f"http://127.0.0.1:{PORTS[NATIONAL_CORE] + OFFSET}/ndxp"}


def test_the_story_asks_for_what_is_there() -> None:
    applicant = population()[story.APPLICANT]
    assert applicant.commune == communes_by_code()[story.COMMUNE]
    assert story.APPLICANT in {owner.personal_id for owner in parcels()[story.PARCEL].owners}
    father = births()[story.BIRTH].father
    assert father is not None
    assert father.personal_id == story.APPLICANT
    assert (applicant.full_name, applicant.date_of_birth.isoformat()) == (
        story.CLAIM["fullName"],
        story.CLAIM["dateOfBirth"],
    )
    assert story.PROCEDURE in procedures()
    assert organisations()[story.ORGANISATION].name == f"UBND {applicant.commune.full_name}"


def test_the_story_states_purposes_of_its_agreements(manifests: list[dict[str, Any]]) -> None:
    systems = {system.folder: system.client_id for system in SYSTEMS}
    agreements = of_kind(manifests, "Agreement").values()
    for step in story.calls():
        path = step.operation.path
        service = path.removeprefix("/api/").removeprefix("/r1/VN-BTN/GOV/").rsplit("/v1/")[0]
        fitting = [
            spec
            for spec in agreements
            if spec["consumer"] == systems[step.system]
            and service.startswith(spec.get("service", "-"))
            and spec.get("status") == "approved"
        ]
        assert bool(fitting) == (step.error != "no-agreement"), step.en
        if "X-Road-Client" in step.operation.headers:
            # X-Road has no purpose: it is the agreement's only one.
            assert all(len(spec["purposes"]) == 1 for spec in fitting), step.en
        else:
            purpose = step.operation.headers["LGSP-Purpose"]
            assert all(purpose in spec["purposes"] for spec in fitting), step.en


def test_the_published_event_is_valid_and_tells_the_truth(manifests: list[dict[str, Any]]) -> None:
    event = json.loads(story.publication("one").operation.content or b"")
    schema = of_kind(manifests, "EventType")[event["type"]]["dataSchema"]
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(event["data"])
    registered = first_registrations()[story.PARCEL]
    assert event["data"] == {
        "parcelId": registered.parcel_id,
        "changeId": registered.change_id,
        "kind": registered.kind,
        "communeCode": parcels()[story.PARCEL].commune_code,
        "registeredOn": registered.registered_on.isoformat(),
        "version": registered.version,
    }


def test_keys_stay_and_client_json_follows_the_gateway(home: Path) -> None:
    before = ensure(home / "demo", "http://127.0.0.1:8080")
    after = ensure(home / "demo", "http://127.0.0.1:9080")
    for name, credentials in before.items():
        assert after[name].public_keys() == credentials.public_keys()
        assert after[name].token_endpoint == "http://127.0.0.1:9080/oauth2/token"
        assert (home / "demo" / name / "key.jwk").stat().st_mode & 0o077 == 0


def test_keys_that_were_not_finished_are_made_again(home: Path) -> None:
    (home / "demo" / "land" / "key.jwk").unlink()
    assert ensure(home / "demo", "http://127.0.0.1:8080")["land"].algorithm == "EdDSA"
