"""The routing table that calls are decided by: a view of the catalog that reads resources when needed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, ParamSpec, TypeVar

import structlog

from lienthong.contracts.catalog.v1 import routes_pb2
from lienthong.gateway.body_checks import body_checks, check_mode
from lienthong.gateway.context import Statement
from lienthong.gateway.credentials.spec import access
from lienthong.gateway.ending import ending
from lienthong.gateway.hours import OpeningHours
from lienthong.gateway.http1.bulkhead import BulkheadTerms
from lienthong.gateway.http1.circuit import CheckTerms, CircuitTerms
from lienthong.gateway.http1.limits import DEFAULT_FIRST_BYTE_S, TimeLimits
from lienthong.gateway.http1.upstreams import Upstreams
from lienthong.gateway.limits.day import zone
from lienthong.gateway.limits.terms import Limits, ServiceLimits
from lienthong.gateway.operations import OperationRoute, OperationTree
from lienthong.gateway.origins import AllowedOrigins
from lienthong.gateway.parameter_checks import parameter_checks
from lienthong.gateway.person_places import person_places
from lienthong.gateway.repeatable import Repeatable
from lienthong.gateway.soap.service import soap_service
from lienthong.kit.field_paths import tree
from lienthong.kit.problems.not_in_force import NotInForce, Pending, Revoked, Suspended

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from lienthong.gateway.credentials.spec import Access
    from lienthong.gateway.ending import Ending
    from lienthong.gateway.soap.service import SoapService
    from lienthong.kit.catalog import CatalogState
    from lienthong.kit.field_paths import FieldTree

P = ParamSpec("P")
K = TypeVar("K")
T = TypeVar("T")

_BEGINNING = datetime.min.replace(tzinfo=UTC)
_END = datetime.max.replace(tzinfo=UTC)
_MOST_SERVICES = 4096
_MOST_AGREEMENTS = 65_536
_MOST_REMEMBERED = 16_384
_STATEMENTS: dict[int, Statement] = {
    routes_pb2.STATEMENT_PURPOSE: Statement.PURPOSE,
    routes_pb2.STATEMENT_CASE: Statement.CASE,
    routes_pb2.STATEMENT_USER: Statement.USER,
    routes_pb2.STATEMENT_BOUND_TOKEN: Statement.BOUND_TOKEN,
}

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ServiceRoute:
    """What a call needs to know of a service."""

    id: str
    system_id: str
    active: bool
    upstreams: Upstreams
    operations: OperationTree
    limits: TimeLimits
    max_request_bytes: int
    write_ahead: bool
    prefix: bytes
    """The path under which callers call it, without a `/` at the end."""
    origins: AllowedOrigins | None
    """The pages that may read its answers; None: those of the gateway's own origin."""
    requires: frozenset[Statement]
    """What every call has to state."""
    assertion: bool
    """Whether each request carries a proof that it came through the gateway."""
    access: Access | None
    """What the provider wants to be shown; None: nothing."""
    agreement_limits: ServiceLimits | None
    """What it says of how much agreements on it may use; None: nothing."""
    soap: SoapService | None = None
    """How it is called where it speaks SOAP; then there are no `operations`. None: it does not."""
    bulkhead: BulkheadTerms | None = None
    """How many calls of it are forwarded at a time; None: as many as come."""
    repeatable: Repeatable | None = None
    """Which calls may carry an Idempotency-Key; None: for the gateway it means nothing."""
    ending: Ending | None = None
    """That it is deprecated or retired; None: neither."""


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
    requires: frozenset[Statement]
    """What every call has to state besides what the service requires."""
    limits: Limits | None
    """How much may be used; None: it says nothing."""
    hours: OpeningHours | None
    """When calls may begin; None: at any time."""
    fields: Mapping[str, FieldTree] | None = None
    """What leaves of the answers, by operation, of those not named under `*`; None: all of them."""


@dataclass(frozen=True, slots=True)
class UnapprovedAgreement:
    """An agreement on a service that was requested and not decided yet, or suspended or revoked since.

    It allows nothing; the table has it so that its consumer can be told.
    """

    id: str
    consumer_id: str
    service_id: str
    reason: NotInForce


class Agreements(NamedTuple):
    """The agreements of one consumer on one service."""

    rules: tuple[AgreementRule, ...] = ()
    """The approved ones, the oldest first, so that the choice among several is the same everywhere."""
    unapproved: tuple[UnapprovedAgreement, ...] = ()
    """Ordered by id."""


class ReadResources:
    """Resources that were read of their messages, for the tables of all versions: what does not change is
    read once. A message that cannot be read is logged, and what it would allow is denied.
    """

    def __init__(self) -> None:
        self.service = lru_cache(_MOST_SERVICES)(_readable(service_route))
        self.agreement = lru_cache(_MOST_AGREEMENTS)(_readable(indexed_agreement))


class RoutingTable:
    """One version of the catalog as calls are decided by it. What it says never changes."""

    __slots__ = ("_agreements", "_read", "_services", "_systems", "state")

    def __init__(self, state: CatalogState, read: ReadResources) -> None:
        self.state = state
        self._read = read
        # What was asked of this version already; with the next one they are gone.
        self._services: dict[bytes, ServiceRoute | None] = {}
        self._systems: dict[str, bool | None] = {}
        self._agreements: dict[tuple[str, str], Agreements] = {}

    @property
    def services(self) -> int:
        """How many services there are."""
        return self.state.counts.get(routes_pb2.RESOURCE_KIND_SERVICE, 0)

    def service(self, service_id: bytes) -> ServiceRoute | None:
        """A service by its id as it stands in a path, e.g. `b"H11.05/land/parcels-v1"`; None: unknown."""
        try:
            return self._services[service_id]
        except KeyError:
            message = self.state.get(routes_pb2.RESOURCE_KIND_SERVICE, service_id)
            if message is None:
                # Not remembered: callers may name what they like.
                return None
            return _remembered(self._services, service_id, self._read.service(message))

    def is_active(self, system_id: str) -> bool | None:
        """Whether a system is active; None where the catalog has no such system."""
        try:
            return self._systems[system_id]
        except KeyError:
            message = self.state.get(routes_pb2.RESOURCE_KIND_SYSTEM, system_id.encode())
            active = None if message is None else _is_active(message)
            return _remembered(self._systems, system_id, active)

    def approved_agreement(self, agreement_id: bytes) -> AgreementRule | None:
        """An approved agreement on a service, by its id; None where there is none."""
        message = self.state.get(routes_pb2.RESOURCE_KIND_AGREEMENT, agreement_id)
        found = self._read.agreement(agreement_id.decode(), message) if message is not None else None
        return found if isinstance(found, AgreementRule) else None

    def agreements(self, consumer_id: str, service_id: str) -> Agreements:
        """The agreements of a consumer on a service."""
        try:
            return self._agreements[consumer_id, service_id]
        except KeyError:
            found = [
                self._read.agreement(*agreement)
                for agreement in self.state.agreements_between(consumer_id, service_id)
            ]
            return _remembered(self._agreements, (consumer_id, service_id), _ordered(found))


def service_route(message: bytes) -> ServiceRoute:
    """Read one service.

    Raises:
        KeyError: it requires what this gateway does not know, or wants calls checked in such a way.
        ValueError: it wants to be shown, recorded or checked what this gateway does not know.
    """
    service = routes_pb2.Service.FromString(message)
    check_requests, check_answers = check_mode(service.check_requests), check_mode(service.check_answers)
    return ServiceRoute(
        id=service.id,
        system_id=service.system_id,
        active=service.status == routes_pb2.STATUS_ACTIVE,
        upstreams=_upstreams(service),
        operations=OperationTree(
            OperationRoute(
                operation.id,
                operation.method.upper(),
                operation.path,
                person_places(operation.path, operation.persons) if operation.HasField("persons") else None,
                body_checks(operation, check_requests, check_answers),
                parameter_checks(operation, check_requests),
            )
            for operation in service.operations
        ),
        limits=_limits(service),
        max_request_bytes=service.max_request_bytes,
        write_ahead=service.write_ahead,
        prefix=b"/api/" + service.id.encode(),
        origins=AllowedOrigins(service.cors.origins, service.cors.max_age_s)
        if service.HasField("cors")
        else None,
        requires=_statements(service.requires),
        assertion=service.assertion,
        access=access(service),
        agreement_limits=ServiceLimits(_agreed(service.default_limits), _agreed(service.maximum_limits))
        if service.HasField("default_limits") or service.HasField("maximum_limits")
        else None,
        soap=soap_service(service.soap) if service.HasField("soap") else None,
        bulkhead=_bulkhead(service.bulkhead) if service.HasField("bulkhead") else None,
        repeatable=_repeatable(service.idempotency) if service.HasField("idempotency") else None,
        ending=ending(service.ending) if service.HasField("ending") else None,
    )


def _limits(service: routes_pb2.Service) -> TimeLimits:
    given = service.timeouts
    first_byte_ms = given.first_byte_ms or service.timeout_ms
    return TimeLimits(
        connect_s=given.connect_ms / 1000 if given.connect_ms else None,
        first_byte_s=first_byte_ms / 1000 if first_byte_ms else DEFAULT_FIRST_BYTE_S,
        idle_s=given.idle_ms / 1000 if given.idle_ms else None,
        total_s=given.total_ms / 1000 if given.total_ms else None,
    )


def _upstreams(service: routes_pb2.Service) -> Upstreams:
    """The addresses of a service; none when one cannot be read.

    The catalog takes in none of these, but if one came all the same it must not hold up the other services.
    """
    try:
        return Upstreams(
            service.upstreams,
            name=service.id,
            weights=service.weights,
            circuit=_circuit(service.breaker) if service.HasField("breaker") else None,
            checks=_checks(service.health_check) if service.HasField("health_check") else None,
        )
    except ValueError:
        return Upstreams(())


def _circuit(breaker: routes_pb2.Breaker) -> CircuitTerms:
    return CircuitTerms(
        failures=breaker.failures,
        unreachable=breaker.failures,
        percent=breaker.failure_percent,
        minimum=breaker.minimum_calls,
        window_s=breaker.window_s,
        rest_s=breaker.open_s,
        trials=breaker.trials,
        statuses=frozenset(breaker.statuses),
        refuses=True,
    )


def _checks(declared: routes_pb2.HealthCheck) -> CheckTerms:
    return CheckTerms(
        declared.path.encode(),
        interval_s=declared.interval_s,
        timeout_s=declared.timeout_ms / 1000,
        statuses=frozenset(declared.statuses),
        healthy_after=declared.healthy_after,
        unhealthy_after=declared.unhealthy_after,
    )


def _repeatable(declared: routes_pb2.Idempotency) -> Repeatable:
    return Repeatable(declared.operations, required=declared.required, retain_s=declared.retain_s)


def _bulkhead(bulkhead: routes_pb2.Bulkhead) -> BulkheadTerms:
    return BulkheadTerms(bulkhead.calls, waiting=bulkhead.waiting, wait_s=bulkhead.wait_ms / 1000)


def indexed_agreement(agreement_id: str, message: bytes) -> AgreementRule | UnapprovedAgreement | None:
    """Read one agreement; None for one that is not on a service, or that was rejected.

    Raises:
        ValueError: one of its times cannot be represented, or its hours are none.
        FieldPathError: the fields that leave cannot be read.
        KeyError: it requires what this gateway does not know.
    """
    agreement = routes_pb2.Agreement.FromString(message)
    if agreement.WhichOneof("target") != "service_id":
        # A service and an event type may have the same id.
        return None
    match agreement.status:
        case routes_pb2.AGREEMENT_STATUS_APPROVED:
            return _rule(agreement_id, agreement)
        case routes_pb2.AGREEMENT_STATUS_REQUESTED:
            reason: NotInForce = Pending(agreement_id)
        case routes_pb2.AGREEMENT_STATUS_SUSPENDED:
            reason = Suspended(agreement_id)
        case routes_pb2.AGREEMENT_STATUS_REVOKED:
            reason = Revoked(agreement_id)
        case _:
            return None
    return UnapprovedAgreement(agreement_id, agreement.consumer_id, agreement.service_id, reason)


def _rule(agreement_id: str, agreement: routes_pb2.Agreement) -> AgreementRule:
    return AgreementRule(
        id=agreement_id,
        consumer_id=agreement.consumer_id,
        service_id=agreement.service_id,
        operations=frozenset(agreement.operations) or None,
        purposes=tuple(agreement.purposes),
        valid_from=agreement.valid_from.ToDatetime(UTC) if agreement.HasField("valid_from") else _BEGINNING,
        valid_to=agreement.valid_to.ToDatetime(UTC) if agreement.HasField("valid_to") else _END,
        requires=_statements(agreement.requires),
        limits=_agreed(agreement.limits) if agreement.HasField("limits") else None,
        hours=_hours(agreement.hours) if agreement.HasField("hours") else None,
        fields={one.operation: tree(one.paths) for one in agreement.fields} or None,
    )


def _statements(numbers: Iterable[int]) -> frozenset[Statement]:
    return frozenset(_STATEMENTS[number] for number in numbers)


def _agreed(limits: routes_pb2.Limits) -> Limits:
    return Limits(
        limits.per_second, limits.per_minute, limits.per_day, limits.bytes_per_day, limits.concurrent
    )


def _hours(hours: routes_pb2.Hours) -> OpeningHours:
    return OpeningHours(
        zone(hours.time_zone),
        [(day, part.from_minute, part.to_minute) for part in hours.open for day in part.days],
    )


def _ordered(found: Iterable[AgreementRule | UnapprovedAgreement | None]) -> Agreements:
    found = list(found)
    rules = [one for one in found if isinstance(one, AgreementRule)]
    unapproved = [one for one in found if isinstance(one, UnapprovedAgreement)]
    return Agreements(
        tuple(sorted(rules, key=lambda rule: (rule.valid_from, rule.id))),
        tuple(sorted(unapproved, key=lambda one: one.id)),
    )


def _is_active(message: bytes) -> bool:
    return routes_pb2.System.FromString(message).status == routes_pb2.STATUS_ACTIVE


def _readable(read: Callable[P, T]) -> Callable[P, T | None]:
    def attempt(*args: P.args, **kwargs: P.kwargs) -> T | None:
        try:
            return read(*args, **kwargs)
        except Exception:  # noqa: BLE001 - one resource must not keep calls of the others out
            _log.exception("a resource of the catalog cannot be read, it is left out")
            return None

    return attempt


def _remembered(memory: dict[K, T], key: K, value: T) -> T:
    if len(memory) >= _MOST_REMEMBERED:
        memory.clear()
    memory[key] = value
    return value
