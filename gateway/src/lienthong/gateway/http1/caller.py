"""One connection from a caller: one request after the other; the twin of `connection`.

What comes is read by `request_input`. Of a body nothing is read before somebody asks for it. What follows a
request waits until that is answered: a connection has one call under way, and holds a few pieces of input.
"""

from __future__ import annotations

import asyncio
import select
import socket
import struct
from typing import TYPE_CHECKING, Final, Protocol

import httptools
import structlog

from lienthong.gateway.http1 import answer
from lienthong.gateway.http1.head import CRLF, Flaw, UnreadableError, read_beginning
from lienthong.gateway.http1.incoming import Incoming
from lienthong.gateway.http1.request_input import FlawedHeadError, RequestInput

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from lienthong.gateway.http1.answer import DateField
    from lienthong.gateway.http1.head import RequestLine, Unreadable

MOST_HELD: Final = 64 * 1024
"""Input that waits, of a body or of further requests: reading pauses when there is more of it."""
_RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER: what is not sent is thrown away, and the other side told so (socket(7))."""
_LINGER_S: Final = 5.0
_MOST_DISCARDED: Final = 64 * 1024 * 1024
"""How long a caller that has its last answer is waited for until it closes too, and how much it may still
send."""
_LAST_REQUEST_S: Final = 2.0
"""While the gateway stops: how long a connection that has just been made waits for its first request, and for
the rest of a request that is on its way."""

_log = structlog.get_logger(__name__)


class CallersOwner(Protocol):
    """What connections of callers belong to; `Listener` is one."""

    max_head: int
    idle_s: float
    stall_s: float
    date: DateField
    look_every_s: float
    draining: bool
    now: float
    """Seconds of the monotonic clock, as of the last look at all connections."""

    def serve(self, incoming: Incoming) -> Coroutine[None, None, None]:
        """Answer a request."""
        ...

    def begun(self, task: asyncio.Task[None]) -> None:
        """Take note of what serves a request; it may outlive the connection."""
        ...

    def ended(self, task: asyncio.Task[None]) -> None:
        """Take note that it has done all that it does."""
        ...

    def count(self, reason: str) -> None:
        """Count a connection that is closed for want of a proper caller."""
        ...

    def unreadable(self, reason: Unreadable) -> bytes:
        """The whole answer to what is no request; it is counted."""
        ...

    def forget(self, caller: Caller) -> None:
        """Drop a connection that has closed."""
        ...


class Caller:
    """A connection for HTTP/1.1 that a caller made."""

    __slots__ = (
        "_buffer",
        "_discarded",
        "_incoming",
        "_input",
        "_lingering",
        "_loop",
        "_owner",
        "_reading",
        "_served",
        "_task",
        "_transport",
        "_unsent",
        "_unsent_until",
        "_waits",
        "_writable",
        "_writer",
        "date",
        "deadline",
        "ip",
        "of_edge",
    )

    _transport: asyncio.Transport

    def __init__(self, owner: CallersOwner, ip: str | None, *, of_edge: bool = False) -> None:
        self.ip = ip
        self.of_edge = of_edge
        self.date = owner.date
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self._input = RequestInput(owner.max_head)
        self._incoming: Incoming | None = None
        self._task: asyncio.Task[None] | None = None
        self._buffer = b""
        self._discarded = 0
        self._reading = self._writable = True
        self._lingering = self._waits = self._served = False
        self._writer: asyncio.Future[None] | None = None
        self._unsent = 0
        self._unsent_until = 0.0
        self.deadline = owner.now + owner.idle_s
        """When waiting for a request, or for the end of a caller that was told the end, is over."""

    # as asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Take what came: of a request that is due, or held for later."""
        incoming = self._incoming
        if incoming is None:
            if self._lingering:
                self._discarded += len(data)
                if self._discarded > _MOST_DISCARDED:
                    self._transport.abort()
            elif self._waits:
                self._hold(data)
            elif self._buffer:
                seen = len(self._buffer)
                self._read_head(self._buffer + data, seen)
            else:
                self._read_head(data, 0)
        elif incoming.reads_body and not incoming.body_read and not self._buffer:
            self._read_body(incoming, data)
        else:
            self._hold(data)

    def eof_received(self) -> None:
        """The caller sends no more: it does not wait for an answer either."""
        self._gone()

    def connection_lost(self, error: Exception | None) -> None:
        """End the call under way, if there is one."""
        del error
        self._gone()
        self._owner.forget(self)
        self._input.close()

    def pause_writing(self) -> None:
        """Hold the answer back: the caller reads too slowly."""
        self._writable = False

    def resume_writing(self) -> None:
        """Go on with the answer, or with the next request."""
        self._writable = True
        self._wake_writer()
        if self._waits:
            self._waits = False
            self._next()

    # requests

    def _read_head(self, data: bytes, seen: int) -> None:
        """Find the end of a head in `data`, of whose bytes `seen` were there before."""
        if not seen and not self._owner.draining:
            # A head that begins late in the time of waiting has as long as any other.
            self.deadline = self._owner.now + self._owner.idle_s
        reads = self._input
        try:
            try:
                head = reads.find(data, seen)
                self._buffer = reads.rest
                if head:
                    self._incoming = incoming = reads.begin(head, self)
                    self._serve(incoming)
            except FlawedHeadError as flawed:
                # Under a name of its own: compiled, a name has one type in nested handlers.
                self._refuse(flawed.beginning, flawed.flaw)
        except UnreadableError as error:
            self._refuse_unreadable(error)

    def _serve(self, incoming: Incoming) -> None:
        self._task = self._loop.create_task(self._run(incoming))
        self._owner.begun(self._task)

    async def _run(self, incoming: Incoming) -> None:
        try:
            await self._owner.serve(incoming)
        except Exception:  # noqa: BLE001  whatever it is: the connection must not wait for ever
            _log.exception("a request was not answered")
        finally:
            if self._task is not None:
                self._owner.ended(self._task)
            self._ended(incoming)

    def _ended(self, incoming: Incoming) -> None:
        self._task = None
        self._incoming = None
        self._input.end()
        if incoming.gone:
            self._transport.close()
        elif not incoming.answered:
            incoming.break_off()
        elif incoming.keep_alive and incoming.body_read and not self._owner.draining:
            self._next()
        else:
            self._end()

    def _next(self) -> None:
        """Wait for the next request, which may be here already."""
        self._served = True
        self._input.renew()
        self.deadline = self._owner.now + self._owner.idle_s
        if not self._writable:
            # Who does not read its answers gets no more of them.
            self._waits = True
            return
        if self._owner.draining and not self._buffer:
            self._end()
            return
        if not self._reading:
            self._resume()
        if self._buffer:
            data, self._buffer = self._buffer, b""
            self._read_head(data, 0)

    # the body

    def want_body(self) -> None:
        """Read the body, from now on."""
        incoming = self._incoming
        if incoming is None or incoming.gone:
            return
        if not incoming.reads_body:
            incoming.reads_body = True
            if self._buffer:
                data, self._buffer = self._buffer, b""
                self._read_body(incoming, data)
            elif self._input.expects and not incoming.begun:
                self.write(answer.CONTINUE)
        if not self._reading and not incoming.held:
            self._resume()

    def _read_body(self, incoming: Incoming, data: bytes) -> None:
        feed = self._input.feed
        if feed is None:
            return
        try:
            rest = feed.feed(data, incoming)
        except httptools.HttpParserError:
            incoming.break_(Flaw.CHUNKS)
            return
        if feed.too_long:
            incoming.break_(Flaw.TOO_LARGE)
            return
        if rest and not incoming.body_read:
            # Before what came meanwhile, which is held behind it.
            self._buffer = rest
            if self._reading:
                self._pause()
            self._loop.call_soon(self._read_on, incoming)
        elif rest:
            self._hold(rest)
        elif incoming.held > MOST_HELD and self._reading and not incoming.body_read:
            self._pause()
        incoming.wake()

    def _read_on(self, incoming: Incoming) -> None:
        """Go on with a piece of a body that was too much for one turn."""
        if incoming is self._incoming and not incoming.gone and self._buffer:
            data, self._buffer = self._buffer, b""
            self._read_body(incoming, data)
            if not self._reading and not self._buffer and incoming.held <= MOST_HELD:
                self._resume()

    # ends

    def _refuse(self, beginning: bytes, flaw: Flaw) -> None:
        """Begin a call that can only be refused, of what there is of its head.

        Raises:
            UnreadableError: there is too little of it.
        """
        line: RequestLine = read_beginning(beginning)
        self._buffer = b""
        self._incoming = incoming = Incoming(line, self)
        incoming.flaw = line.flaw or flaw
        self._serve(incoming)

    def _refuse_unreadable(self, error: UnreadableError) -> None:
        """Answer what is no request, and end."""
        self._buffer = b""
        self.write(self._owner.unreadable(error.reason))
        self._end()

    def _end(self) -> None:
        """Send nothing more, and close once the caller has seen that.

        Closed at once, the connection would be reset if the caller sent something at this moment, and what
        it has not read of its answer would be thrown away (RFC 9112 section 9.6).
        """
        self._lingering = True
        self._buffer = b""
        self.deadline = self._owner.now + _LINGER_S + self._owner.look_every_s
        self._transport.write_eof()
        if not self._reading:
            self._resume()

    def _gone(self) -> None:
        if self._incoming is not None:
            self._incoming.lose()
        self._waits = False
        self._wake_writer()

    def look(self, now: float) -> None:
        """Close it if something has been waited for long enough; `now` is of the monotonic clock."""
        if self._incoming is not None:
            return
        unsent = self._transport.get_write_buffer_size()
        if unsent:
            # The last answer is leaving: it may take its time as long as it goes on.
            if unsent != self._unsent:
                self._unsent, self._unsent_until = unsent, now + self._owner.stall_s
            elif now >= self._unsent_until:
                self._owner.count("stalled")
                self._transport.abort()
            wait = _LINGER_S if self._lingering else self._owner.idle_s
            self.deadline = max(self.deadline, now + wait)
            return
        self._unsent = 0
        if now < self.deadline or self._transport.is_closing():
            return
        if self._lingering:
            self._transport.abort()
        elif self._buffer.strip(CRLF):
            self._owner.count("slow")
            try:
                self._refuse(self._buffer, Flaw.TOO_SLOW)
            except UnreadableError as error:
                self._refuse_unreadable(error)
        elif self._quiet():
            if not self._owner.draining:
                self._owner.count("idle")
            self._transport.close()

    def drain(self) -> None:
        """Take no new request, but what is on its way: the gateway stops."""
        if self._incoming is not None or self._lingering or self._waits:
            return
        if self._served and not self._buffer and self._quiet():
            self._transport.close()
        else:
            self.deadline = min(self.deadline, self._owner.now + _LAST_REQUEST_S)

    def cut(self) -> None:
        """End it now, with the call that may be under way."""
        self._gone()
        self._transport.abort()

    @property
    def open(self) -> bool:
        """Whether it is not closed."""
        return not self._transport.is_closing()

    @property
    def task(self) -> asyncio.Task[None] | None:
        """What serves the request under way."""
        return self._task

    # the answer

    @property
    def ends(self) -> bool:
        """Whether the answer under way is the last one of this connection."""
        return self._owner.draining

    def write(self, data: bytes) -> None:
        """Send."""
        self._transport.write(data)

    async def writable(self) -> None:
        """Wait until the caller has taken enough of what was sent, or has gone."""
        while not self._writable and self._incoming is not None and not self._incoming.gone:
            self._writer = self._loop.create_future()
            await self._writer

    def break_off(self, *, reset: bool) -> None:
        """Close at once; with `reset` not in the ordinary way, which would be the end of the answer."""
        if reset:
            connection = self._transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._transport.abort()

    def _wake_writer(self) -> None:
        if self._writer is not None and not self._writer.done():
            self._writer.set_result(None)

    def _hold(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        if len(self._buffer) > MOST_HELD and self._reading:
            self._pause()

    def _pause(self) -> None:
        self._reading = False
        self._transport.pause_reading()

    def _resume(self) -> None:
        self._reading = True
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def _quiet(self) -> bool:
        """Whether nothing has arrived that the event loop has not seen yet."""
        poll = select.poll()
        poll.register(self._transport.get_extra_info("socket"), select.POLLIN)
        return not poll.poll(0)
