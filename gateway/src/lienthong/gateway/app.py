"""The ASGI application: every request walks through the stages, is recorded, and then answered."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Any

import structlog

from lienthong.gateway import problems
from lienthong.gateway.answer import Answer, problem_answer
from lienthong.gateway.authorize import authorize
from lienthong.gateway.call import EMPTY_SHA256, MAX_METHOD, Call
from lienthong.gateway.headers import read_headers
from lienthong.gateway.journal.journal import AuditUnavailableError
from lienthong.gateway.match import match
from lienthong.gateway.watch import CallerGoneError, CallerWatch, Watches
from lienthong.kit.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from lienthong.gateway.forward import Forwarder
    from lienthong.gateway.headers import Inbound
    from lienthong.gateway.live import Live
    from lienthong.gateway.record import Recorder
    from lienthong.gateway.rooms import Room
    from lienthong.gateway.settings import GatewaySettings
    from lienthong.gateway.spans import Spans
    from lienthong.gateway.watch import Receive
    from lienthong.kit.clock import Clock
    from lienthong.kit.ids import NewId

    Send = Callable[[dict[str, Any]], Awaitable[None]]

_LAST_LOOK_S = 0.002
_HELD_BYTES = 16 * 1024
"""How much of the newest part of a streamed answer is kept back, as it may be the last one."""

_log = structlog.get_logger(__name__)


class Gateway:
    """Serves calls, given everything they need."""

    def __init__(
        self,
        live: Live,
        rooms: Mapping[bytes, Room],
        forwarder: Forwarder,
        recorder: Recorder,
        settings: GatewaySettings,
        *,
        clock: Clock,
        new_id: NewId,
        spans: Spans | None = None,
    ) -> None:
        self._live = live
        self._rooms = rooms
        self._forwarder = forwarder
        self._recorder = recorder
        self._max_header_bytes = settings.gateway_max_header_bytes
        self._max_headers = settings.gateway_max_headers
        self._clock = clock
        self._new_id = new_id
        self._spans = spans
        self._watches = Watches()

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve one request."""
        client = scope.get("client")
        call = Call(
            tx=self._new_id(),
            received=self._clock.now(),
            method=scope["method"],
            path=scope["raw_path"],
            query=scope["query_string"],
            ip=client[0] if client else None,
        )
        if not self._recorder.available:
            await self._answer_unrecorded(call, send)
            return
        watch = CallerWatch(receive, self._watches)
        answer: Answer | None = None
        span = None
        try:
            try:
                call.inbound = self._read(call, scope["headers"])
                span = self._spans.begin(call) if self._spans is not None else None
                answer = await self._walk(call, call.inbound, receive, watch)
                if watch.gone:
                    await self._record_aborted(call)
                    return
            except ProblemError as problem:
                answer = _refused(call, problem)
            except AuditUnavailableError:
                await self._answer_unrecorded(call, send)
                return
            except CallerGoneError:
                await self._record_aborted(call)
                return
            except Exception:  # noqa: BLE001  whatever it is: an answer and a record
                _log.exception("call failed", tx=call.tx, service=call.service_name)
                answer = _refused(call, problems.internal_error())
            if answer.more is None:
                await self._answer_whole(call, answer, send)
            else:
                await self._answer_streaming(call, answer, watch, send)
        finally:
            watch.stop()
            if span is not None and self._spans is not None:
                self._spans.end(call, span)
            if answer is not None and answer.close is not None:
                answer.close()

    def _read(self, call: Call, headers: Iterable[tuple[bytes, bytes]]) -> Inbound:
        if len(call.method) > MAX_METHOD:
            raise problems.malformed_request("The method is too long.", "Phương thức quá dài.")
        target = len(call.path) + len(call.query)
        return read_headers(headers, max_bytes=self._max_header_bytes - target, max_count=self._max_headers)

    async def _walk(self, call: Call, inbound: Inbound, receive: Receive, watch: CallerWatch) -> Answer:
        """The stages up to the provider's answer."""
        call.case, call.user = inbound.case(), inbound.user()
        # One table and one set of keys for the whole call, whatever changes meanwhile.
        table, authenticator = self._live.table, self._live.authenticator
        match(call, table, self._rooms)
        if call.room is not None:
            if authenticator is not None:
                authenticator.recognise(call)
        elif authenticator is None or table is None:
            raise problems.not_ready(
                "The gateway has no keys that are recent enough to check tokens with.",
                "Cổng chưa có khoá đủ mới để kiểm tra mã truy cập.",
            )
        else:
            authenticator.authenticate(call)
            authorize(call, table)
        if call.service is not None and call.service.write_ahead:
            await self._recorder.intent(call)
        return await self._forwarder.forward(call, receive, watch)

    async def _answer_whole(self, call: Call, answer: Answer, send: Send) -> None:
        body = answer.body
        call.status = answer.status
        call.response_bytes = len(body)
        call.response_sha256 = hashlib.sha256(body).hexdigest() if body else EMPTY_SHA256
        call.answered = self._clock.now()
        try:
            await self._recorder.outcome(call)
        except AuditUnavailableError:
            await self._answer_unrecorded(call, send)
            return
        await _send(answer, send)

    async def _answer_streaming(self, call: Call, answer: Answer, watch: CallerWatch, send: Send) -> None:
        """Pass on what comes, but keep back the last part until the record is durable."""
        more = answer.more
        if more is None:
            raise RuntimeError("the answer is whole")
        digest = hashlib.sha256(answer.body)
        call.status = answer.status
        call.response_bytes = len(answer.body)
        part, held = _all_but_the_last(answer.body)
        watch.begin()
        try:
            with watch:
                await send(
                    {"type": "http.response.start", "status": answer.status, "headers": answer.headers}
                )
                await send({"type": "http.response.body", "body": part, "more_body": True})
                async for chunk in more:
                    if watch.gone:
                        break
                    digest.update(chunk)
                    call.response_bytes += len(chunk)
                    part, last = _all_but_the_last(chunk)
                    await send({"type": "http.response.body", "body": held + part, "more_body": True})
                    held = last
                # Sending to a caller that has gone fails silently; the watch needs a moment to say so.
                await asyncio.sleep(_LAST_LOOK_S)
        except CallerGoneError:
            call.aborted = True
        except ProblemError as problem:
            call.aborted = True
            call.error = problem.code
        except Exception:  # noqa: BLE001  whatever it is: the call has reached the provider, and is recorded
            _log.exception("answer broken off", tx=call.tx, service=call.service_name)
            call.aborted = True
            call.error = problems.internal_error().code
        call.aborted = call.aborted or watch.gone
        call.response_sha256 = digest.hexdigest()
        call.answered = self._clock.now()
        try:
            await self._recorder.outcome(call)
        except AuditUnavailableError:
            # To return without the last part makes the server break the connection off.
            _log.error("answer broken off, its record is not durable", tx=call.tx)
            return
        if not call.aborted:
            await send({"type": "http.response.body", "body": held})

    async def _record_aborted(self, call: Call) -> None:
        call.aborted = True
        try:
            await self._recorder.outcome(call)
        except AuditUnavailableError:
            _log.error("aborted call not recorded", tx=call.tx)

    async def _answer_unrecorded(self, call: Call, send: Send) -> None:
        """The one answer that has no record: it says so, and is counted."""
        answer = _refused(call, problems.audit_unavailable())
        call.status = answer.status
        self._recorder.count(call)
        await _send(answer, send)


def _all_but_the_last(part: bytes) -> tuple[bytes, bytes]:
    return part[:-_HELD_BYTES], part[-_HELD_BYTES:]


def _refused(call: Call, problem: ProblemError) -> Answer:
    call.error = problem.code
    answer = problem_answer(call, problem)
    if call.method == "HEAD":
        answer.body = b""
    return answer


async def _send(answer: Answer, send: Send) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    await send({"type": "http.response.body", "body": answer.body})
