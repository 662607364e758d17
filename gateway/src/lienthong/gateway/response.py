"""Responses to callers: whole ones, ones that stream from a provider, and problems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from lienthong.gateway import problems
from lienthong.gateway.call_headers import call_headers
from lienthong.gateway.http1.fields import field_prefix, written
from lienthong.gateway.soap.fault import fault, fault_status
from lienthong.kit.problems import PROBLEM_JSON

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from lienthong.gateway.call import Call
    from lienthong.gateway.http1.bulkhead import Place
    from lienthong.gateway.platform_routes import DocumentRoute
    from lienthong.kit.problems import ProblemError


_READING = ("GET", "HEAD")
_ALLOW: Final = field_prefix(b"allow")
_NO_CONTENT: Final = 204
_ANY_ID: Final = "00000000-0000-7000-8000-000000000000"
_LENGTH_AT: Final = 3
"""Where among the written fields of a problem the length of its document stands."""


class WholeResponse:
    """A response whose body is here."""

    __slots__ = ("body", "dated", "error", "fields", "sha256", "status")

    def __init__(
        self,
        status: int,
        fields: list[bytes],
        body: bytes,
        error: str | None = None,
        *,
        dated: bool = False,
    ) -> None:
        self.status = status
        self.fields = fields
        """As they are written."""
        self.body = body
        self.sha256: str | None = None
        """Of the body, in hex; None: nobody has formed it yet."""
        self.error = error
        """The code of the problem, when the gateway or the caller failed."""
        self.dated = dated
        """Whether there is a Date among the fields."""

    def hold(self, place: Place) -> None:
        """The exchange is over: its place among those with the service is free."""
        place.leave()

    def close(self) -> None:
        """Nothing is held."""


class StreamedResponse:
    """A response whose body is still being received from the provider."""

    __slots__ = ("_end", "beginning", "dated", "declared", "endless", "fields", "rest", "status")

    def __init__(
        self,
        status: int,
        fields: list[bytes],
        beginning: bytes,
        rest: AsyncIterator[bytes],
        end: Callable[[], None],
        *,
        dated: bool,
        declared: bool,
        endless: bool = False,
    ) -> None:
        self.status = status
        self.fields = fields
        """As they are written."""
        self.beginning = beginning
        """The part of the body that is here."""
        self.rest = rest
        self.dated = dated
        """Whether there is a Date among the fields."""
        self.declared = declared
        """Whether the length of the body is among them."""
        self.endless = endless
        """Whether it passes as it comes, and nobody knows when it ends."""
        self._end = end

    def hold(self, place: Place) -> None:
        """Keep a place among the exchanges with the service until this one is over."""
        self._end = place.leaving_after(self._end)

    def close(self) -> None:
        """Give the connection to the provider back."""
        self._end()


GatewayResponse: TypeAlias = WholeResponse | StreamedResponse


def problem_response(call: Call, problem: ProblemError) -> WholeResponse:
    """The response that says why the gateway did not fulfil a call (RFC 9457), to a SOAP call as a fault."""
    version = call.soap
    if version is not None:
        body = fault(version, problem.document(call.tx))
        content_type = f"{version.media_type}; charset=utf-8".encode()
        fields = _with_those_of_call(_own_fields(problem, len(body), content_type), call)
        return WholeResponse(fault_status(version, problem.status), fields, body, problem.code)
    body = msgspec.json.encode(problem.document(call.tx))
    fields = _with_those_of_call(_own_fields(problem, len(body)), call)
    return WholeResponse(problem.status, fields, b"" if call.method == "HEAD" else body, problem.code)


class ReadyProblem:
    """A problem that says nothing of a call but its transaction id: the rest of it is formed once.

    Its responses are those of `problem_response`, to the byte.
    """

    __slots__ = ("_after", "_before", "_code", "_fields", "_status")

    def __init__(self, problem: ProblemError) -> None:
        document = msgspec.json.encode(problem.document(_ANY_ID))
        self._before, self._after = document.split(_ANY_ID.encode())
        self._fields = _own_fields(problem, len(document))
        self._status = problem.status
        self._code = problem.code

    def response(self, call: Call) -> WholeResponse:
        """The response to a call."""
        body = b"".join((self._before, call.tx.encode(), self._after))
        fields = _with_those_of_call(self._fields, call)
        fields[_LENGTH_AT] = b"%d" % len(body)
        return WholeResponse(self._status, fields, b"" if call.method == "HEAD" else body, self._code)


def _own_fields(
    problem: ProblemError, length: int, content_type: bytes = PROBLEM_JSON.encode()
) -> list[bytes]:
    """The fields that tell of a problem and its document, as they are written."""
    return written(
        [
            (b"content-type", content_type),
            (b"content-length", b"%d" % length),
            (b"lgsp-error", problem.code.encode()),
            *((name.lower().encode(), value.encode()) for name, value in problem.headers.items()),
        ]
    )


def _with_those_of_call(fields: list[bytes], call: Call) -> list[bytes]:
    found = fields + call_headers(call)
    return found if call.for_page is None else found + call.for_page


def methods_response(call: Call, methods: Iterable[str]) -> WholeResponse:
    """The response to OPTIONS: the methods that the path allows (RFC 9110 section 9.3.7)."""
    allow = [_ALLOW, ", ".join(methods).encode()]
    return WholeResponse(_NO_CONTENT, _with_those_of_call(allow, call), b"")


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
