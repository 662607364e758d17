"""Agreements as messages of `Routes/Watch`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lienthong.catalog.agreements.domain.lifecycle import AgreementStatus
from lienthong.catalog.rpc import statements, write_key
from lienthong.catalog.schemas.hours import DAYS
from lienthong.contracts.catalog.v1 import routes_pb2 as pb

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp

    from lienthong.catalog.agreements.domain.watched import WatchedAgreement

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STATUS = {
    AgreementStatus.REQUESTED: pb.AGREEMENT_STATUS_REQUESTED,
    AgreementStatus.INFORMATION_NEEDED: pb.AGREEMENT_STATUS_REQUESTED,
    AgreementStatus.ENDORSED: pb.AGREEMENT_STATUS_REQUESTED,
    AgreementStatus.SUSPENDED: pb.AGREEMENT_STATUS_SUSPENDED,
    AgreementStatus.APPROVED: pb.AGREEMENT_STATUS_APPROVED,
    AgreementStatus.REVOKED: pb.AGREEMENT_STATUS_REVOKED,
}


def write_message(agreement: WatchedAgreement, resource: pb.Resource) -> None:
    """Write an agreement into its message; of one that is not approved only who it is about."""
    write_key(agreement, resource)
    message = resource.agreement
    message.id, message.consumer_id = agreement.id, agreement.consumer
    message.status = _STATUS[agreement.status]
    if agreement.service is not None:
        message.service_id = agreement.service
    elif agreement.event_type is not None:
        message.event_type_id = agreement.event_type
    terms = agreement.terms
    if terms is not None:
        message.purposes.extend(terms.purposes)
        if terms.operations:
            message.operations.extend(terms.operations)
        if terms.requires:
            message.requires.extend(statements(terms.requires))
        if (limits := terms.limits) is not None:
            message.limits.per_second = limits.per_second
            message.limits.per_minute = limits.per_minute
            message.limits.per_day = limits.per_day
            message.limits.bytes_per_day = limits.bytes_per_day
            message.limits.concurrent = limits.concurrent
        if (hours := terms.hours) is not None:
            message.hours.time_zone = hours.time_zone
            for part in hours.open:
                days = [DAYS.index(day) + 1 for day in part.days]
                message.hours.open.add(days=days, from_minute=_minute(part.from_), to_minute=_minute(part.to))
        if terms.fields:
            for operation, paths in terms.fields.items():
                message.fields.add(operation=operation, paths=paths)
        if terms.valid_from is not None:
            _set(message.valid_from, terms.valid_from)
        if terms.valid_to is not None:
            _set(message.valid_to, terms.valid_to)


def _minute(time: str) -> int:
    hour, _, minute = time.partition(":")
    return int(hour) * 60 + int(minute)


def _set(timestamp: Timestamp, moment: datetime) -> None:
    # A tenth of the time that FromDatetime takes, of which a snapshot needs two million.
    since = moment - _EPOCH
    timestamp.seconds = since.days * 86_400 + since.seconds
    if since.microseconds:
        timestamp.nanos = since.microseconds * 1000
