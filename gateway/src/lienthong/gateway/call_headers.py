"""The fields that tell provider and caller about a call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lienthong.gateway.http1.fields import field_prefix
from lienthong.gateway.table import ServiceRoute

if TYPE_CHECKING:
    from lienthong.gateway.call import Call


_TRANSACTION: Final = field_prefix(b"lgsp-transaction-id")
_CLIENT: Final = field_prefix(b"lgsp-client")
_SERVICE: Final = field_prefix(b"lgsp-service")
_AGREEMENT: Final = field_prefix(b"lgsp-agreement")
_PURPOSE: Final = field_prefix(b"lgsp-purpose")
_CASE: Final = field_prefix(b"lgsp-case-id")
_USER: Final = field_prefix(b"lgsp-user")
_TRACE: Final = field_prefix(b"traceparent")


def call_headers(call: Call) -> list[bytes]:
    """The fields that tell provider and caller about a call, as far as it is known, as they are written."""
    fields = [_TRANSACTION, call.tx.encode()]
    if call.client is not None:
        fields += client_header(call.client)
    route, grant, context = call.route, call.grant, call.context
    if isinstance(route, ServiceRoute):
        fields += (_SERVICE, route.id.encode())
    if grant is not None:
        fields += (_AGREEMENT, grant.agreement.encode(), _PURPOSE, grant.purpose.encode())
    if context.case is not None:
        fields += (_CASE, context.case.encode())
    if context.user is not None:
        fields += (_USER, context.user.encode())
    if call.trace is not None:
        fields += (_TRACE, call.trace.encode())
    return fields


def client_header(client: str) -> tuple[bytes, bytes]:
    """The field that names the client, as it is written."""
    return _CLIENT, client.encode()
