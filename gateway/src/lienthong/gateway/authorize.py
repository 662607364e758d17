"""Stage 3, authorize: does an agreement let this client make this call?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.gateway import problems
from lienthong.gateway.policy import Denial, Grant, decide

if TYPE_CHECKING:
    from lienthong.gateway.call import Call
    from lienthong.gateway.table import RoutingTable
    from lienthong.kit.problems import ProblemError


def authorize(call: Call, table: RoutingTable) -> None:
    """Find the agreement and the purpose of a call whose operation and client are known.

    Raises:
        ProblemError: client-suspended, unknown-service (suspended), no-agreement, operation-not-in-agreement,
            purpose-not-in-agreement, malformed-request (LGSP-Purpose).
    """
    if call.service is None or call.operation is None or call.client is None or call.inbound is None:
        raise RuntimeError("authorize comes after match and authenticate")
    purpose = call.inbound.purpose()
    decision = decide(table, call.service, call.operation.id, call.client, purpose, call.received)
    if not isinstance(decision, Grant):
        raise _refusal(decision, call.client, call.service.id, call.operation.id)
    call.agreement, call.purpose = decision.agreement, decision.purpose


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
