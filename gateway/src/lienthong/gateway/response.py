"""Responses to callers: whole ones, ones that stream from a provider, and problems."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from lienthong.gateway import problems
from lienthong.gateway.call_headers import call_headers
from lienthong.gateway.http1.fields import written
from lienthong.kit.problems import PROBLEM_JSON

if TYPE_CHECKING:
    from lienthong.gateway.call import Call
    from lienthong.gateway.platform_routes import DocumentRoute
    from lienthong.kit.problems import ProblemError


_READING = ("GET", "HEAD")


class WholeResponse(msgspec.Struct, frozen=True, gc=False):
    """A response whose body is here."""

    status: int
    fields: list[bytes]
    """As they are written."""
    body: bytes
    error: str | None = None
    """The code of the problem, when the gateway or the caller failed."""
    dated: bool = False
    """Whether there is a Date among the fields."""

    def close(self) -> None:
        """Nothing is held."""


class StreamedResponse(msgspec.Struct, frozen=True):
    """A response whose body is still being received from the provider."""

    status: int
    fields: list[bytes]
    """As they are written."""
    dated: bool
    """Whether there is a Date among the fields."""
    declared: bool
    """Whether the length of the body is among them."""
    beginning: bytes
    """The part of the body that is here."""
    rest: AsyncIterator[bytes]
    close: Callable[[], None]
    """Gives the connection to the provider back."""


GatewayResponse: TypeAlias = WholeResponse | StreamedResponse


def problem_response(call: Call, problem: ProblemError) -> WholeResponse:
    """The response that says why the gateway did not fulfil a call (RFC 9457)."""
    body = msgspec.json.encode(problem.document(call.tx))
    own = [
        (b"content-type", PROBLEM_JSON.encode()),
        (b"content-length", b"%d" % len(body)),
        (b"lgsp-error", problem.code.encode()),
        *((name.lower().encode(), value.encode()) for name, value in problem.headers.items()),
    ]
    fields = written(own) + call_headers(call)
    return WholeResponse(problem.status, fields, b"" if call.method == "HEAD" else body, problem.code)


def document_response(call: Call, route: DocumentRoute) -> WholeResponse:
    """The response that carries a document of the gateway's own.

    Raises:
        ProblemError: method-not-allowed.
    """
    if call.method not in _READING:
        raise problems.method_not_allowed(_READING)
    content = route.content()
    own = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(content)),
        (b"cache-control", b"public, max-age=%d" % route.max_age_s if route.max_age_s else b"no-store"),
    ]
    fields = written(own) + call_headers(call)
    return WholeResponse(200, fields, b"" if call.method == "HEAD" else content)
