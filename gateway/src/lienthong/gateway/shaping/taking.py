"""Takes bodies in that have to be here as a whole before they go on: up to a size, the others pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lienthong.gateway.body import RequestBody
from lienthong.gateway.http1.errors import CallerGoneError
from lienthong.gateway.response import WholeResponse
from lienthong.gateway.shaping.fields import CONTENT_LENGTH
from lienthong.kit.body_room import MIB, BodyRoom

if TYPE_CHECKING:
    from lienthong.gateway.call import Call
    from lienthong.gateway.http1.incoming import Incoming
    from lienthong.gateway.request_headers import RequestHeaders
    from lienthong.gateway.response import GatewayResponse
    from lienthong.gateway.settings import GatewaySettings
    from lienthong.gateway.table import ServiceRoute

_ALL_BYTES: Final = 64 * MIB
_CALLERS_BYTES: Final = 16 * MIB
"""Of requests that are taken in at a time, in this process."""


class RequestTaking:
    """Takes in the bodies of requests of up to `limit` bytes; they are forwarded as they came."""

    def __init__(self, settings: GatewaySettings) -> None:
        self.limit = settings.gateway_read_request_bytes
        self._max_request_bytes = settings.gateway_max_request_bytes
        self._timeout_s = settings.gateway_caller_timeout_s
        self._bytes_per_s = settings.gateway_caller_bytes_per_s
        self._room = BodyRoom(all_bytes=_ALL_BYTES, callers_bytes=_CALLERS_BYTES)

    async def take(
        self, call: Call, route: ServiceRoute, headers: RequestHeaders, incoming: Incoming
    ) -> bytes | None:
        """The body; None where it is larger than the limit.

        Raises:
            ProblemError: malformed-request, request-timeout, request-too-large; rate-limited and busy, where
                the caller or all have too many bodies under way.
            CallerGoneError: the caller went away meanwhile.
        """
        length = None if headers.chunked else headers.content_length
        if length == 0:
            return b""
        if length is not None and length > self.limit:
            return None
        call.body = body = RequestBody(
            incoming,
            length,
            route.max_request_bytes or self._max_request_bytes,
            route.id,
            timeout_s=self._timeout_s,
            bytes_per_s=self._bytes_per_s,
        )
        caller, size = call.client or "", self.limit if length is None else length
        self._room.take(caller, size)
        try:
            parts: list[bytes] = []
            with incoming:
                async for part in body.chunks():
                    parts.append(part)
                    if body.size > self.limit:
                        break
            if incoming.gone:
                raise CallerGoneError
        finally:
            self._room.give_back(caller, size)
        taken = b"".join(parts)
        incoming.give_back(taken, None)
        return taken if body.size <= self.limit else None


async def take_answer(response: GatewayResponse, incoming: Incoming, limit: int) -> GatewayResponse:
    """An answer as a whole; one of more than `limit` bytes streams as before, from what has come of it on.

    Raises:
        ProblemError: provider-broken, provider-timeout.
        CallerGoneError: the caller went away meanwhile.
    """
    if isinstance(response, WholeResponse):
        return response
    parts = [response.beginning]
    size = len(response.beginning)
    complete = False
    with incoming:
        while size <= limit:
            try:
                part = await anext(response.rest)
            except StopAsyncIteration:
                complete = True
                break
            parts.append(part)
            size += len(part)
    if incoming.gone:
        raise CallerGoneError
    body = b"".join(parts)
    if not complete:
        response.beginning = body
        return response
    response.close()
    fields = response.fields
    if not response.declared:
        fields = [*fields, CONTENT_LENGTH, b"%d" % size]
    return WholeResponse(response.status, fields, body, dated=response.dated)
