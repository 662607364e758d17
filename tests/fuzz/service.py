"""A service that stands for the gateway's stages: it answers a caller's requests in one of several ways."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from lienthong.gateway.http1.answer import CLOSE, END_OF_HEAD, DateField, head
from lienthong.gateway.http1.errors import BrokenRequestError, CallerGoneError
from lienthong.gateway.http1.fields import written
from tests.fuzz.clock import FindingError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from lienthong.gateway.http1.caller import Caller
    from lienthong.gateway.http1.head import Unreadable
    from lienthong.gateway.http1.incoming import Incoming

MAX_HEAD: Final = 2000
LOOK_EVERY_S: Final = 1.0
CALL_S: Final = 20.0
"""No reading of a body and no writing of an answer takes longer; the stages have such bounds."""
_IDLE_S, _STALL_S = 10.0, 5.0
DATE = (b"date", b"Sun, 29 Nov 2026 00:00:00 GMT")
_PART = b"x" * 40_000


class Serve(IntEnum):
    """How a request is answered."""

    READ = 0
    """The body is read, then answered."""
    AT_ONCE = 1
    """Answered without a look at the body."""
    READ_THEN_STREAM = 2
    ECHO = 3
    """The answer begins first, and each part of the body goes back."""
    ONE_PART = 4
    """A part of the body is read, then answered."""
    LATE = 5
    """The body is asked for after three seconds."""
    BREAK_OFF = 6
    FAIL = 7


@dataclass
class Call:
    """A request that was handed over to be served."""

    method: str
    path: bytes
    query: bytes
    before_1_1: bool
    flaw: str | None
    fields: tuple[tuple[bytes, bytes], ...]
    """None of a request with a flaw: as many have been read as came before it."""
    body: bytes = b""
    whole: bool = False
    broken: str | None = None
    gone: bool = False


@dataclass
class Outcome:
    """What came of a script."""

    calls: list[Call] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    counted: list[str] = field(default_factory=list)
    sent: bytes = b""
    aborted: bool = False
    half_closed: bool = False


class Owner:
    """What the connection belongs to, and what serves its requests."""

    def __init__(self, serve: Serve) -> None:
        self.max_head = MAX_HEAD
        self.idle_s = _IDLE_S + LOOK_EVERY_S
        self.stall_s = _STALL_S
        self.date = DateField()
        self.look_every_s = LOOK_EVERY_S
        self.draining = False
        self.now = 0.0
        self.outcome = Outcome()
        self.tasks: set[asyncio.Task[None]] = set()
        self.forgotten = 0
        self.unasked = 0
        """Bytes that came since somebody has asked for some."""
        self.active: Incoming | None = None
        self.failures: list[Exception] = []
        self.takes_answers: Callable[[], bool] = lambda: True
        """Whether the caller has taken enough of what was sent."""
        self._serve = serve

    # CallersOwner

    def begun(self, task: asyncio.Task[None]) -> None:
        self.tasks.add(task)

    def ended(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)

    def count(self, reason: str) -> None:
        self.outcome.counted.append(reason)

    def unreadable(self, reason: Unreadable) -> bytes:
        self.outcome.unreadable.append(reason.value)
        fields = written([DATE, (b"content-length", b"0")])
        return b"".join((head(400, fields, self.date, dated=True), CLOSE, END_OF_HEAD))

    def forget(self, caller: Caller) -> None:
        del caller
        self.forgotten += 1

    def serve(self, incoming: Incoming) -> Coroutine[None, None, None]:
        return self._serve_one(incoming)

    # the service

    async def _serve_one(self, incoming: Incoming) -> None:
        if self.active is not None:
            self.failures.append(FindingError("two calls of one connection are under way"))
        if not self.takes_answers():
            self.failures.append(FindingError("who does not read its answers gets more of them"))
        flaw = incoming.flaw.name if incoming.flaw is not None else None
        fields = tuple(incoming.fields) if flaw is None else ()
        call = Call(incoming.method, incoming.path, incoming.query, incoming.before_1_1, flaw, fields)
        self.outcome.calls.append(call)
        self.active, self.unasked = incoming, 0
        try:
            with incoming:
                await self._answer(incoming, call, len(self.outcome.calls) - 1)
        except CallerGoneError:
            call.gone = True
        except Exception as error:
            # The connection only logs it.
            if self._serve is not Serve.FAIL:
                self.failures.append(error)
            raise
        finally:
            self.active, self.unasked = None, 0

    async def _answer(self, incoming: Incoming, call: Call, number: int) -> None:
        own = written([DATE, (b"call", b"%d" % number)])
        if call.flaw is not None:
            incoming.answer(400, own + written([(b"content-length", b"0")]), b"", dated=True)
            return
        if self._serve is Serve.FAIL:
            raise ValueError("a service that fails")
        if self._serve is Serve.LATE:
            await asyncio.sleep(3)
        echo = self._serve is Serve.ECHO and call.method != "HEAD"
        if echo:
            incoming.begin(200, own, declared=False, dated=True)
        status = 200
        if self._serve is not Serve.AT_ONCE:
            try:
                async with asyncio.timeout(CALL_S):
                    await self._read(incoming, call)
            except TimeoutError:
                status, call.broken = 408, "DEADLINE"
            except BrokenRequestError as error:
                status, call.broken = 400, error.flaw.name
        if echo:
            if status == 200:
                incoming.finish(b"")
            else:
                incoming.break_off()
        elif self._serve in (Serve.BREAK_OFF, Serve.READ_THEN_STREAM) and call.method != "HEAD":
            await self._stream(incoming, status, own)
        else:
            body = b"%d" % len(call.body)
            own += written([(b"content-length", b"%d" % len(body))])
            incoming.answer(status, own, b"" if call.method == "HEAD" else body, dated=True)

    async def _stream(self, incoming: Incoming, status: int, own: list[bytes]) -> None:
        incoming.begin(status, own, declared=False, dated=True)
        try:
            async with asyncio.timeout(CALL_S):
                await incoming.write(_PART)
                await incoming.write(_PART)
        except TimeoutError:
            incoming.break_off()
            return
        if self._serve is Serve.BREAK_OFF:
            incoming.break_off()
        else:
            incoming.finish(b"end")

    async def _read(self, incoming: Incoming, call: Call) -> None:
        while part := await incoming.part():
            self.unasked = 0
            call.body += part
            if self._serve is Serve.ECHO and call.method != "HEAD":
                await incoming.write(part)
            if self._serve is Serve.ONE_PART:
                return
        call.whole = True
