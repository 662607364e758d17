"""Stage 6, forward: the exchange with the provider, streaming in both directions."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from lienthong.gateway import problems
from lienthong.gateway.body import EMPTY_DIGEST, NO_BODY, RequestBody
from lienthong.gateway.call_headers import call_headers, client_header
from lienthong.gateway.http1.bulkhead import BulkheadFullError, Bulkheads
from lienthong.gateway.http1.errors import CallerGoneError, ProviderError
from lienthong.gateway.http1.fields import field_prefix
from lienthong.gateway.http1.request import provider_request
from lienthong.gateway.locations import public_locations
from lienthong.gateway.platform_routes import PlatformRoute
from lienthong.gateway.response import GatewayResponse, StreamedResponse, WholeResponse
from lienthong.gateway.response_headers import is_endless, passed_headers, without_cors
from lienthong.gateway.send import Sender, Sending, failure_of
from lienthong.gateway.targets import PlatformTarget, ServiceTarget
from lienthong.gateway.via import Via
from lienthong.kit.shown import CERTIFICATE_HEADER, KEY_HEADER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from lienthong.gateway.assertions import Assertions
    from lienthong.gateway.call import Call
    from lienthong.gateway.credentials.access import ProviderAccess
    from lienthong.gateway.http1.bulkhead import Place
    from lienthong.gateway.http1.checks import HealthChecks
    from lienthong.gateway.http1.connection import Connection
    from lienthong.gateway.http1.incoming import Incoming
    from lienthong.gateway.http1.pool import Pool
    from lienthong.gateway.request_headers import RequestHeaders
    from lienthong.gateway.settings import GatewaySettings
    from lienthong.gateway.table import ServiceRoute
    from lienthong.gateway.targets import ForwardTarget
    from lienthong.kit.clock import Clock
    from lienthong.kit.shown import Shown

WHOLE_REQUEST_BYTES = 64 * 1024
"""Request bodies declared up to this size are read before they are forwarded; others are streamed."""
_NO_CONTENT, _NOT_MODIFIED, _UNAUTHORIZED = 204, 304, 401
_WITHOUT_BODY = (_NO_CONTENT, _NOT_MODIFIED)
_CONTENT_LENGTH = field_prefix(b"content-length")
_CERTIFICATE = field_prefix(CERTIFICATE_HEADER.lower().encode())
_KEY = field_prefix(KEY_HEADER.lower().encode())
_DPOP = field_prefix(b"dpop")
_PREFIX = field_prefix(b"x-forwarded-prefix")
"""Tells a provider the path under which callers call it: frameworks put it before the paths they write."""


class Forwarder:
    """Forwards calls to providers and to the platform's own services."""

    def __init__(
        self,
        pool: Pool,
        platform_pool: Pool,
        assertions: Assertions,
        access: ProviderAccess,
        shown: Shown,
        checks: HealthChecks,
        clock: Clock,
        settings: GatewaySettings,
    ) -> None:
        self._pool = pool
        self._platform_pool = platform_pool
        self._assertions = assertions
        self._access = access
        self._shown = shown
        self._via = Via(settings.instance)
        self._time = asyncio.get_running_loop().time
        self._now = clock.now
        self._whole_answer_bytes = settings.gateway_whole_answer_bytes
        self._max_request_bytes = settings.gateway_max_request_bytes
        self._caller_timeout_s = settings.gateway_caller_timeout_s
        self._caller_bytes_per_s = settings.gateway_caller_bytes_per_s
        self._sender = Sender(clock, checks, longest_s=settings.gateway_longest_call_s)
        self.bulkheads = Bulkheads()
        """How many exchanges are under way with the services that bound them."""

    async def forward(
        self, call: Call, target: ForwardTarget, headers: RequestHeaders, incoming: Incoming
    ) -> GatewayResponse:
        """Forward the request and take the response; one that streams has to be closed.

        Raises:
            ProblemError: malformed-request, digest-mismatch, request-timeout, request-too-large,
                platform-unavailable, provider-busy, provider-credentials-missing,
                provider-token-unavailable, circuit-open, provider-unreachable, provider-address-refused,
                provider-broken, provider-timeout.
            CallerGoneError: the caller went away meanwhile.
        """
        route = target.route
        from_platform = isinstance(target, PlatformTarget)
        service = None if from_platform else route.id
        limit = route.max_request_bytes or self._max_request_bytes
        length = None if headers.chunked else headers.content_length
        if length is not None and length > limit:
            raise problems.request_too_large(limit, service)
        with incoming:
            whole, streamed = b"", None
            stated = headers.stated_digests() if headers.has_digests else None
            if length == 0:
                call.body = NO_BODY
                if stated is not None:
                    stated.check(EMPTY_DIGEST)
            else:
                call.body = body = RequestBody(
                    incoming,
                    length,
                    limit,
                    service,
                    timeout_s=self._caller_timeout_s,
                    bytes_per_s=self._caller_bytes_per_s,
                    also=call.passage.body_digest if call.passage is not None else None,
                    stated=stated,
                )
                if length is not None and length <= WHOLE_REQUEST_BYTES:
                    whole = await body.whole()
                else:
                    streamed = body
            via = self._via.fields(before_1_1=incoming.before_1_1)
            place = await self._place(target)
            try:
                response = await self._exchange(call, target, headers, via, length, whole, streamed)
            except BaseException:
                if place is not None:
                    place.leave()
                raise
            if place is not None:
                response.hold(place)
        if incoming.gone:
            response.close()
            raise CallerGoneError
        return response

    async def _place(self, target: ForwardTarget) -> Place | None:
        """Take a place among the exchanges with a service that bounds them.

        Raises:
            ProblemError: provider-busy.
        """
        route = target.route
        if isinstance(route, PlatformRoute) or route.bulkhead is None:
            return None
        try:
            return await self.bulkheads.enter(route.id, route.bulkhead)
        except BulkheadFullError:
            raise problems.provider_busy(route.id, route.bulkhead.calls) from None

    async def _exchange(
        self,
        call: Call,
        target: ForwardTarget,
        headers: RequestHeaders,
        via: list[bytes],
        length: int | None,
        whole: bytes,
        streamed: RequestBody | None,
    ) -> GatewayResponse:
        """Send the request, and take the response."""
        route = target.route
        from_platform = isinstance(target, PlatformTarget)
        forwarded = self._now()
        if call.trace is None:
            call.trace = headers.traceparent or new_traceparent(call.tx)
        own = call_headers(call)
        below = target.path + call.query
        told, prefix, once = own + via, None, False
        asks: ServiceRoute | None = None
        if isinstance(target, ServiceTarget):
            service_route = target.route
            prefix = service_route.prefix if call.passage is None else call.passage.prefix
            if service_route.access is not None:
                asks = service_route
            told += (_PREFIX, prefix)
            if service_route.assertion:
                once = True
                told += self._assertions.fields(
                    call, service_route, below, forwarded, body_known=streamed is None
                )
        else:
            told += self._shown_fields(call, headers, authenticates=target.route.authenticates)
        if asks is not None:
            connection = await self._send_shown(
                call, asks, below, headers.passed, told, length, whole, streamed, forwarded
            )
        else:
            request = provider_request(
                call.method,
                below,
                headers.passed,
                told,
                authorization=headers.authorization if from_platform else None,
                length=length,
                body=whole,
            )
            pool = self._platform_pool if from_platform else self._pool
            connection = await self._sender.send(
                call, Sending(pool, request, streamed, route.upstreams, route.limits, forwarded, once=once)
            )
        return await self._response(call, connection, own, prefix)

    def _shown_fields(self, call: Call, headers: RequestHeaders, *, authenticates: bool) -> list[bytes]:
        """What a service of the platform is told of what the caller showed; one that takes no access tokens
        gets the caller's own proof."""
        fields: list[bytes] = []
        if call.certificate is not None:
            fields += (_CERTIFICATE, self._shown.certificates.written(call.certificate.sha256, call.tx))
        key = call.proved_key
        if key is not None:
            fields += (_KEY, self._shown.keys.written(key, call.tx))
        if not authenticates and headers.proof is not None:
            fields += (_DPOP, headers.proof)
        return fields

    async def _send_shown(
        self,
        call: Call,
        route: ServiceRoute,
        below: bytes,
        passed: list[bytes],
        told: list[bytes],
        length: int | None,
        whole: bytes,
        streamed: RequestBody | None,
        forwarded: datetime,
    ) -> Connection:
        """Send a request with what the provider wants to be shown; once more if its token was refused.

        A body that was sent on while it came is gone by then: the next call shows the next token.
        """
        deadline = self._time() + route.limits.first_byte_s
        context = call.context
        if route.access is None:
            raise RuntimeError("nothing is to be shown")
        shown = await self._access.show(
            route.access, deadline, tx=call.tx, user=context.user, case=context.case
        )
        target, passed = shown.target(below), shown.without_others(passed)
        while True:
            request = provider_request(
                call.method,
                target,
                passed,
                [*told, *shown.fields],
                authorization=None,
                length=length,
                body=whole,
            )
            connection = await self._sender.send(
                call,
                Sending(
                    shown.pool,
                    request,
                    streamed,
                    route.upstreams,
                    route.limits,
                    forwarded,
                    once=route.assertion,
                ),
            )
            if connection.status != _UNAUTHORIZED:
                return connection
            try:
                renewed = await self._access.renewed(shown, deadline)
            except BaseException:
                connection.end()
                raise
            if not renewed or streamed is not None:
                return connection
            connection.end()
            if route.assertion:
                # The first one may have been used.
                told[-2:] = self._assertions.fields(
                    call, route, below, self._now(), body_known=True, attempt=2
                )

    async def _response(
        self, call: Call, connection: Connection, own: list[bytes], prefix: bytes | None
    ) -> GatewayResponse:
        """Read the response's body, up to the size from which it is streamed.

        `prefix` is the path under which callers call the service; None: the platform's own.
        """
        status = connection.status
        try:
            passed = passed_headers(connection.fields, from_platform=prefix is None)
            fields, length, client = passed.fields, passed.length, passed.client
            if passed.located and prefix is not None and call.exchange is not None:
                fields = public_locations(fields, call.exchange.address, prefix)
            if call.for_page is not None:
                fields = without_cors(fields)
                fields += call.for_page
            fields += own
            if client is not None and call.client is None:
                # Identity knows who asks for a token; at the gateway nobody has said so.
                call.client = client
                fields += client_header(client)
            if (
                length is None
                and call.method != "HEAD"
                and status not in _WITHOUT_BODY
                and is_endless(connection.fields)
            ):
                rest = _Rest(call, connection)
                return StreamedResponse(
                    status,
                    fields,
                    b"",
                    rest,
                    connection.end,
                    dated=passed.dated,
                    declared=False,
                    endless=True,
                )
            chunks: list[bytes] = []
            size = 0
            while (chunk := await connection.chunk()) is not None:
                chunks.append(chunk)
                size += len(chunk)
                if size > self._whole_answer_bytes:
                    return StreamedResponse(
                        status,
                        fields,
                        b"".join(chunks),
                        _Rest(call, connection),
                        connection.end,
                        dated=passed.dated,
                        declared=_add_length(fields, status, length),
                    )
        except BaseException as error:
            connection.end()
            if isinstance(error, ProviderError):
                raise failure_of(error, call, "") from None
            raise
        connection.end()
        if call.method != "HEAD" and status not in _WITHOUT_BODY:
            length = size
        _add_length(fields, status, length)
        body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        return WholeResponse(status, fields, body, dated=passed.dated)


def _add_length(fields: list[bytes], status: int, length: int | None) -> bool:
    """Say how long the body is, if there is one and that is known; returns whether it was said."""
    # A 304 may leave it out (RFC 9110 section 15.4.5).
    if length is None or status in _WITHOUT_BODY:
        return False
    fields += (_CONTENT_LENGTH, b"%d" % length)
    return True


class _Rest:
    """The part of a response that is still to be received."""

    __slots__ = ("_call", "_connection")

    def __init__(self, call: Call, connection: Connection) -> None:
        self._call = call
        self._connection = connection

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        """The next part.

        Raises:
            ProblemError: provider-broken, provider-timeout, request-timeout.
        """
        try:
            chunk = await self._connection.chunk()
        except ProviderError as error:
            raise failure_of(error, self._call, "") from None
        if chunk is None:
            raise StopAsyncIteration
        return chunk


def new_traceparent(tx: str) -> str:
    """A W3C traceparent, not sampled, whose trace is the transaction (no half of a UUID is ever zero)."""
    trace = tx.replace("-", "")
    return f"00-{trace}-{trace[16:]}-00"
