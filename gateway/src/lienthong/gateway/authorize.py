"""Stage 3, authorize: does an agreement allow the client this call?"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

from lienthong.gateway import problems
from lienthong.gateway.context import Statement
from lienthong.gateway.policy import Closed, Denial, Grant, Unstated, decide
from lienthong.gateway.targets import ServiceTarget
from lienthong.kit.problems import ProblemError, agreements
from lienthong.kit.problems.not_in_force import Revoked, refusal
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from datetime import datetime

    from lienthong.gateway.context import CallContext
    from lienthong.gateway.operations import OperationRoute
    from lienthong.gateway.table import RoutingTable, ServiceRoute


def authorize(
    target: ServiceTarget,
    operation: OperationRoute,
    client: str,
    purpose: str | None,
    context: CallContext,
    now: datetime,
    *,
    bound: bool,
) -> Grant:
    """Find the agreement that allows an authenticated client this operation, and the purpose of the call.

    `purpose` is the one that the caller states, if any, `context` what else it states, and `bound` says
    whether its token is bound to it. Only the authenticated
    consumer of an agreement learns that there is one that is not in force: for all others there is none.

    Raises:
        ProblemError: client-suspended, unknown-service (suspended), service-retired,
            operation-not-in-agreement, purpose-not-in-agreement, missing-header, bound-token-required,
            agreement-closed; without an agreement in force agreement-not-yet-valid, agreement-pending,
            agreement-expired, agreement-suspended, agreement-revoked, no-agreement.
    """
    decision = decide(target.table, target.route, operation.id, client, purpose, context, now, bound=bound)
    if isinstance(decision, Grant):
        return decision
    if isinstance(decision, Denial):
        raise _denied(decision, client, target.route, operation.id)
    if isinstance(decision, Unstated):
        if Statement.BOUND_TOKEN in decision.missing:
            raise problems.bound_token_required(target.route.id)
        raise problems.missing_header(target.route.id, [statement.value for statement in decision.missing])
    if isinstance(decision, Closed):
        raise _closed(decision, target.route.id, now)
    raise refusal(decision, target.route.id)


def still_allowed(
    table: RoutingTable,
    service: str,
    operation: OperationRoute,
    client: str,
    grant: Grant,
    context: CallContext,
    now: datetime,
    *,
    bound: bool,
) -> datetime:
    """Check that a call under way would still be allowed, by the agreement that let it pass; returns when
    to check again, if nothing changes: when that one or the service ends, or, where it has hours, with the
    next minute.

    Raises:
        ProblemError: what `authorize` raises; agreement-revoked also where another agreement would do.
    """
    route = table.service(service.encode())
    if route is None:
        raise problems.unknown_service(service)
    authorize(ServiceTarget(table, route, b""), operation, client, grant.purpose, context, now, bound=bound)
    for rule in table.agreements(client, service).rules:
        if rule.id == grant.agreement and rule.valid_from <= now < rule.valid_to:
            if rule.operations is not None and operation.id not in rule.operations:
                raise problems.operation_not_in_agreement(operation.id)
            if grant.purpose not in rule.purposes:
                raise problems.purpose_not_in_agreement()
            ends = rule.valid_to if route.ending is None else min(rule.valid_to, route.ending.ends)
            if rule.hours is None:
                return ends
            return min(ends, now.replace(second=0, microsecond=0) + timedelta(minutes=1))
    raise refusal(Revoked(grant.agreement), service)


def _closed(closed: Closed, service: str, now: datetime) -> ProblemError:
    """The agreement lets no call begin at this hour."""
    opens = closed.opens.isoformat(timespec="minutes")
    detail = BilingualText(
        f"The agreement {closed.agreement} on {service} lets no call begin at this hour."
        f" It opens at {opens}.",
        f"Thoả thuận {closed.agreement} về {service} không cho phép gọi vào giờ này."
        f" Giờ mở tiếp theo: {opens}.",
    )
    seconds = max(math.ceil((closed.opens - now).total_seconds()), 1)
    return ProblemError(
        agreements.AGREEMENT_CLOSED, detail, {"Retry-After": str(seconds)}, {"opens_at": opens}
    )


def _denied(denial: Denial, client: str, route: ServiceRoute, operation: str) -> ProblemError:
    service = route.id
    match denial:
        case Denial.CLIENT_SUSPENDED:
            return problems.client_suspended(client)
        case Denial.SERVICE_SUSPENDED:
            return problems.service_suspended(service)
        case Denial.SERVICE_RETIRED:
            return problems.service_retired(service, route.ending.successor if route.ending else "")
        case Denial.NO_AGREEMENT:
            return problems.no_agreement(client, service)
        case Denial.OPERATION:
            return problems.operation_not_in_agreement(operation)
        case Denial.PURPOSE:
            return problems.purpose_not_in_agreement()
        case Denial.PURPOSE_NEEDED:
            return problems.purpose_needed()
