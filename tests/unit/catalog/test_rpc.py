"""Resources as messages of `Routes/Watch`."""

from __future__ import annotations

import json
from dataclasses import replace

from lienthong.catalog.bootstrap import MESSAGES
from lienthong.catalog.domain.resources import Resource, ResourceKind
from lienthong.contracts.catalog.v1 import routes_pb2 as pb
from tests.unit.catalog.manifests import (
    CONSUMER,
    EVENT_TYPE,
    PROVIDER,
    SERVICE,
    agreement,
    catalog_with,
    province,
    service,
)


def message(resource: Resource) -> pb.Resource:
    """The message of a resource."""
    return MESSAGES[resource.kind](resource)


_RESOURCES = catalog_with(*province()).resources


def test_an_agency_shows_its_class() -> None:
    found = message(_RESOURCES[ResourceKind.AGENCY, "H11.05"])
    assert found.key == pb.ResourceKey(kind=pb.RESOURCE_KIND_AGENCY, id="H11.05")
    assert (found.agency.code, found.agency.member_class) == ("H11.05", "GOV")


def test_a_system_shows_its_agency_and_status() -> None:
    resource = _RESOURCES[ResourceKind.SYSTEM, PROVIDER]
    system = message(resource).system
    assert (system.agency_code, system.code, system.member_class) == ("H11.05", "land", "GOV")
    assert system.status == pb.STATUS_ACTIVE
    assert message(replace(resource, status="suspended")).system.status == pb.STATUS_SUSPENDED


def test_a_service_shows_what_routing_needs() -> None:
    manifests = [*province()[:4], service(timeoutMs=2500, maxRequestBytes=99, writeAhead=True)]
    found = message(catalog_with(*manifests).resources[ResourceKind.SERVICE, SERVICE]).service
    assert found == pb.Service(
        id=SERVICE,
        system_id=PROVIDER,
        code="parcels-v1",
        name=pb.LocalizedText(vi="Tên", en="Name"),
        status=pb.STATUS_ACTIVE,
        upstreams=["http://land:8201"],
        operations=[
            pb.Operation(id="getParcel", method="GET", path="/0"),
            pb.Operation(id="listParcels", method="GET", path="/1"),
        ],
        timeout_ms=2500,
        max_request_bytes=99,
        write_ahead=True,
    )


def test_an_event_type_shows_its_schema_as_text() -> None:
    found = message(_RESOURCES[ResourceKind.EVENT_TYPE, EVENT_TYPE]).event_type
    assert (found.system_id, found.code) == (PROVIDER, "parcel-changed-v1")
    assert json.loads(found.data_schema) == {"type": "object"}


def test_an_agreement_shows_its_target_terms_and_period() -> None:
    manifests = [
        *province()[:-1],
        agreement(operations=["getParcel"], validFrom="2026-01-01", status="approved"),
    ]
    found = message(catalog_with(*manifests).resources[ResourceKind.AGREEMENT, "one-stop-parcels"]).agreement
    assert (found.consumer_id, found.service_id) == (CONSUMER, SERVICE)
    assert found.WhichOneof("target") == "service_id"
    assert list(found.operations) == ["getParcel"]
    assert found.status == pb.AGREEMENT_STATUS_APPROVED
    assert found.valid_from.ToJsonString() == "2025-12-31T17:00:00Z"
    assert not found.HasField("valid_to")


def test_an_agreement_on_an_event_type_names_it() -> None:
    manifests = [*province()[:-1], agreement(eventType=EVENT_TYPE, validTo="2026-12-31")]
    found = message(catalog_with(*manifests).resources[ResourceKind.AGREEMENT, "one-stop-parcels"]).agreement
    assert (found.WhichOneof("target"), found.event_type_id) == ("event_type_id", EVENT_TYPE)
    assert found.valid_to.ToJsonString() == "2026-12-31T17:00:00Z"
    assert not found.HasField("valid_from")
