"""Stage 9, respond: the response leaves, but not all of it before its record is durable."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING

import structlog

from lienthong.gateway import problems
from lienthong.gateway.call import CALLER_STALLED, GATEWAY_STOPPED, Abandoned, Answered
from lienthong.gateway.http1.errors import CallerGoneError
from lienthong.gateway.journal.writer import AuditUnavailableError
from lienthong.gateway.reader import CallerStalledError, Reader
from lienthong.gateway.response import StreamedResponse, WholeResponse
from lienthong.kit.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from lienthong.gateway.call import Call, Outcome
    from lienthong.gateway.endless import EndlessAnswers
    from lienthong.gateway.http1.incoming import Incoming
    from lienthong.gateway.record import Recorder
    from lienthong.gateway.response import GatewayResponse
    from lienthong.gateway.settings import GatewaySettings
    from lienthong.kit.clock import Clock

_LAST_LOOK_S = 0.002
_HELD_BYTES = 16 * 1024
"""How much of the newest part of a streamed body is kept back, as it may be the last one."""

_log = structlog.get_logger(__name__)


class Responder:
    """Ends calls: records how, and sends the response."""

    def __init__(
        self, recorder: Recorder, endless: EndlessAnswers, clock: Clock, settings: GatewaySettings
    ) -> None:
        self._recorder = recorder
        self._endless = endless
        self._now = clock.now
        self._caller_timeout_s = settings.gateway_caller_timeout_s
        self._caller_bytes_per_s = settings.gateway_caller_bytes_per_s
        self._cut_off: str | None = None

    def cut_off(self) -> None:
        """Note that the callers that are there still do not go away: the gateway cuts them off."""
        self._cut_off = GATEWAY_STOPPED

    def respond(self, call: Call, response: GatewayResponse, incoming: Incoming) -> Awaitable[Answered]:
        """Record a call and send its response.

        Raises:
            AuditUnavailableError: the call cannot be recorded, and nothing was sent.
        """
        if isinstance(response, StreamedResponse):
            if response.endless:
                return self._endless.send(call, response, incoming)
            return self._stream(call, response, incoming)
        return self._send_whole(call, response, incoming)

    async def abandon(self, call: Call) -> Abandoned:
        """Record a call whose caller went away, or was cut off, before there was a response."""
        outcome = Abandoned(self._now(), self._cut_off)
        try:
            await self._recorded(call, outcome)
        except AuditUnavailableError:
            _log.error("aborted call not recorded", tx=call.tx)
        return outcome

    def refuse_unrecorded(self, call: Call, response: WholeResponse, incoming: Incoming) -> Answered:
        """Answer that the call cannot be recorded: the only response without a record; it is counted."""
        outcome = self._answered(response)
        self._recorder.count(call, outcome)
        incoming.answer(response.status, response.fields, response.body, dated=response.dated)
        return outcome

    def _answered(self, response: WholeResponse) -> Answered:
        body = response.body
        return Answered(
            response.status,
            self._now(),
            len(body),
            response.sha256,
            response.error,
            body=body,
        )

    async def _send_whole(self, call: Call, response: WholeResponse, incoming: Incoming) -> Answered:
        outcome = self._answered(response)
        durable = self._recorder.outcome(call, outcome)
        if durable is not None:
            await durable
        incoming.answer(response.status, response.fields, response.body, dated=response.dated)
        return outcome

    async def _recorded(self, call: Call, outcome: Outcome) -> None:
        durable = self._recorder.outcome(call, outcome)
        if durable is not None:
            await durable

    async def _stream(self, call: Call, response: StreamedResponse, incoming: Incoming) -> Answered:
        """Send what comes, but keep the last part back until the record is durable."""
        reader = Reader(incoming, self._caller_timeout_s, self._caller_bytes_per_s)
        digest = hashlib.sha256(response.beginning)
        size = len(response.beginning)
        error: str | None = None
        broken_off = False
        part, held = _all_but_the_last(response.beginning)
        try:
            with incoming:
                incoming.begin(
                    response.status, response.fields, declared=response.declared, dated=response.dated
                )
                await reader.take(part)
                async for chunk in response.rest:
                    if incoming.gone:
                        break
                    digest.update(chunk)
                    size += len(chunk)
                    part, last = _all_but_the_last(chunk)
                    await reader.take(held + part)
                    held = last
                # Sending to a caller that has gone fails silently; the connection needs a moment to notice.
                await asyncio.sleep(_LAST_LOOK_S)
        except CallerGoneError:
            error, broken_off = self._cut_off, True
        except CallerStalledError:
            error, broken_off = CALLER_STALLED, True
        except ProblemError as problem:
            overdue = call.exchange is not None and call.exchange.overdue
            slow = overdue and reader.took_most_of_the_time
            error, broken_off = CALLER_STALLED if slow else problem.code, True
        except Exception:  # noqa: BLE001  whatever it is: the call has reached the provider, and is recorded
            _log.exception("response broken off", tx=call.tx, service=call.service_id)
            error, broken_off = problems.internal_error().code, True
        broken_off = broken_off or incoming.gone
        outcome = Answered(
            response.status, self._now(), size, digest.hexdigest(), error, broken_off=broken_off
        )
        try:
            await self._recorded(call, outcome)
        except AuditUnavailableError:
            _log.error("response broken off, its record is not durable", tx=call.tx)
            incoming.break_off()
            return outcome
        if broken_off:
            incoming.break_off()
        else:
            incoming.finish(held)
        return outcome


def _all_but_the_last(part: bytes) -> tuple[bytes, bytes]:
    return part[:-_HELD_BYTES], part[-_HELD_BYTES:]
