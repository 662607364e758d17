"""Problems as X-Road says them (PR-REST section 4.6, the codes of version 7.8) and as GovStack does.

X-Road's types begin with the part that failed. The gateway is both security servers: what is wrong with the
caller is found by the `clientproxy`, what is wrong with the service or its rights by the `serverproxy`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

import msgspec

from lienthong.gateway.call_headers import call_headers
from lienthong.gateway.http1.fields import field_prefix, written
from lienthong.gateway.response import WholeResponse
from lienthong.gateway.table import ServiceRoute
from lienthong.gateway.xroad.dialect import GOVSTACK_JSON, XROAD
from lienthong.kit.text import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lienthong.gateway.call import Call
    from lienthong.gateway.xroad.dialect import Dialect
    from lienthong.kit.problems import ProblemError

_BAD_REQUEST: Final = "client.bad_request"
_CLIENT_PROXY: Final = "server.clientproxy."
_SERVER_PROXY: Final = "server.serverproxy."
_INTERNAL: Final = _CLIENT_PROXY + "internal_error"
_DENIED: Final = _SERVER_PROXY + "access_denied"
_UNPROVEN: Final = _CLIENT_PROXY + "ssl_authentication_failed"
_DISABLED: Final = _SERVER_PROXY + "service_disabled"

TYPES: Final = {
    "agreement-closed": _DENIED,
    "agreement-expired": _DENIED,
    "agreement-not-yet-valid": _DENIED,
    "agreement-pending": _DENIED,
    "agreement-revoked": _DENIED,
    "agreement-suspended": _DENIED,
    "audit-unavailable": _CLIENT_PROXY + "logging_failed",
    "bound-token-required": _UNPROVEN,
    "certificate-mismatch": _UNPROVEN,
    "dpop-nonce-required": _UNPROVEN,
    "dpop-proof-refused": _UNPROVEN,
    "client-not-proven": _UNPROVEN,
    "client-suspended": _CLIENT_PROXY + "unknown_member",
    "headers-too-large": _BAD_REQUEST,
    "soap-action-mismatch": _BAD_REQUEST,
    "insufficient-scope": _UNPROVEN,
    "internal-error": _INTERNAL,
    "invalid-client-identifier": _CLIENT_PROXY + "invalid_client_identifier",
    "invalid-security-server": _CLIENT_PROXY + "invalid_security_server",
    "malformed-request": _BAD_REQUEST,
    "method-not-allowed": _DENIED,
    "missing-header": "client.missing_header",
    "no-agreement": _DENIED,
    "no-token": _UNPROVEN,
    "not-ready": _INTERNAL,
    "operation-not-in-agreement": _DENIED,
    "path-not-normal": _BAD_REQUEST,
    "platform-unavailable": _CLIENT_PROXY + "network_error",
    "provider-address-refused": _SERVER_PROXY + "service_missing_url",
    "provider-broken": _SERVER_PROXY + "service_failed",
    "provider-timeout": _SERVER_PROXY + "network_error",
    "provider-unreachable": _SERVER_PROXY + "network_error",
    "purpose-not-in-agreement": _DENIED,
    "request-timeout": "client.network_error",
    "request-too-large": _BAD_REQUEST,
    "service-of-soap": _SERVER_PROXY + "service_type",
    "service-retired": _DISABLED,
    "token-refused": _UNPROVEN,
    "unknown-member": _CLIENT_PROXY + "unknown_member",
    "unknown-operation": _DENIED,
    "unknown-path": _BAD_REQUEST,
    "unknown-service": _SERVER_PROXY + "unknown_service",
    "websocket-not-supported": _BAD_REQUEST,
}
"""By the codes of problems."""
_SERVER: Final = "server."
_FORBIDDEN: Final = 403
_TOO_MANY: Final = 429
_FAILED: Final = 500
_BAD: Final = 400
_ERROR: Final = field_prefix(b"x-road-error")
_REQUEST_ID: Final = field_prefix(b"x-road-request-id")
_XML_TYPES: Final = {b"text/xml": b"text/xml", b"application/xml": b"application/xml", b"text/*": b"text/xml"}
_JSON: Final = b"application/json"
_MOST: Final = 1000
_NAMES: Final = (("LGSP-Case-Id", "X-Road-Issue"), ("LGSP-User", "X-Road-UserId"))


def fault_type(call: Call, problem: ProblemError) -> str:
    """X-Road's error type for a problem of a call."""
    if problem.code == "unknown-service" and isinstance(call.route, ServiceRoute):
        return _DISABLED
    kind = TYPES.get(problem.code)
    if kind is not None:
        return kind
    if problem.status >= _FAILED:
        return _SERVER_PROXY + "service_failed" if problem.code.startswith("provider-") else _INTERNAL
    return _DENIED if problem.status in (_FORBIDDEN, _TOO_MANY) else _BAD_REQUEST


def fault_response(
    call: Call, problem: ProblemError, dialect: Dialect, accept: Sequence[bytes]
) -> WholeResponse:
    """The answer that says why a call through a door was not fulfilled; `accept` has its Accept fields."""
    kind = fault_type(call, problem)
    status = _FAILED if kind.startswith(_SERVER) else _BAD
    message = _message(problem)
    if dialect is not XROAD:
        status = _FAILED if problem.status >= _FAILED else _BAD
        content, body = GOVSTACK_JSON, msgspec.json.encode(message)
    else:
        content, body = _document(kind, message, call.tx, accept)
        content += b";charset=utf-8"
    fields = written(
        [
            (b"content-type", content),
            (b"content-length", b"%d" % len(body)),
            (b"lgsp-error", problem.code.encode()),
        ]
    )
    if dialect is XROAD:
        fields += (_ERROR, kind.encode(), _REQUEST_ID, call.tx.encode())
    if "Retry-After" in problem.headers:
        fields += (field_prefix(b"retry-after"), problem.headers["Retry-After"].encode())
    fields += call_headers(call)
    if call.passage is not None:
        fields += call.passage.fields
    return WholeResponse(status, fields, b"" if call.method == "HEAD" else body, problem.code)


def _message(problem: ProblemError) -> str:
    """The problem in both languages, with what its caller can do; one line, as X-Road's messages are."""
    detail = problem.detail
    vi, en = f"{detail.vi} {problem.advice.vi}", f"{detail.en} {problem.advice.en}"
    for ours, theirs in _NAMES:
        vi, en = vi.replace(ours, theirs), en.replace(ours, theirs)
    return f"{shown(vi, _MOST)} | {shown(en, _MOST)}"


def _document(kind: str, message: str, detail: str, accept: Sequence[bytes]) -> tuple[bytes, bytes]:
    for ranges in accept:
        for one in ranges.split(b","):
            wanted = _XML_TYPES.get(one.split(b";", 1)[0].strip().lower())
            if wanted is not None:
                parts = {"type": kind, "message": message, "detail": detail}
                inner = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in parts.items())
                return wanted, f'<?xml version="1.0" encoding="UTF-8"?><error>{inner}</error>'.encode()
    return _JSON, msgspec.json.encode({"type": kind, "message": message, "detail": detail})
