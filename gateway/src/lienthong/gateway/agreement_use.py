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

if TYPE_CHECKING:
    from lienthong.gateway.call import Call
    from lienthong.gateway.limits.limiter import Limiter
    from lienthong.gateway.table import AgreementRule, RoutingTable
    from lienthong.kit.tokens import AccessToken

_PATH: Final = b"/limits/v1/agreements/"
_OPERATION: Final = OperationRoute("getAgreementUse", "GET", "/limits/v1/agreements/{agreement}")
_READING: Final = ("GET", "HEAD")
_OPERATOR: Final = "catalog:admin"
"""The scope of the platform's operator, as in the catalog."""


def use_response(call: Call, table: RoutingTable | None, limiter: Limiter) -> WholeResponse:
    """Answer a caller, who has proved itself, how much of an agreement's limits is used.

    Raises:
        ProblemError: method-not-allowed, unknown-path, not-ready, unknown-resource, not-allowed (for others
            than the consumer, systems of the providing agency and the operator).
    """
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
    if call.token is None or not _may_see(call.token, rule):
        raise problems.not_a_party(rule.id)
    body = msgspec.json.encode(_document(call, table, rule, limiter))
    own = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
    ]
    fields = written(own) + call_headers(call)
    return WholeResponse(200, fields, b"" if call.method == "HEAD" else body)


def _may_see(token: AccessToken, rule: AgreementRule) -> bool:
    caller, providing = token.client_id, rule.service_id.partition("/")[0]
    return caller == rule.consumer_id or caller.startswith(f"{providing}/") or _OPERATOR in token.scopes


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
