"""The routing table that calls are decided by, built by pure functions from the catalog's resources."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lienthong.contracts.catalog.v1 import routes_pb2
from lienthong.gateway.operations import OperationRoute, OperationTree
from lienthong.gateway.upstreams import Upstreams

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_BEGINNING = datetime.min.replace(tzinfo=UTC)
_END = datetime.max.replace(tzinfo=UTC)
DEFAULT_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class ServiceRoute:
    """What a call needs to know of a service."""

    id: str
    system_id: str
    active: bool
    upstreams: Upstreams
    operations: OperationTree
    timeout_s: float
    """For the whole exchange with the provider."""
    max_request_bytes: int
    write_ahead: bool


@dataclass(frozen=True, slots=True)
class AgreementRule:
    """An approved agreement on a service: what `consumer_id` may do, and when.

    `operations` is None where every operation is allowed.
    """

    id: str
    consumer_id: str
    service_id: str
    operations: frozenset[str] | None
    purposes: tuple[str, ...]
    valid_from: datetime
    """The first moment at which it is valid."""
    valid_to: datetime
    """The first moment at which it is not valid any more."""


@dataclass(frozen=True, slots=True)
class UnapprovedAgreement:
    """An agreement on a service that was requested and not decided yet, or `revoked` after it was approved.

    It allows nothing; the table has it so that its consumer can be told.
    """

    id: str
    consumer_id: str
    service_id: str
    revoked: bool


@dataclass(frozen=True, slots=True)
class RoutingTable:
    """One version of the catalog, indexed. It is replaced as a whole by the next version."""

    version: int
    services: Mapping[bytes, ServiceRoute]
    """By the service's id as it stands in a path, for example `b"H11.05/land/parcels-v1"`."""
    active_systems: frozenset[str]
    suspended_systems: frozenset[str]
    agreements: Mapping[tuple[str, str], tuple[AgreementRule, ...]]
    """By consumer and service; the oldest first, so that the choice among several is the same everywhere."""
    unapproved: Mapping[tuple[str, str], tuple[UnapprovedAgreement, ...]]
    """By consumer and service, ordered by id."""


def service_route(service: routes_pb2.Service) -> ServiceRoute:
    """Index one service. Costs most of building a table, so an unchanged service is indexed once."""
    return ServiceRoute(
        id=service.id,
        system_id=service.system_id,
        active=service.status == routes_pb2.STATUS_ACTIVE,
        upstreams=_upstreams(service.upstreams),
        operations=OperationTree(
            OperationRoute(operation.id, operation.method.upper(), operation.path)
            for operation in service.operations
        ),
        timeout_s=service.timeout_ms / 1000 if service.timeout_ms else DEFAULT_TIMEOUT_S,
        max_request_bytes=service.max_request_bytes,
        write_ahead=service.write_ahead,
    )


def _upstreams(addresses: Iterable[str]) -> Upstreams:
    """The addresses of a service; none when one cannot be read.

    The catalog takes in none of these, but if one came all the same it must not hold up the other services.
    """
    try:
        return Upstreams(addresses)
    except ValueError:
        return Upstreams(())


def indexed_agreement(agreement: routes_pb2.Agreement) -> AgreementRule | UnapprovedAgreement | None:
    """Index one agreement; None for one that is not on a service, or that was rejected."""
    if agreement.WhichOneof("target") != "service_id":
        return None
    match agreement.status:
        case routes_pb2.AGREEMENT_STATUS_APPROVED:
            return _rule(agreement)
        case routes_pb2.AGREEMENT_STATUS_REQUESTED | routes_pb2.AGREEMENT_STATUS_REVOKED:
            revoked = agreement.status == routes_pb2.AGREEMENT_STATUS_REVOKED
            return UnapprovedAgreement(agreement.id, agreement.consumer_id, agreement.service_id, revoked)
        case _:
            return None


def _rule(agreement: routes_pb2.Agreement) -> AgreementRule:
    return AgreementRule(
        id=agreement.id,
        consumer_id=agreement.consumer_id,
        service_id=agreement.service_id,
        operations=frozenset(agreement.operations) or None,
        purposes=tuple(agreement.purposes),
        valid_from=agreement.valid_from.ToDatetime(UTC) if agreement.HasField("valid_from") else _BEGINNING,
        valid_to=agreement.valid_to.ToDatetime(UTC) if agreement.HasField("valid_to") else _END,
    )


def assemble(
    version: int,
    services: Iterable[ServiceRoute],
    systems: Iterable[routes_pb2.System],
    agreements: Iterable[AgreementRule | UnapprovedAgreement],
) -> RoutingTable:
    """Make a table of indexed parts."""
    active: set[str] = set()
    suspended: set[str] = set()
    for system in systems:
        (active if system.status == routes_pb2.STATUS_ACTIVE else suspended).add(system.id)
    rules: dict[tuple[str, str], list[AgreementRule]] = {}
    unapproved: dict[tuple[str, str], list[UnapprovedAgreement]] = {}
    for agreement in agreements:
        key = agreement.consumer_id, agreement.service_id
        if isinstance(agreement, AgreementRule):
            rules.setdefault(key, []).append(agreement)
        else:
            unapproved.setdefault(key, []).append(agreement)
    return RoutingTable(
        version=version,
        services={service.id.encode(): service for service in services},
        active_systems=frozenset(active),
        suspended_systems=frozenset(suspended),
        agreements={
            key: tuple(sorted(group, key=lambda rule: (rule.valid_from, rule.id)))
            for key, group in rules.items()
        },
        unapproved={
            key: tuple(sorted(group, key=lambda agreement: agreement.id)) for key, group in unapproved.items()
        },
    )
