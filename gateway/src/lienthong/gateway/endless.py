"""Answers without an end that is known, such as server-sent events: they pass as they come.

An *opening* record is durable before anything of such an answer leaves, and the end of the answer leaves only
after the record of kind *call* is durable, as of any other. In between a *continuing* record is written every
few minutes, and whether the call would still be allowed is looked at whenever the catalog, the keys or the
clock say something new. Why it is so: docs/adr/0042-endless-answers.md.
"""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog

from lienthong.gateway import problems
from lienthong.gateway.authorize import still_allowed
from lienthong.gateway.call import CALLER_STALLED, ENDED_BY_GATEWAY, Answered
from lienthong.gateway.http1.errors import CallerGoneError
from lienthong.gateway.journal.writer import AuditUnavailableError
from lienthong.gateway.reader import CallerStalledError, Reader
from lienthong.gateway.table import ServiceRoute
from lienthong.kit.problems import ProblemError, calls, general

if TYPE_CHECKING:
    from lienthong.gateway.authenticate import Authenticator
    from lienthong.gateway.call import Call
    from lienthong.gateway.http1.incoming import Incoming
    from lienthong.gateway.journal.unended import Unended
    from lienthong.gateway.live import Live
    from lienthong.gateway.record import Recorder
    from lienthong.gateway.response import StreamedResponse
    from lienthong.gateway.settings import GatewaySettings
    from lienthong.gateway.table import RoutingTable
    from lienthong.kit.clock import Clock

LOOK_EVERY_S: Final = 0.2
"""How often open answers are looked at: a revocation ends them within that time."""
_LAST_LOOK_S: Final = 0.002
_EVER: Final = datetime.max.replace(tzinfo=UTC)

_log = structlog.get_logger(__name__)


class OpenAnswer:
    """An answer that is passing."""

    __slots__ = (
        "call",
        "digest",
        "ended",
        "incoming",
        "judged_by_keys",
        "judged_by_table",
        "passing",
        "record_at",
        "size",
        "status",
        "task",
        "valid_until",
    )

    def __init__(
        self, call: Call, status: int, incoming: Incoming, task: asyncio.Task[object], record_at: float
    ) -> None:
        self.call = call
        self.status = status
        self.incoming = incoming
        self.task = task
        """What sends it."""
        self.record_at = record_at
        """When a continuing record is due, by the monotonic clock."""
        self.digest = hashlib.sha256()
        self.passing = True
        """Whether it can still be ended: not once its own end is being recorded."""
        self.size = 0
        """Bytes of it that have passed, as `digest` has them."""
        self.ended: str | None = None
        """Why the gateway ends it: the code of a problem, or `ENDED_BY_GATEWAY`."""
        self.judged_by_table: RoutingTable | None = None
        self.judged_by_keys: Authenticator | None = None
        self.valid_until = _EVER
        """When the agreement that allows it may end by the clock."""

    def end(self, code: str) -> None:
        """Have it end, for this reason."""
        if self.passing and self.ended is None:
            self.ended = code
            self.task.cancel()


class EndlessAnswers:
    """Sends endless answers, records them, and ends those that must not go on. `run` has to run beside it."""

    def __init__(self, live: Live, recorder: Recorder, clock: Clock, settings: GatewaySettings) -> None:
        self._live = live
        self._recorder = recorder
        self._now = clock.now
        self._monotonic = clock.monotonic
        self._caller_timeout_s = settings.gateway_caller_timeout_s
        self._caller_bytes_per_s = settings.gateway_caller_bytes_per_s
        self._record_every_s = settings.gateway_endless_record_every_s
        self._open: set[OpenAnswer] = set()
        self._unended: Unended | None = None

    def __len__(self) -> int:
        """How many are open."""
        return len(self._open)

    async def run(self, unended: Unended | None) -> None:
        """Record the ends of answers that lost workers left open, then look at the open ones again and again.

        Until cancelled; `unended` knows them on disk.
        """
        if unended is not None:
            self._unended = unended
            await self._adopt(unended)
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self.look()

    async def _adopt(self, unended: Unended) -> None:
        try:
            lost = await asyncio.to_thread(unended.adopt)
            for opening in lost:
                try:
                    durable = self._recorder.lost(opening)
                except ValueError:
                    # A kill cut the file off.
                    _log.warning("an open answer cannot be read, its end is not recorded")
                else:
                    await durable
            if lost:
                _log.warning("the ends of answers are recorded whose gateway was lost", answers=len(lost))
            await asyncio.to_thread(unended.forget)
        except (AuditUnavailableError, OSError) as error:
            # The records are kept until they can be stored, the files until another worker begins.
            _log.error("ends of answers whose gateway was lost", error=str(error))

    def look(self) -> None:
        """End the answers that must not go on, and record that the others do."""
        now, monotonic = self._now(), self._monotonic()
        for answer in list(self._open):
            if answer.ended is not None:
                continue
            if answer.incoming.last:
                answer.end(ENDED_BY_GATEWAY)
            elif (code := self._objection(answer, now)) is not None:
                answer.end(code)
            elif monotonic >= answer.record_at:
                answer.record_at = monotonic + self._record_every_s
                durable = self._recorder.continuing(
                    answer.call, answer.status, answer.size, answer.digest.hexdigest()
                )
                durable.add_done_callback(partial(_recorded, answer))

    async def send(self, call: Call, response: StreamedResponse, incoming: Incoming) -> Answered:
        """Record that an answer begins, send it as it comes, and record how it ended.

        Raises:
            AuditUnavailableError: it cannot be recorded that it begins, and nothing was sent.
        """
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("an answer is sent by the task that serves its call")
        call.opened = self._now()
        durable, opening = self._recorder.opening(call, response.status)
        try:
            await durable
        except AuditUnavailableError:
            # What was written is stored once that is possible: then the end is to be found with it.
            self._record_unsent(call, response.status)
            raise
        answer = OpenAnswer(call, response.status, incoming, task, self._monotonic() + self._record_every_s)
        self._open.add(answer)
        if self._unended is not None:
            self._unended.begin(call.tx, opening)
        reader = Reader(incoming, self._caller_timeout_s, self._caller_bytes_per_s)
        error: str | None = None
        broken_off = False
        try:
            with incoming:
                incoming.begin(
                    response.status, response.fields, declared=response.declared, dated=response.dated
                )
                async for chunk in response.rest:
                    if incoming.gone:
                        break
                    answer.digest.update(chunk)
                    answer.size += len(chunk)
                    await reader.take(chunk)
                # Sending to a caller that has gone fails silently; the connection needs a moment to notice.
                await asyncio.sleep(_LAST_LOOK_S)
        except CallerGoneError:
            broken_off = True
        except CallerStalledError:
            error, broken_off = CALLER_STALLED, True
        except ProblemError as problem:
            over = call.exchange is not None and call.exchange.overdue
            error, broken_off = ENDED_BY_GATEWAY if over else problem.code, not over
        except asyncio.CancelledError:
            if answer.ended is None:
                raise
            error, broken_off = answer.ended, answer.ended != ENDED_BY_GATEWAY
        except Exception:  # noqa: BLE001  whatever it is: the call has reached the provider, and is recorded
            _log.exception("answer broken off", tx=call.tx, service=call.service_id)
            error, broken_off = problems.internal_error().code, True
        finally:
            self._open.discard(answer)
            answer.passing = False
            if answer.ended is not None:
                task.uncancel()
        # Nobody waits for the provider any more while the record becomes durable.
        response.close()
        return await self._close(answer, error, broken_off=broken_off or incoming.gone)

    async def _close(self, answer: OpenAnswer, error: str | None, *, broken_off: bool) -> Answered:
        call, incoming = answer.call, answer.incoming
        if self._unended is not None:
            # Before the record: a kill in between leaves no end, which the ledger tells, rather than two.
            self._unended.end(call.tx)
        outcome = Answered(
            answer.status, self._now(), answer.size, answer.digest.hexdigest(), error, broken_off=broken_off
        )
        if broken_off:
            # At once: the caller of an agreement that was revoked does not wait for a record.
            incoming.break_off()
        try:
            durable = self._recorder.outcome(call, outcome)
            if durable is not None:
                await durable
        except AuditUnavailableError:
            _log.error("answer broken off, its record is not durable", tx=call.tx)
            incoming.break_off()
            return outcome
        if not broken_off:
            incoming.finish(b"")
        return outcome

    def _record_unsent(self, call: Call, status: int) -> None:
        code = calls.AUDIT_UNAVAILABLE.code
        durable = self._recorder.outcome(call, Answered(status, self._now(), 0, None, code, broken_off=True))
        if durable is not None:
            durable.add_done_callback(_noticed)

    def _objection(self, answer: OpenAnswer, now: datetime) -> str | None:
        """The code of the problem that a new call would get in place of this answer; None: it may go on."""
        table, keys, call = self._live.table, self._live.authenticator, answer.call
        if table is answer.judged_by_table and keys is answer.judged_by_keys and now < answer.valid_until:
            return None
        if call.client is None:
            return None
        if keys is None:
            return general.NOT_READY.code
        try:
            keys.check_standing(call.client, call.token)
            if isinstance(call.route, ServiceRoute) and call.operation is not None and call.grant is not None:
                if table is None:
                    return general.NOT_READY.code
                answer.valid_until = still_allowed(
                    table,
                    call.route.id,
                    call.operation,
                    call.client,
                    call.grant,
                    call.context,
                    now,
                    bound=call.is_bound,
                )
        except ProblemError as problem:
            return problem.code
        answer.judged_by_table, answer.judged_by_keys = table, keys
        return None


def _noticed(durable: asyncio.Future[None]) -> None:
    """Take note that a record may not be durable yet; who waits for it has been told already."""
    if not durable.cancelled():
        durable.exception()


def _recorded(answer: OpenAnswer, durable: asyncio.Future[None]) -> None:
    if not durable.cancelled() and durable.exception() is not None:
        answer.end(calls.AUDIT_UNAVAILABLE.code)
