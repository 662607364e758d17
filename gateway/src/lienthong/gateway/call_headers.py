"""The fields that tell provider and caller about a call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.gateway.table import ServiceRoute

if TYPE_CHECKING:
    from lienthong.gateway.call import Call


def call_headers(call: Call) -> list[tuple[bytes, bytes]]:
    """The fields that tell provider and caller about a call, as far as it is known."""
    headers = [(b"lgsp-transaction-id", call.tx.encode())]
    if call.client is not None:
        headers.append((b"lgsp-client", call.client.encode()))
    route, grant, context = call.route, call.grant, call.context
    if isinstance(route, ServiceRoute):
        headers.append((b"lgsp-service", route.id.encode()))
    if grant is not None:
        headers.append((b"lgsp-agreement", grant.agreement.encode()))
        headers.append((b"lgsp-purpose", grant.purpose.encode()))
    if context.case is not None:
        headers.append((b"lgsp-case-id", context.case.encode()))
    if context.user is not None:
        headers.append((b"lgsp-user", context.user.encode()))
    if call.trace is not None:
        headers.append((b"traceparent", call.trace.encode()))
    return headers
