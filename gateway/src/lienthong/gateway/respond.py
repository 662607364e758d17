"""Stage 7, respond: the response leaves, but not all of it before its record is durable."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Any

import structlog

from lienthong.gateway import problems
from lienthong.gateway.body import EMPTY_SHA256
from lienthong.gateway.call import CALLER_STALLED, Abandoned, Answered
from lienthong.gateway.journal.writer import AuditUnavailableError
from lienthong.gateway.response import StreamedResponse, WholeResponse
from lienthong.gateway.watch import CallerGoneError
from lienthong.kit.problems import ProblemError, calls

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from lienthong.gateway.call import Call
    from lienthong.gateway.record import Recorder
    from lienthong.gateway.response import GatewayResponse
    from lienthong.gateway.watch import CallerWatch
    from lienthong.kit.clock import Clock

    Send = Callable[[dict[str, Any]], Awaitable[None]]

_LAST_LOOK_S = 0.002
_HELD_BYTES = 16 * 1024
"""How much of the newest part of a streamed body is kept back, as it may be the last one."""

_log = structlog.get_logger(__name__)


class Responder:
    """Ends calls: records how, and sends the response."""

    def __init__(self, recorder: Recorder, clock: Clock, caller_timeout_s: float) -> None:
        self._recorder = recorder
        self._clock = clock
        self._caller_timeout_s = caller_timeout_s

    def respond(
        self, call: Call, response: GatewayResponse, watch: CallerWatch, send: Send
    ) -> Awaitable[Answered]:
        """Record a call and send its response.

        Raises:
            AuditUnavailableError: the call cannot be recorded, and nothing was sent.
        """
        if isinstance(response, StreamedResponse):
            return self._stream(call, response, watch, send)
        return self._send_whole(call, response, send)

    async def abandon(self, call: Call) -> Abandoned:
        """Record a call whose caller went away before there was a response."""
        outcome = Abandoned(self._clock.now())
        try:
            await self._recorder.outcome(call, outcome)
        except AuditUnavailableError:
            _log.error("aborted call not recorded", tx=call.tx)
        return outcome

    async def refuse_unrecorded(self, call: Call, response: WholeResponse, send: Send) -> Answered:
        """Answer that the call cannot be recorded: the only response without a record; it is counted."""
        outcome = self._answered(response)
        self._recorder.count(call, outcome)
        await _send(response, send)
        return outcome

    def _answered(self, response: WholeResponse) -> Answered:
        body = response.body
        return Answered(
            response.status,
            self._clock.now(),
            len(body),
            hashlib.sha256(body).hexdigest() if body else EMPTY_SHA256,
            response.error,
        )

    async def _send_whole(self, call: Call, response: WholeResponse, send: Send) -> Answered:
        outcome = self._answered(response)
        await self._recorder.outcome(call, outcome)
        await _send(response, send)
        return outcome

    async def _stream(
        self, call: Call, response: StreamedResponse, watch: CallerWatch, send: Send
    ) -> Answered:
        """Send what comes, but keep the last part back until the record is durable."""
        reader = _Reader(send, self._caller_timeout_s)
        digest = hashlib.sha256(response.beginning)
        size = len(response.beginning)
        error: str | None = None
        broken_off = False
        part, held = _all_but_the_last(response.beginning)
        watch.begin()
        try:
            with watch:
                await send(
                    {"type": "http.response.start", "status": response.status, "headers": response.headers}
                )
                await reader.take(part)
                async for chunk in response.rest:
                    if watch.gone:
                        break
                    digest.update(chunk)
                    size += len(chunk)
                    part, last = _all_but_the_last(chunk)
                    await reader.take(held + part)
                    held = last
                # Sending to a caller that has gone fails silently; the watch needs a moment to notice.
                await asyncio.sleep(_LAST_LOOK_S)
        except CallerGoneError:
            broken_off = True
        except CallerStalledError:
            error, broken_off = CALLER_STALLED, True
        except ProblemError as problem:
            slow = problem.kind is calls.PROVIDER_TIMEOUT and reader.took_most_of_the_time
            error, broken_off = CALLER_STALLED if slow else problem.code, True
        except Exception:  # noqa: BLE001  whatever it is: the call has reached the provider, and is recorded
            _log.exception("response broken off", tx=call.tx, service=call.service_id)
            error, broken_off = problems.internal_error().code, True
        broken_off = broken_off or watch.gone
        outcome = Answered(response.status, self._clock.now(), size, digest.hexdigest(), error, broken_off)
        try:
            await self._recorder.outcome(call, outcome)
        except AuditUnavailableError:
            # To return without the last part makes the server break the connection off.
            _log.error("response broken off, its record is not durable", tx=call.tx)
            return outcome
        if not broken_off:
            await send({"type": "http.response.body", "body": held})
        return outcome


class CallerStalledError(Exception):
    """The caller does not take the next part of its answer."""


class _Reader:
    """A caller that reads its answer: how long it takes for a part, and for all of them."""

    __slots__ = ("_began", "_send", "_time", "_timeout_s", "_waited")

    def __init__(self, send: Send, timeout_s: float) -> None:
        self._send = send
        self._timeout_s = timeout_s
        self._time = asyncio.get_running_loop().time
        self._began = self._time()
        self._waited = 0.0

    @property
    def took_most_of_the_time(self) -> bool:
        """Whether the caller was waited for longer than the provider."""
        return self._waited > (self._time() - self._began) / 2

    async def take(self, part: bytes) -> None:
        """Send a part.

        Raises:
            CallerStalledError: the caller has not read what was sent before.
        """
        began = self._time()
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._send({"type": "http.response.body", "body": part, "more_body": True})
        except TimeoutError:
            raise CallerStalledError from None
        self._waited += self._time() - began


def _all_but_the_last(part: bytes) -> tuple[bytes, bytes]:
    return part[:-_HELD_BYTES], part[-_HELD_BYTES:]


async def _send(response: WholeResponse, send: Send) -> None:
    await send({"type": "http.response.start", "status": response.status, "headers": response.headers})
    await send({"type": "http.response.body", "body": response.body})
