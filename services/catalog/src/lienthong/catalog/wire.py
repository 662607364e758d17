"""From resources to the messages of `Routes/Watch`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lienthong.catalog import validity
from lienthong.catalog.agreements import Status
from lienthong.catalog.kinds import Kind
from lienthong.catalog.resources import SUSPENDED
from lienthong.contracts.catalog.v1 import routes_pb2 as pb

if TYPE_CHECKING:
    from lienthong.catalog.json_text import JsonObject
    from lienthong.catalog.resources import Resource

KINDS = {
    pb.RESOURCE_KIND_AGENCY: Kind.AGENCY,
    pb.RESOURCE_KIND_SYSTEM: Kind.SYSTEM,
    pb.RESOURCE_KIND_SERVICE: Kind.SERVICE,
    pb.RESOURCE_KIND_AGREEMENT: Kind.AGREEMENT,
    pb.RESOURCE_KIND_EVENT_TYPE: Kind.EVENT_TYPE,
}
_KIND_NUMBERS = {kind: number for number, kind in KINDS.items()}
_AGREEMENT_STATUS = {
    Status.REQUESTED: pb.AGREEMENT_STATUS_REQUESTED,
    Status.APPROVED: pb.AGREEMENT_STATUS_APPROVED,
    Status.REJECTED: pb.AGREEMENT_STATUS_REJECTED,
    Status.REVOKED: pb.AGREEMENT_STATUS_REVOKED,
}


def message(resource: Resource) -> pb.Resource:
    """Return a resource as its message."""
    key = pb.ResourceKey(kind=_KIND_NUMBERS[resource.kind], id=resource.id)
    match resource.kind:
        case Kind.AGENCY:
            return pb.Resource(key=key, agency=_agency(resource))
        case Kind.SYSTEM:
            return pb.Resource(key=key, system=_system(resource))
        case Kind.SERVICE:
            return pb.Resource(key=key, service=_service(resource))
        case Kind.EVENT_TYPE:
            return pb.Resource(key=key, event_type=_event_type(resource))
        case Kind.AGREEMENT:
            return pb.Resource(key=key, agreement=_agreement(resource))


def _agency(resource: Resource) -> pb.Agency:
    return pb.Agency(code=resource.id, member_class=resource.member_class, name=_name(resource.spec))


def _system(resource: Resource) -> pb.System:
    agency, _, code = resource.id.partition("/")
    return pb.System(
        id=resource.id,
        agency_code=agency,
        code=code,
        member_class=resource.member_class,
        name=_name(resource.spec),
        status=_status(resource),
    )


def _service(resource: Resource) -> pb.Service:
    system, _, code = resource.id.rpartition("/")
    spec = resource.spec
    return pb.Service(
        id=resource.id,
        system_id=system,
        code=code,
        name=_name(spec),
        status=_status(resource),
        upstreams=spec["upstreams"],
        operations=[
            pb.Operation(id=operation.id, method=operation.method, path=operation.path)
            for operation in resource.operations
        ],
        timeout_ms=spec["timeoutMs"],
        max_request_bytes=spec["maxRequestBytes"],
        write_ahead=spec["writeAhead"],
    )


def _event_type(resource: Resource) -> pb.EventType:
    system, _, code = resource.id.rpartition("/")
    return pb.EventType(
        id=resource.id,
        system_id=system,
        code=code,
        name=_name(resource.spec),
        status=_status(resource),
        data_schema=json.dumps(resource.spec["dataSchema"], ensure_ascii=False, separators=(",", ":")),
    )


def _agreement(resource: Resource) -> pb.Agreement:
    spec = resource.spec
    agreement = pb.Agreement(
        id=resource.id,
        consumer_id=spec["consumer"],
        operations=spec.get("operations", ()),
        purposes=spec["purposes"],
        legal_ground=spec["legalGround"],
        status=_AGREEMENT_STATUS[Status(resource.status)],
    )
    if "service" in spec:
        agreement.service_id = spec["service"]
    else:
        agreement.event_type_id = spec["eventType"]
    if "validFrom" in spec:
        agreement.valid_from.FromDatetime(validity.read(spec["validFrom"]))
    if "validTo" in spec:
        agreement.valid_to.FromDatetime(validity.read(spec["validTo"]))
    return agreement


def _name(spec: JsonObject) -> pb.LocalizedText:
    return pb.LocalizedText(vi=spec["name"]["vi"], en=spec["name"]["en"])


def _status(resource: Resource) -> pb.Status.ValueType:
    return pb.STATUS_SUSPENDED if resource.status == SUSPENDED else pb.STATUS_ACTIVE
