"""Resources as messages of `Routes/Watch`."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.catalog.agreements.domain.lifecycle import AgreementStatus
from lienthong.catalog.agreements.domain.watched import WATCHED_STATUSES, Terms, WatchedAgreement
from lienthong.catalog.bootstrap import MESSAGES
from lienthong.catalog.domain.resources import ResourceKind, Watched
from lienthong.contracts.catalog.v1 import routes_pb2 as pb
from tests.unit.catalog.manifests import (
    CONSUMER,
    EVENT_TYPE,
    PROVIDER,
    SERVICE,
    catalog_with,
    province,
    service,
    system,
)


def message(resource: Watched) -> pb.Resource:
    """The message of a resource."""
    found = pb.Resource()
    MESSAGES[resource.kind](resource, found)
    return found


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


def test_a_system_shows_how_it_proves_itself_at_the_door_of_x_road() -> None:
    assert not message(_RESOURCES[ResourceKind.SYSTEM, PROVIDER]).system.HasField("xroad")
    for said, shown in (
        ({}, pb.XRoad(connection=pb.X_ROAD_CONNECTION_BEARER)),
        (
            {"connection": "certificate"},
            pb.XRoad(connection=pb.X_ROAD_CONNECTION_CERTIFICATE, certificates=["ab" * 32]),
        ),
        (
            {"connection": "http", "networks": ["10.1.0.0/16"], "purpose": "land-procedure"},
            pb.XRoad(
                connection=pb.X_ROAD_CONNECTION_HTTP, networks=["10.1.0.0/16"], purpose="land-procedure"
            ),
        ),
    ):
        manifests = [*province()[:3], system(CONSUMER, xroad=said, certificates=["ab" * 32])]
        found = catalog_with(*manifests).resources[ResourceKind.SYSTEM, CONSUMER]
        assert message(found).system.xroad == shown


def test_a_service_shows_what_routing_needs() -> None:
    manifests = [*province()[:4], service(timeoutMs=2500, maxRequestBytes=9, writeAhead=True, assertion=True)]
    found = message(catalog_with(*manifests).resources[ResourceKind.SERVICE, SERVICE]).service
    assert found == pb.Service(
        id=SERVICE,
        system_id=PROVIDER,
        code="parcels-v1",
        status=pb.STATUS_ACTIVE,
        upstreams=["http://land:8201"],
        operations=[
            pb.Operation(id="getParcel", method="GET", path="/0"),
            pb.Operation(id="listParcels", method="GET", path="/1"),
        ],
        timeout_ms=2500,
        max_request_bytes=9,
        write_ahead=True,
        assertion=True,
    )


@pytest.mark.parametrize(
    ("stated", "first_byte_ms", "shown"),
    [
        ({}, 10_000, {}),
        ({"timeoutMs": 2500}, 2500, {}),
        ({"timeouts": {"idleMs": 90_000}}, 10_000, {"idle_ms": 90_000}),
        ({"timeoutMs": 2500, "timeouts": {"firstByteMs": 3000}}, 3000, {"first_byte_ms": 3000}),
        (
            {"timeouts": {"connectMs": 100, "firstByteMs": 200, "idleMs": 300, "totalMs": 400}},
            200,
            {"connect_ms": 100, "first_byte_ms": 200, "idle_ms": 300, "total_ms": 400},
        ),
    ],
)
def test_a_service_shows_how_long_its_provider_may_take(
    stated: dict[str, Any], first_byte_ms: int, shown: dict[str, int]
) -> None:
    manifests = [*province()[:4], service(**stated)]
    found = message(catalog_with(*manifests).resources[ResourceKind.SERVICE, SERVICE]).service
    assert found.timeout_ms == first_byte_ms
    assert found.timeouts == pb.Timeouts(**shown)


def test_what_a_provider_is_shown_is_named() -> None:
    shown = service(
        upstreams=["https://land"],
        credentials=[
            {"kind": "header", "secret": "key", "header": "x-api-key"},
            {"kind": "oauth2", "secret": "core", "tokenUrl": "https://s/t", "clientAuthentication": "body"},
            {"kind": "lgspaccesstoken", "secret": "keys"},
        ],
        tls={"authority": "ca"},
        xRoad={"client": "VN/GOV/H11.01/lgsp", "service": "VN/GOV/G09/population/citizens"},
    )
    resource = catalog_with(*province()[:4], shown).resources[ResourceKind.SERVICE, SERVICE]
    found = message(resource).service
    assert list(found.credentials) == [
        pb.Credential(secret="key", header=pb.HeaderCredential(name="x-api-key")),
        pb.Credential(secret="core", oauth2=pb.OAuth2Credential(token_url="https://s/t", in_body=True)),
        pb.Credential(secret="keys", lgsp_access_token=pb.LgspAccessToken()),
    ]
    assert found.tls == pb.ProviderTls(authority="ca")
    assert found.x_road.service == "VN/GOV/G09/population/citizens"


def test_what_calls_have_to_state_is_shown_of_services_and_agreements() -> None:
    manifests = [*province()[:4], service(requires=["bound-token", "user", "purpose", "case"])]
    found = message(catalog_with(*manifests).resources[ResourceKind.SERVICE, SERVICE]).service
    assert list(found.requires) == [
        pb.STATEMENT_PURPOSE,
        pb.STATEMENT_CASE,
        pb.STATEMENT_USER,
        pb.STATEMENT_BOUND_TOKEN,
    ]
    shown = message(watched(terms=Terms(("p",), requires=("case",)))).agreement
    assert list(shown.requires) == [pb.STATEMENT_CASE]


def test_limits_are_shown_of_services_and_agreements() -> None:
    said = {"default": {"perMinute": 60}, "maximum": {"perDay": 1000, "bytesPerDay": 10**12}}
    found = message(
        catalog_with(*province()[:4], service(limits=said)).resources[ResourceKind.SERVICE, SERVICE]
    )
    assert found.service.default_limits == pb.Limits(per_minute=60)
    assert found.service.maximum_limits == pb.Limits(per_day=1000, bytes_per_day=10**12)
    stored = msgspec.json.decode(b'{"purposes":["p"],"limits":{"perSecond":5,"concurrent":2}}', type=Terms)
    assert message(watched(terms=stored)).agreement.limits == pb.Limits(per_second=5, concurrent=2)
    assert not message(watched(terms=Terms(("p",)))).agreement.HasField("limits")
    assert not message(_RESOURCES[ResourceKind.SERVICE, SERVICE]).service.HasField("default_limits")


def test_hours_are_shown_of_agreements() -> None:
    spec = b'{"purposes":["p"],"hours":{"timeZone":"Asia/Ho_Chi_Minh","open":['
    spec += b'{"days":["mon","sun"],"from":"07:30","to":"24:00"}]}}'
    found = message(watched(terms=msgspec.json.decode(spec, type=Terms))).agreement
    assert found.hours == pb.Hours(
        time_zone="Asia/Ho_Chi_Minh", open=[pb.OpenHours(days=[1, 7], from_minute=450, to_minute=1440)]
    )
    assert not message(watched(terms=Terms(("p",)))).agreement.HasField("hours")


def test_an_agreement_shows_what_leaves_of_answers() -> None:
    terms = Terms(("p",), fields={"getParcel": ("parcelId", "owners[*].fullName"), "*": ("$",)})
    assert list(message(watched(terms=terms)).agreement.fields) == [
        pb.OperationFields(operation="getParcel", paths=["parcelId", "owners[*].fullName"]),
        pb.OperationFields(operation="*", paths=["$"]),
    ]
    stored = msgspec.json.decode(b'{"purposes":["p"],"fields":{"*":["$"]}}', type=Terms)
    assert stored.fields == {"*": ("$",)}


def test_a_service_that_an_earlier_version_stored_requires_nothing() -> None:
    stored = _RESOURCES[ResourceKind.SERVICE, SERVICE]
    assert "requires" not in stored.spec
    assert list(message(stored).service.requires) == []
    assert msgspec.json.decode(b'{"purposes":["p"]}', type=Terms).requires == ()


def test_an_event_type_shows_its_schema_as_text() -> None:
    found = message(_RESOURCES[ResourceKind.EVENT_TYPE, EVENT_TYPE]).event_type
    assert (found.system_id, found.code) == (PROVIDER, "parcel-changed-v1")
    assert json.loads(found.data_schema) == {"type": "object"}


FROM, TO = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 12, 31, 17, 0, 0, 250_000, tzinfo=UTC)
APPROVED = AgreementStatus.APPROVED


def watched(**members: Any) -> WatchedAgreement:  # noqa: ANN401
    """An agreement as watches are sent it."""
    usual = {"id": "a", "consumer": CONSUMER, "service": SERVICE, "event_type": None, "status": APPROVED}
    return WatchedAgreement(**{**usual, "terms": None, **members})


def test_an_agreement_shows_its_target_terms_and_period() -> None:
    found = message(watched(terms=Terms(("p",), ("getParcel",), FROM, TO)))
    assert found.key == pb.ResourceKey(kind=pb.RESOURCE_KIND_AGREEMENT, id="a")
    shown = found.agreement
    assert (shown.id, shown.consumer_id, shown.service_id) == ("a", CONSUMER, SERVICE)
    assert shown.WhichOneof("target") == "service_id"
    assert (list(shown.purposes), list(shown.operations)) == (["p"], ["getParcel"])
    assert shown.status == pb.AGREEMENT_STATUS_APPROVED
    assert (shown.valid_from.ToDatetime(UTC), shown.valid_to.ToDatetime(UTC)) == (FROM, TO)


def test_an_agreement_on_an_event_type_names_it_and_may_be_open_ended() -> None:
    shown = message(
        watched(service=None, event_type=EVENT_TYPE, terms=Terms(("p",), None, None, None))
    ).agreement
    assert (shown.WhichOneof("target"), shown.event_type_id) == ("event_type_id", EVENT_TYPE)
    assert (list(shown.operations), shown.HasField("valid_from"), shown.HasField("valid_to")) == (
        [],
        False,
        False,
    )


@given(st.datetimes(timezones=st.just(UTC)))
def test_any_time_is_the_same_in_a_message(moment: datetime) -> None:
    shown = message(watched(terms=Terms(("p",), None, moment, None))).agreement
    assert shown.valid_from.ToDatetime(UTC) == moment


@pytest.mark.parametrize("status", AgreementStatus)
def test_every_status_that_is_sent_has_its_number_and_no_other(status: AgreementStatus) -> None:
    if status in WATCHED_STATUSES:
        assert message(watched(status=status)).agreement.status != pb.AGREEMENT_STATUS_UNSPECIFIED
    else:
        with pytest.raises(KeyError):
            message(watched(status=status))
