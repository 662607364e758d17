"""Stage 3, authorize: does an agreement allow the client this call?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.gateway import problems
from lienthong.gateway.policy import Denial, Grant, decide

if TYPE_CHECKING:
    from datetime import datetime

    from lienthong.gateway.match import ServiceTarget
    from lienthong.gateway.operations import ServiceOperation
    from lienthong.kit.problems import ProblemError


def authorize(
    target: ServiceTarget, operation: ServiceOperation, client: str, purpose: str | None, now: datetime
) -> Grant:
    """Find the agreement that allows an authenticated client this operation, and the purpose of the call.

    `purpose` is the one that the caller states, if any.

    Raises:
        ProblemError: client-suspended, unknown-service (suspended), no-agreement, operation-not-in-agreement,
            purpose-not-in-agreement.
    """
    decision = decide(target.table, target.route, operation.id, client, purpose, now)
    if not isinstance(decision, Grant):
        raise _refusal(decision, client, target.route.id, operation.id)
    return decision


def _refusal(denial: Denial, client: str, service: str, operation: str) -> ProblemError:
    match denial:
        case Denial.CLIENT_SUSPENDED:
            return problems.client_suspended(client)
        case Denial.SERVICE_SUSPENDED:
            return problems.service_suspended(service)
        case Denial.NO_AGREEMENT:
            return problems.no_agreement(client, service)
        case Denial.OPERATION:
            return problems.operation_not_in_agreement(operation)
        case Denial.PURPOSE:
            return problems.purpose_not_in_agreement()
        case Denial.PURPOSE_NEEDED:
            return problems.purpose_needed()
