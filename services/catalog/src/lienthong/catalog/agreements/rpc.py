"""Agreements as messages of `Routes/Watch`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.catalog.agreements.domain.lifecycle import AgreementStatus
from lienthong.catalog.domain import validity
from lienthong.catalog.rpc import resource_key
from lienthong.contracts.catalog.v1 import routes_pb2 as pb

if TYPE_CHECKING:
    from lienthong.catalog.agreements.domain.agreement import AgreementResource

_STATUS = {
    AgreementStatus.REQUESTED: pb.AGREEMENT_STATUS_REQUESTED,
    AgreementStatus.APPROVED: pb.AGREEMENT_STATUS_APPROVED,
    AgreementStatus.REJECTED: pb.AGREEMENT_STATUS_REJECTED,
    AgreementStatus.REVOKED: pb.AGREEMENT_STATUS_REVOKED,
}


def to_message(agreement: AgreementResource) -> pb.Resource:
    """Return an agreement as its message."""
    spec = agreement.spec
    message = pb.Agreement(
        id=agreement.id,
        consumer_id=spec["consumer"],
        operations=spec.get("operations", ()),
        purposes=spec["purposes"],
        legal_ground=spec["legalGround"],
        status=_STATUS[AgreementStatus(agreement.status)],
    )
    if "service" in spec:
        message.service_id = spec["service"]
    else:
        message.event_type_id = spec["eventType"]
    if "validFrom" in spec:
        message.valid_from.FromDatetime(validity.read(spec["validFrom"]))
    if "validTo" in spec:
        message.valid_to.FromDatetime(validity.read(spec["validTo"]))
    return pb.Resource(key=resource_key(agreement), agreement=message)
