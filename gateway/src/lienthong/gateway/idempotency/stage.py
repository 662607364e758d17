"""The stage in front of forwarding for calls with an Idempotency-Key: one is made, the others are told.

What becomes of the first call is known although its caller goes away meanwhile: that is when a key is needed.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec
import structlog

from lienthong.gateway.call_headers import call_headers
from lienthong.gateway.http1.answer import DateField
from lienthong.gateway.http1.errors import CallerGoneError
from lienthong.gateway.http1.fields import field_prefix
from lienthong.gateway.http1.head import RequestLine
from lienthong.gateway.http1.incoming import Incoming
from lienthong.gateway.idempotency import problems
from lienthong.gateway.idempotency.counts import KeyCounts
from lienthong.gateway.idempotency.entry import Entry, State
from lienthong.gateway.idempotency.key import fingerprint, stated_key
from lienthong.gateway.response import WholeResponse
from lienthong.gateway.shaping.taking import RequestTaking, take_answer
from lienthong.kit.backoff import Backoff
from lienthong.kit.messages import BusConflictError, BusError
from lienthong.kit.problems import ProblemError

if TYPE_CHECKING:
    from lienthong.gateway.call import Call
    from lienthong.gateway.forward import Forwarder
    from lienthong.gateway.idempotency.entry import Seal
    from lienthong.gateway.idempotency.store import Store
    from lienthong.gateway.repeatable import Repeatable
    from lienthong.gateway.request_headers import RequestHeaders
    from lienthong.gateway.response import GatewayResponse
    from lienthong.gateway.settings import GatewaySettings
    from lienthong.gateway.table import ServiceRoute
    from lienthong.gateway.targets import ServiceTarget
    from lienthong.kit.clock import Clock

MOST_ANSWER_BYTES: Final = 256 * 1024
"""Of an answer that is kept."""
_ATTEMPTS: Final = 5
"""To put an entry in the place of one that others may be changing."""
_SETTLING_S: Final = 60.0
"""How long it is tried to write down what became of a call."""
_MARGIN_S: Final = 60.0
"""How much longer than it may take a call counts as under way."""
_NOT_DONE: Final = (429, 503)
"""Statuses by which a provider says that it has not done anything: the key may be used again."""
_REPLAYED: Final = field_prefix(b"lgsp-replayed")

_T = TypeVar("_T")

_log = structlog.get_logger(__name__)


class IdempotentForwarder:
    """Forwards calls of services that declare `idempotency`; those with a key once."""

    def __init__(
        self, forwarder: Forwarder, store: Store, seal: Seal, settings: GatewaySettings, clock: Clock
    ) -> None:
        self._forwarder = forwarder
        self._store = store
        self._seal = seal
        self._clock = clock
        self._taking = RequestTaking(settings)
        self._longest_s = settings.gateway_longest_call_s
        self._most_keys = settings.gateway_idempotency_keys
        self._counts = KeyCounts(self._most_keys, clock.monotonic)
        self._beside: set[asyncio.Task[object]] = set()
        self.replayed = 0
        """Calls that were given a kept answer."""

    async def forward(
        self, call: Call, target: ServiceTarget, headers: RequestHeaders, incoming: Incoming
    ) -> GatewayResponse:
        """Forward the request, or give the answer that is kept.

        Raises:
            ProblemError: those of the forwarder; malformed-request, request-too-large, rate-limited, busy,
                idempotency-key-missing, -reused, -in-progress, idempotency-outcome-unknown,
                idempotency-answer-not-kept, too-many-idempotency-keys, idempotency-unavailable.
            CallerGoneError: the caller went away meanwhile; the call is made all the same.
        """
        route, operation = target.route, call.operation
        terms = route.repeatable
        if terms is None or operation is None or not terms.covers(operation.id, call.method):
            return await self._forwarder.forward(call, target, headers, incoming)
        key = stated_key(headers)
        if key is None:
            if terms.required:
                raise problems.key_missing(route.id, operation.id)
            return await self._forwarder.forward(call, target, headers, incoming)
        body = await self._taking.take(call, route, headers, incoming)
        if body is None:
            raise problems.body_too_large(self._taking.limit)
        subject = self._seal.subject(call.client or "", route.id, key)
        pending = self._pending(call, route, terms, fingerprint(call, headers, body))
        number, kept = await self._begin(call, route, subject, pending)
        if kept is not None:
            self.replayed += 1
            call.replays = kept.tx
            return _replayed(call, kept)
        exchange = self._exchange(
            call, target, headers, _without_caller(incoming, body), subject, number, pending
        )
        task = self._go_on(asyncio.create_task(exchange))
        try:
            with incoming:
                response = await asyncio.shield(task)
        except BaseException:
            task.add_done_callback(_dropped)
            raise
        if incoming.gone:
            response.close()
            raise CallerGoneError
        return response

    async def close(self, within_s: float) -> None:
        """Wait for what is under way without its caller, and give it up then."""
        if self._beside:
            await asyncio.wait(self._beside, timeout=within_s)
        for task in self._beside:
            task.cancel()

    def _pending(self, call: Call, route: ServiceRoute, terms: Repeatable, mark: bytes) -> Entry:
        now = self._clock.now().timestamp()
        lease = now + min(route.limits.total_s or self._longest_s, self._longest_s) + _MARGIN_S
        return Entry(State.PENDING, call.tx, mark, max(now + terms.retain_s, lease), lease)

    async def _begin(
        self, call: Call, route: ServiceRoute, subject: str, pending: Entry
    ) -> tuple[int, Entry | None]:
        """Take the key for this call: the number of its entry; or the entry whose answer is given again."""
        client, expected = call.client or "", 0
        try:
            for _ in range(_ATTEMPTS):
                room = self._counts.room(client)
                if room:
                    try:
                        number = await self._store.write(subject, pending, expected)
                    except BusConflictError:
                        pass
                    else:
                        self._counts.add(client)
                        return number, None
                found = await self._store.read(subject)
                now = self._clock.now().timestamp()
                if found is not None and found[1].state is not State.FREE and found[1].until > now:
                    return found[0], _answered(found[1], pending.fingerprint, now)
                if not room:
                    raise problems.too_many_keys(self._most_keys)
                expected = found[0] if found is not None else 0
        except (BusError, ValueError) as error:
            _log.warning("idempotency store failed", tx=call.tx, service=route.id, cause=str(error))
        raise problems.store_unavailable(route.id)

    async def _exchange(
        self,
        call: Call,
        target: ServiceTarget,
        headers: RequestHeaders,
        request: Incoming,
        subject: str,
        number: int,
        pending: Entry,
    ) -> GatewayResponse:
        """Make the call, and write down what became of it before anyone is told."""
        settled = pending
        try:
            response = await self._forwarder.forward(call, target, headers, request)
            try:
                endless = not isinstance(response, WholeResponse) and response.endless
                if not endless:
                    response = await take_answer(response, request, MOST_ANSWER_BYTES)
            except BaseException:
                response.close()
                raise
            settled = self._settled(call, target.route, response, pending)
        except ProblemError:
            reached = call.exchange is not None
            settled = msgspec.structs.replace(pending, state=State.UNKNOWN if reached else State.FREE)
            raise
        else:
            return response
        finally:
            if settled is not pending:
                await self._settle(call, subject, number, settled)

    def _settled(self, call: Call, route: ServiceRoute, response: GatewayResponse, pending: Entry) -> Entry:
        if response.status in _NOT_DONE:
            return msgspec.structs.replace(pending, state=State.FREE)
        retain_s = route.repeatable.retain_s if route.repeatable is not None else 0.0
        until = self._clock.now().timestamp() + retain_s
        if not isinstance(response, WholeResponse) or len(response.body) > MOST_ANSWER_BYTES:
            return msgspec.structs.replace(pending, state=State.NOT_KEPT, until=until, status=response.status)
        return msgspec.structs.replace(
            pending,
            state=State.ANSWERED,
            until=until,
            status=response.status,
            fields=_of_provider(call, response.fields),
            body=response.body,
            dated=response.dated,
        )

    async def _settle(self, call: Call, subject: str, number: int, entry: Entry) -> None:
        """Write it down now, or beside the calls as soon as the store takes it."""
        try:
            await self._store.write(subject, entry, number)
        except BusConflictError:
            # It was taken after all, or the key is another call's by now.
            return
        except BusError as error:
            _log.warning("outcome of a call not kept yet", tx=call.tx, cause=str(error))
            self._go_on(asyncio.create_task(self._settle_later(call, subject, number, entry)))

    async def _settle_later(self, call: Call, subject: str, number: int, entry: Entry) -> None:
        backoff, until = Backoff(), self._clock.monotonic() + _SETTLING_S
        while self._clock.monotonic() < until:
            await backoff.pause()
            try:
                await self._store.write(subject, entry, number)
            except BusConflictError:
                return
            except BusError:
                continue
            return
        _log.error("outcome of a call not kept", tx=call.tx)

    def _go_on(self, task: asyncio.Task[_T]) -> asyncio.Task[_T]:
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)
        return task


def _answered(entry: Entry, mark: bytes, now: float) -> Entry:
    """The entry whose answer a call with this fingerprint is given.

    Raises:
        ProblemError: there is none to give.
    """
    if entry.fingerprint != mark:
        raise problems.key_reused(entry.tx)
    if entry.state is State.PENDING and now < entry.lease:
        raise problems.key_in_progress(entry.tx)
    if entry.state is State.NOT_KEPT:
        raise problems.answer_not_kept(entry.tx, entry.status)
    if entry.state is not State.ANSWERED:
        raise problems.outcome_unknown(entry.tx)
    return entry


def _of_provider(call: Call, fields: list[bytes]) -> list[bytes]:
    """The fields of an answer without those that tell of this call."""
    own = {*call_headers(call)[::2], *(call.for_page or ())[::2]}
    kept: list[bytes] = []
    for prefix, value in zip(fields[::2], fields[1::2], strict=True):
        if prefix not in own:
            kept += (prefix, value)
    return kept


def _replayed(call: Call, kept: Entry) -> WholeResponse:
    fields = [*kept.fields, *call_headers(call), *(call.for_page or ()), _REPLAYED, kept.tx.encode()]
    return WholeResponse(kept.status, fields, kept.body, dated=kept.dated)


class _Nobody:
    """The connection of a request whose caller may go away without ending it."""

    def __init__(self, ip: str | None, *, of_edge: bool) -> None:
        self.ip = ip
        self.of_edge = of_edge
        self.date = DateField()

    @property
    def task(self) -> asyncio.Task[None] | None:
        return None

    @property
    def ends(self) -> bool:
        return False

    def want_body(self) -> None:
        """All of it is here."""

    def write(self, data: bytes) -> None:
        raise RuntimeError("nobody is answered here")

    async def writable(self) -> None:
        raise RuntimeError("nobody is answered here")

    def break_off(self, *, reset: bool) -> None:
        """Nothing is open."""


def _without_caller(incoming: Incoming, body: bytes) -> Incoming:
    """The same request with its body, on a connection of nobody's."""
    line = RequestLine(incoming.method, incoming.path, incoming.query, before_1_1=incoming.before_1_1)
    request = Incoming(line, _Nobody(incoming.ip, of_edge=incoming.of_edge))
    request.fields, request.head_read, request.body_read = incoming.fields, True, True
    request.give_back(body, None)
    return request


def _dropped(task: asyncio.Task[GatewayResponse]) -> None:
    """Let go of the answer to a caller that has left."""
    if not task.cancelled() and task.exception() is None:
        task.result().close()
