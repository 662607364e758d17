"""Stage 4, forward: to the provider and back, as a stream both ways."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from pyreqwest.client import ClientBuilder
from pyreqwest.exceptions import DetailedPyreqwestError, RequestTimeoutError

from lienthong.gateway import problems
from lienthong.gateway.answer import Answer, own_headers, passed_headers
from lienthong.gateway.body import RequestBody
from lienthong.gateway.call import EMPTY_SHA256
from lienthong.kit.problems import Problem

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from pyreqwest.client import Client
    from pyreqwest.request import StreamRequest
    from pyreqwest.response import Response

    from lienthong.gateway.call import Call
    from lienthong.gateway.headers import Inbound
    from lienthong.gateway.settings import GatewaySettings
    from lienthong.gateway.watch import CallerWatch, Receive
    from lienthong.kit.clock import Clock

WHOLE_REQUEST_BYTES = 64 * 1024
"""Declared request bodies up to this size are read before they are forwarded; larger ones are streamed."""
WHOLE_REQUEST_S = 30
_SWITCHING_PROTOCOLS = 101
_NO_CONTENT, _NOT_MODIFIED = 204, 304
_WITHOUT_BODY = (_NO_CONTENT, _NOT_MODIFIED)
_IDLE = timedelta(seconds=4)
"""Shorter than the keep-alive of common servers (uvicorn, Node.js: 5 s), so that they do not close first."""

_log = structlog.get_logger(__name__)


def provider_client(settings: GatewaySettings) -> Client:
    """The HTTP client for providers: it follows, decodes, retries and adds nothing."""
    return (
        ClientBuilder()
        .follow_redirects(False)
        .no_proxy()
        .referer(False)
        .gzip(False)
        .brotli(False)
        .zstd(False)
        .deflate(False)
        .http1_lower_case_headers()
        .user_agent("lienthong")
        .connect_timeout(timedelta(seconds=settings.gateway_connect_timeout_s))
        .pool_idle_timeout(_IDLE)
        .build()
    )


class Forwarder:
    """Carries calls to providers and to the platform's rooms."""

    def __init__(self, client: Client, clock: Clock, settings: GatewaySettings) -> None:
        self._client = client
        self._clock = clock
        self._whole_answer_bytes = settings.gateway_whole_answer_bytes
        self._room_timeout = timedelta(seconds=settings.gateway_room_timeout_s)
        self._max_request_bytes = settings.gateway_max_request_bytes

    async def forward(self, call: Call, receive: Receive, watch: CallerWatch) -> Answer:
        """Forward the call; the answer is whole, or its rest is still to be read and it has to be closed.

        Raises:
            Problem: malformed-request, request-too-large, provider-unreachable, provider-broken,
                provider-timeout.
            CallerGone: the caller went away meanwhile.
        """
        inbound = call.inbound
        if inbound is None:
            raise RuntimeError("forward comes after the headers were read")
        if call.service is not None:
            upstreams, timeout = call.service.upstreams, call.service.timeout
            limit = call.service.max_request_bytes or self._max_request_bytes
        elif call.room is not None:
            upstreams, timeout, limit = call.room.upstreams, self._room_timeout, self._max_request_bytes
        else:
            raise RuntimeError("forward comes after match")
        length = inbound.content_length
        if length > limit:
            raise problems.request_too_large(limit)
        body = RequestBody(receive, limit, watch.start) if length or inbound.chunked else None
        headers = _provider_headers(call, inbound)
        with watch:
            try:
                whole = None
                if body is None:
                    watch.start()
                elif length and length <= WHOLE_REQUEST_BYTES:
                    whole = await _whole(body)
                elif length:
                    headers.append(("content-length", str(length)))
                call.forwarded = self._clock.now()
                request, response = await self._send(
                    call, upstreams.in_order(), headers, timeout, whole if whole is not None else body
                )
                return await self._answer(call, request, response)
            except Problem as problem:
                if problem.code == "provider-unreachable":
                    call.forwarded = None
                raise
            finally:
                if body is not None:
                    call.request_bytes, call.request_sha256 = body.size, body.sha256
                else:
                    call.request_bytes, call.request_sha256 = 0, EMPTY_SHA256

    async def _send(
        self,
        call: Call,
        addresses: Sequence[str],
        headers: list[tuple[str, str]],
        deadline: timedelta,
        body: bytes | RequestBody | None,
    ) -> tuple[StreamRequest, Response]:
        target = call.rest.decode()
        if call.query:
            target = f"{target}?{call.query.decode()}"
        problem = problems.provider_unreachable()
        for address in addresses:
            builder = self._client.request(call.method, address + target).headers(headers).timeout(deadline)
            if isinstance(body, bytes):
                builder = builder.body_bytes(body)
            elif body is not None:
                builder = builder.body_stream(body.chunks())
            request = builder.build_streamed()
            try:
                return request, await request.__aenter__()
            except DetailedPyreqwestError as error:
                problem = _failure(error, call, address)
                untouched = not isinstance(body, RequestBody) or not body.started
                if problem.code != "provider-unreachable" or not untouched:
                    break
        raise problem

    async def _answer(self, call: Call, request: StreamRequest, response: Response) -> Answer:
        call.upstream_status = response.status
        if response.status == _SWITCHING_PROTOCOLS:
            await request.__aexit__(None, None, None)
            raise problems.provider_broken()
        try:
            passed = passed_headers(response.headers, from_room=call.room is not None)
            answer = Answer(
                response.status,
                [*passed.fields, *own_headers(call)],
                close=lambda: request.__aexit__(None, None, None),
            )
            chunks: list[bytes] = []
            size = 0
            reader = response.body_reader
            while (chunk := await reader.read_chunk()) is not None:
                chunks.append(chunk.to_bytes())
                size += len(chunk)
                if size > self._whole_answer_bytes:
                    answer.more = _rest(call, response)
                    break
        except BaseException as error:
            await request.__aexit__(None, None, None)
            if isinstance(error, DetailedPyreqwestError):
                raise _failure(error, call, "") from None
            raise
        answer.body = b"".join(chunks) if len(chunks) != 1 else chunks[0]
        length = passed.length
        if answer.more is None:
            await request.__aexit__(None, None, None)
            answer.close = None
            if call.method != "HEAD" and response.status not in _WITHOUT_BODY:
                length = len(answer.body)
        if length is not None and response.status != _NO_CONTENT:
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


async def _rest(call: Call, response: Response) -> AsyncIterator[bytes]:
    """What is still to come of an answer.

    Raises:
        Problem: provider-broken, provider-timeout.
    """
    try:
        while (chunk := await response.body_reader.read_chunk()) is not None:
            yield chunk.to_bytes()
    except DetailedPyreqwestError as error:
        raise _failure(error, call, "") from None


def _provider_headers(call: Call, inbound: Inbound) -> list[tuple[str, str]]:
    call.trace = call.trace or inbound.traceparent or new_traceparent(call.tx)
    headers = [*inbound.fields, ("lgsp-transaction-id", call.tx), ("traceparent", call.trace)]
    if call.client is not None:
        headers.append(("lgsp-client", call.client))
    if call.service is not None:
        headers.append(("lgsp-service", call.service.id))
    if call.agreement is not None:
        headers.append(("lgsp-agreement", call.agreement))
    if call.purpose is not None:
        headers.append(("lgsp-purpose", call.purpose))
    if call.case is not None:
        headers.append(("lgsp-case-id", call.case))
    if call.user is not None:
        headers.append(("lgsp-user", call.user))
    if call.room is not None and inbound.authorization is not None:
        headers.append(("authorization", inbound.authorization.decode("latin-1")))
    return headers


def new_traceparent(tx: str) -> str:
    """A W3C traceparent, not sampled, whose trace is the transaction (no half of a UUID is ever zero)."""
    trace = tx.replace("-", "")
    return f"00-{trace}-{trace[16:]}-00"


def _failure(error: DetailedPyreqwestError, call: Call, address: str) -> Problem:
    """What went wrong at the provider; told apart by the chain of causes, as the exception's type cannot."""
    causes = [cause["message"] for cause in error.details.get("causes") or ()]
    # The first cause may repeat the address with its path, which may hold personal data.
    _log.warning("provider failed", tx=call.tx, service=call.service_name, address=address, causes=causes[1:])
    if "client error (Connect)" in causes:
        return problems.provider_unreachable()
    if isinstance(error, RequestTimeoutError):
        return problems.provider_timeout()
    return problems.provider_broken()
