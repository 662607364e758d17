"""Stage 4, forward: to the provider and back, as a stream both ways."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from lienthong.gateway import problems
from lienthong.gateway.answer import Answer, own_headers, passed_headers
from lienthong.gateway.body import RequestBody
from lienthong.gateway.call import EMPTY_SHA256
from lienthong.gateway.headers import line
from lienthong.gateway.http1.errors import ProviderError, ProviderTimeoutError, ProviderUnreachableError
from lienthong.kit.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from lienthong.gateway.call import Call
    from lienthong.gateway.headers import Inbound
    from lienthong.gateway.http1.connection import Connection
    from lienthong.gateway.http1.pool import Pool
    from lienthong.gateway.settings import GatewaySettings
    from lienthong.gateway.upstreams import Address
    from lienthong.gateway.watch import CallerWatch, Receive
    from lienthong.kit.clock import Clock

WHOLE_REQUEST_BYTES = 64 * 1024
"""Declared request bodies up to this size are read before they are forwarded; larger ones are streamed."""
WHOLE_REQUEST_S = 30
_NO_CONTENT, _NOT_MODIFIED = 204, 304
_WITHOUT_BODY = (_NO_CONTENT, _NOT_MODIFIED)
_EXPECTING_A_BODY = frozenset(("PATCH", "POST", "PUT"))

_LENGTH, _CHUNKED = line(b"content-length"), line(b"transfer-encoding") + b"chunked"
_AUTHORIZATION = line(b"authorization")

_log = structlog.get_logger(__name__)


class Forwarder:
    """Carries calls to providers and to the platform's rooms."""

    def __init__(self, pool: Pool, clock: Clock, settings: GatewaySettings) -> None:
        self._pool = pool
        self._clock = clock
        self._whole_answer_bytes = settings.gateway_whole_answer_bytes
        self._room_timeout_s = settings.gateway_room_timeout_s
        self._max_request_bytes = settings.gateway_max_request_bytes

    async def forward(self, call: Call, receive: Receive, watch: CallerWatch) -> Answer:
        """Forward the call; the answer is whole, or its rest is still to be read and it has to be closed.

        Raises:
            ProblemError: malformed-request, request-too-large, provider-unreachable, provider-broken,
                provider-timeout.
            CallerGoneError: the caller went away meanwhile.
        """
        inbound = call.inbound
        if inbound is None:
            raise RuntimeError("forward comes after the headers were read")
        if call.service is not None:
            upstreams, timeout_s = call.service.upstreams, call.service.timeout_s
            limit = call.service.max_request_bytes or self._max_request_bytes
        elif call.room is not None:
            upstreams, timeout_s, limit = call.room.upstreams, self._room_timeout_s, self._max_request_bytes
        else:
            raise RuntimeError("forward comes after match")
        length = None if inbound.chunked else inbound.content_length
        if length is not None and length > limit:
            raise problems.request_too_large(limit)
        call.body = body = RequestBody(receive, length, limit, watch.start) if length != 0 else None
        with watch:
            try:
                whole = None
                if body is None:
                    watch.start()
                elif length is not None and length <= WHOLE_REQUEST_BYTES:
                    whole = await _whole(body)
                call.forwarded = self._clock.now()
                call.trace = call.trace or inbound.traceparent or new_traceparent(call.tx)
                own = own_headers(call)
                rest = _rest_of_head(call, inbound, own, length) + (whole or b"")
                streamed = body if whole is None else None
                connection = await self._send(call, upstreams.in_order(), rest, streamed, timeout_s)
                return await self._answer(call, connection, own)
            except ProblemError as problem:
                if problem.code == "provider-unreachable":
                    call.forwarded = None
                raise
            finally:
                if body is None:
                    call.request_bytes, call.request_sha256 = 0, EMPTY_SHA256

    async def _send(
        self,
        call: Call,
        addresses: Sequence[Address],
        rest: bytes,
        body: RequestBody | None,
        timeout_s: float,
    ) -> Connection:
        """Send the request to the first address that takes a connection, and wait for the answer's head."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        target = b"%b?%b" % (call.rest, call.query) if call.query else call.rest
        for address in addresses:
            connection = self._pool.idle(address.origin)
            if connection is None:
                try:
                    connection = await self._pool.connect(address.origin, deadline)
                except ProviderUnreachableError as error:
                    _failure(error, call, address.text)
                    continue
            try:
                connection.begin(
                    b"%b %b%b HTTP/1.1\r\nhost: %b%b"
                    % (call.method.encode(), address.path, target, address.authority, rest),
                    bodiless=call.method == "HEAD",
                    deadline=deadline,
                )
                if body is not None:
                    connection.upload(body.chunks(), chunked=body.length is None)
                await connection.head()
            except BaseException as error:
                connection.end()
                if isinstance(error, ProviderError):
                    raise _failure(error, call, address.text) from None
                raise
            return connection
        raise problems.provider_unreachable()

    async def _answer(self, call: Call, connection: Connection, own: list[tuple[bytes, bytes]]) -> Answer:
        call.upstream_status = status = connection.status
        try:
            passed = passed_headers(connection.fields, from_room=call.room is not None)
            answer = Answer(status, [*passed.fields, *own], close=connection.end)
            chunks: list[bytes] = []
            size = 0
            while (chunk := await connection.chunk()) is not None:
                chunks.append(chunk)
                size += len(chunk)
                if size > self._whole_answer_bytes:
                    answer.more = _rest(call, connection)
                    break
        except BaseException as error:
            connection.end()
            if isinstance(error, ProviderError):
                raise _failure(error, call, "") from None
            raise
        answer.body = b"".join(chunks) if len(chunks) != 1 else chunks[0]
        length = passed.length
        if answer.more is None:
            connection.end()
            answer.close = None
            if call.method != "HEAD" and status not in _WITHOUT_BODY:
                length = size
        if length is not None and status != _NO_CONTENT:
            answer.headers.append((b"content-length", b"%d" % length))
        return answer


async def _whole(body: RequestBody) -> bytes:
    """All of a small body; whoever sends it too slowly is not waited for."""
    try:
        async with asyncio.timeout(WHOLE_REQUEST_S):
            return b"".join([chunk async for chunk in body.chunks()])
    except TimeoutError:
        raise problems.malformed_request(
            f"The body did not arrive within {WHOLE_REQUEST_S} seconds.",
            f"Nội dung yêu cầu không đến đủ trong {WHOLE_REQUEST_S} giây.",
        ) from None


async def _rest(call: Call, connection: Connection) -> AsyncIterator[bytes]:
    """What is still to come of an answer.

    Raises:
        ProblemError: provider-broken, provider-timeout.
    """
    try:
        while (chunk := await connection.chunk()) is not None:
            yield chunk
    except ProviderError as error:
        raise _failure(error, call, "") from None


def _rest_of_head(call: Call, inbound: Inbound, own: list[tuple[bytes, bytes]], length: int | None) -> bytes:
    """The request's head after the Host field, which differs from address to address."""
    spoken = b"".join([b"\r\n%b: %b" % field for field in own])
    # The catalog lets no line break in. One that came all the same would speak in the gateway's name.
    if spoken.count(b"\n") != len(own) or spoken.count(b"\r") != len(own):
        raise RuntimeError("a line break in a header value")
    lines = [*inbound.lines, spoken]
    if call.room is not None and inbound.authorization is not None:
        lines += (_AUTHORIZATION, inbound.authorization)
    if length is None:
        lines.append(_CHUNKED)
    elif length or call.method in _EXPECTING_A_BODY:
        lines += (_LENGTH, b"%d" % length)
    lines.append(b"\r\n\r\n")
    return b"".join(lines)


def new_traceparent(tx: str) -> str:
    """A W3C traceparent, not sampled, whose trace is the transaction (no half of a UUID is ever zero)."""
    trace = tx.replace("-", "")
    return f"00-{trace}-{trace[16:]}-00"


def _failure(error: ProviderError, call: Call, address: str) -> ProblemError:
    """What went wrong at the provider, in the log and as a problem."""
    _log.warning("provider failed", tx=call.tx, service=call.service_name, address=address, cause=str(error))
    if isinstance(error, ProviderUnreachableError):
        return problems.provider_unreachable()
    return (
        problems.provider_timeout() if isinstance(error, ProviderTimeoutError) else problems.provider_broken()
    )
