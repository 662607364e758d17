"""The present use of an agreement's limits: what this process decides by, counted here or heard of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from lienthong.gateway import problems
from lienthong.gateway.call_headers import call_headers
from lienthong.gateway.http1.fields import written
from lienthong.gateway.limits.terms import MEMBERS, NOTHING_SAID, Limit, in_force, value
from lienthong.gateway.operations import OperationRoute
from lienthong.gateway.response import WholeResponse
from lienthong.kit.policy import Action

if TYPE_CHECKING:
    from lienthong.gateway.call import Call
    from lienthong.gateway.limits.limiter import Limiter
    from lienthong.gateway.table import AgreementRule, RoutingTable
    from lienthong.kit.actors import Actor

_PATH: Final = b"/limits/v1/agreements/"
_OPERATION: Final = OperationRoute("getAgreementUse", "GET", "/limits/v1/agreements/{agreement}")
_READING: Final = ("GET", "HEAD")


def use_response(call: Call, actor: Actor, table: RoutingTable | None, limiter: Limiter) -> WholeResponse:
    """Answer a caller, who has proved itself, how much of an agreement's limits is used.

    Raises:
        ProblemError: method-not-allowed, unknown-path, not-ready, unknown-resource; not-allowed (for other
            systems than the consumer and those of the providing agency), role-required (for people who may
            not see how calls of either agency go).
    """
    if actor.is_person:
        actor.demand_somewhere(Action.READ_HEALTH)
    if call.method not in _READING:
        raise problems.method_not_allowed(_READING)
    name = call.path.removeprefix(_PATH)
    if name == call.path or not name or b"/" in name:
        raise problems.unknown_path()
    call.operation = _OPERATION
    if table is None:
        raise problems.not_ready(
            "The gateway has no routing table that is recent enough.",
            "Cổng chưa có bảng định tuyến đủ mới.",
        )
    rule = table.approved_agreement(name)
    if rule is None:
        raise problems.unknown_agreement(name.decode())
    _demand(actor, rule)
    body = msgspec.json.encode(_document(call, table, rule, limiter))
    own = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
    ]
    fields = written(own) + call_headers(call)
    return WholeResponse(200, fields, b"" if call.method == "HEAD" else body)


def _demand(actor: Actor, rule: AgreementRule) -> None:
    consuming, providing = rule.consumer_id.partition("/")[0], rule.service_id.partition("/")[0]
    if actor.is_person:
        if not actor.may(Action.READ_HEALTH, consuming):
            actor.demand(Action.READ_HEALTH, providing)
    elif actor.name != rule.consumer_id and not actor.is_of(providing) and not actor.is_operator:
        raise problems.not_a_party(rule.id)


def _document(call: Call, table: RoutingTable, rule: AgreementRule, limiter: Limiter) -> dict[str, Any]:
    route = table.service(rule.service_id.encode())
    limits = in_force(rule.limits, route.agreement_limits if route is not None else None) or NOTHING_SAID
    used = limiter.used(rule.id, call.received)
    found = []
    for limit in Limit:
        allowed = value(limits, limit)
        if allowed:
            left = max(allowed - used[limit], 0)
            found.append({"limit": MEMBERS[limit], "allowed": allowed, "used": used[limit], "left": left})
    return {
        "agreement": rule.id,
        "consumer": rule.consumer_id,
        "service": rule.service_id,
        "at": limiter.calendar.local(call.received),
        "dayEnds": limiter.calendar.local(limiter.calendar.ends(call.received)),
        "limits": found,
    }
