"""One connection to a provider: one exchange after the other, responses parsed by llhttp.

Everything happens on the event loop of the worker, without handing over to another thread: that is why the
gateway has its own instead of using an HTTP client library (ADR 0014).
"""

from __future__ import annotations

import asyncio
import re
import select
import ssl
import time
from typing import TYPE_CHECKING, Final, Protocol

import httptools

from lienthong.gateway.http1.errors import (
    ExchangeTooLongError,
    ProviderBrokenError,
    ProviderTimeoutError,
    UploadTimeoutError,
)
from lienthong.gateway.http1.limits import TimeLimits
from lienthong.gateway.http1.request import LAST_CHUNK, chunk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lienthong.gateway.http1.address import Origin

MAX_HEAD_BYTES = 64 * 1024
"""The limit of a response's head, of its trailers, and of the framing between two parts of its body."""
MAX_FIELDS = 200
"""Of a response; many clients take no more than 100, and servers send a dozen or two."""
_BUFFERED_BYTES = 256 * 1024
"""When more of a body than this has not been read yet, reading from the provider pauses."""
_FRAMING = frozenset((b"content-length", b"transfer-encoding"))
_KEEP_ALIVE: Final = b"keep-alive"
_KEEP_ALIVE_LENGTH: Final = len(_KEEP_ALIVE)
_TIMEOUT: Final = re.compile(rb"(?i)(?:^|[,;\s])timeout\s*=\s*\"?([0-9]{1,6})(?![0-9])")
_ON_THE_WAY_S: Final = 0.5
"""By so much sooner than its provider closes it is a connection not used any more: a request needs time
to get there."""
_CONTINUE, _SWITCHING_PROTOCOLS, _FIRST_FINAL_STATUS = 100, 101, 200
_FIRST_ERROR_STATUS, _LAST_STATUS = 400, 599
_WITHOUT_BODY = (204, 304)
_NO_PARSER: Final = httptools.HttpResponseParser(object())
_NO_LIMITS: Final = TimeLimits()


class ConnectionOwner(Protocol):
    """Holds connections between exchanges; `Pool` is one."""

    def keep(self, connection: Connection) -> None:
        """Take back a connection that is open and whose exchange is over."""
        ...

    def forget(self, connection: Connection) -> None:
        """Drop a connection that has closed."""
        ...


class Connection:
    """A connection for HTTP/1.1, created by `loop.create_connection`.

    `begin` sends a request, `head` waits for the response's `status` and `fields`, `chunk` returns its body
    part by part, and `end` gives the connection back to its owner, or closes it when the exchange is not
    complete.
    """

    __slots__ = (
        "_bodiless",
        "_buffered",
        "_busy",
        "_chunks",
        "_complete",
        "_error",
        "_head_bytes",
        "_head_complete",
        "_heard",
        "_keep_alive",
        "_limits",
        "_loop",
        "_overhead",
        "_owner",
        "_parser",
        "_reading",
        "_refused",
        "_since",
        "_timer",
        "_timer_at",
        "_transport",
        "_unseen",
        "_unsent",
        "_until",
        "_upload",
        "_uploading",
        "_waiter",
        "_writable",
        "fields",
        "opened",
        "origin",
        "rests_s",
        "status",
    )

    _transport: asyncio.Transport

    def __init__(self, origin: Origin, owner: ConnectionOwner) -> None:
        self.origin = origin
        self.opened = time.monotonic()
        """When it was made, by the monotonic clock, in seconds."""
        self.status = 0
        self.fields: list[tuple[bytes, bytes]] = []
        """Names as the provider spells them, and values, in the provider's order."""
        self.rests_s = float("inf")
        """How long it may rest between two exchanges, as the provider said last."""
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._unseen = select.poll()
        self._busy = False
        self._bodiless = self._head_complete = self._complete = self._keep_alive = False
        self._uploading = self._heard = self._refused = False
        self._overhead = self._head_bytes = self._unsent = 0
        self._chunks: list[bytes] = []
        self._buffered = 0
        self._reading = True
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._upload: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._limits = _NO_LIMITS
        self._since = self._until = self._timer_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def open(self) -> bool:
        """Whether neither side is known to have closed it."""
        return not self._transport.is_closing()

    @property
    def silent(self) -> bool:
        """Whether nothing has come in this exchange."""
        return not self._heard

    @property
    def quiet(self) -> bool:
        """Whether the socket has nothing to read: neither its end nor bytes that no request asked for.

        The event loop may not have seen them yet, so the socket itself is polled.
        """
        return not self._unseen.poll(0)

    # the exchange

    def begin(self, request: bytes, *, bodiless: bool, limits: TimeLimits, until: float) -> None:
        """Send a request: its head, and its body as far as it is known.

        `bodiless` says that the response has no body, whatever its fields declare: HEAD (RFC 9110 section
        9.3.2). Whoever takes the time, the exchange has to be over by `until`, on the loop's clock.
        """
        if self._bodiless and self.open:
            # llhttp still expects the body that the fields of the last response declared.
            self._parser = httptools.HttpResponseParser(self)
        self._busy = True
        self._bodiless = bodiless
        self._head_complete = self._complete = self._keep_alive = self._uploading = False
        self._heard = self._refused = False
        self._overhead = self._head_bytes = self._buffered = 0
        self.fields = []
        self._chunks = []
        self._limits, self._until, self._since = limits, until, self._loop.time()
        self._watch()
        if self.open:
            self._transport.write(request)
        else:
            # connection_lost may have been called before: nothing else would wake the exchange.
            self._fail(ProviderBrokenError("closed before the request was sent"))

    def upload(self, chunks: AsyncIterator[bytes], *, chunked: bool) -> None:
        """Send the body while waiting for the response; `head` and `chunk` raise what `chunks` raises."""
        self._uploading = True
        self._upload = self._loop.create_task(self._send(chunks, chunked=chunked))

    async def head(self) -> None:
        """Wait for the status and the fields of the final response.

        Raises:
            ProviderTimeoutError, ProviderBrokenError: and what the body raised while it was sent.
        """
        while not self._head_complete:
            await self._progress()

    async def chunk(self) -> bytes | None:
        """The next part of the body, as much as has been received; None at its end.

        Raises:
            ProviderTimeoutError, ProviderBrokenError: and what the body raised while it was sent.
        """
        while not self._chunks:
            if self._complete:
                return None
            await self._progress()
        chunks, self._chunks, self._buffered = self._chunks, [], 0
        if not self._reading:
            self._resume()
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def end(self) -> None:
        """End the exchange; what is left of it is discarded. May be called twice."""
        if not self._busy:
            return
        self._busy = False
        upload, self._upload = self._upload, None
        if upload is not None and not upload.done():
            upload.cancel()
            self._keep_alive = False
        usable = self._complete and self._keep_alive and not self._refused
        if usable and self._reading and self._error is None and self.open:
            self._owner.keep(self)
        else:
            self._chunks, self._buffered = [], 0
            self._transport.abort()

    def close(self) -> None:
        """Close it now; an exchange in progress fails."""
        self._fail(ProviderBrokenError("the gateway is closing"))

    def _progress(self) -> asyncio.Future[None]:
        """A future that is done when something was received."""
        if self._error is not None:
            raise self._error
        self._waiter = waiter = self._loop.create_future()
        return waiter

    async def _send(self, chunks: AsyncIterator[bytes], *, chunked: bool) -> None:
        try:
            async for part in chunks:
                if not self.open:
                    return
                if not part:
                    continue  # A chunk of no bytes would be the end (RFC 9112 section 7.1).
                if not self.quiet:
                    # Read first: a provider that refuses and closes resets the connection, and to write to it
                    # then would lose what it said.
                    await asyncio.sleep(0)
                if self._refused:
                    break
                self._transport.write(chunk(part) if chunked else part)
                await self._writable.wait()
            if chunked and self.open and not self._refused:
                self._transport.write(LAST_CHUNK)
            self._uploading = False
            self._go_on()
        except Exception as error:  # noqa: BLE001  `head` or `chunk` raises it
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        if not self._complete and self._error is None:
            self._error = error
        self._keep_alive = False
        self._transport.abort()
        self._wake()

    def _pause(self) -> None:
        self._reading = False
        self._transport.pause_reading()
        if self.origin.tls:
            # Below TLS too: uvloop discards what is buffered there when the TCP connection ends.
            self._transport.set_read_buffer_limits(high=0)  # type: ignore[attr-defined]

    def _resume(self) -> None:
        self._reading = True
        self._go_on()
        if self.open:
            self._transport.resume_reading()
            if self.origin.tls:
                # After what TLS has buffered was read: the end of the connection may follow.
                self._loop.call_soon(self._resume_below)

    def _resume_below(self) -> None:
        if self._reading and self.open:
            self._transport.set_read_buffer_limits()  # type: ignore[attr-defined]

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    # time

    def _due(self) -> float:
        """When the time of what is waited for at present is over, on the loop's clock."""
        if self._uploading:
            # What does not come from the caller is no matter of the provider's.
            waits = not self._writable.is_set()
            limit = self._limits.idle_s
        else:
            waits = self._reading
            limit = self._limits.idle_s if self._head_complete else self._limits.first_byte_s
        return min(self._since + limit, self._until) if waits else self._until

    def _go_on(self) -> None:
        """Give the provider its time anew: something has gone on, or it is waited for again."""
        if self._busy and not self._complete:
            self._since = self._loop.time()
            self._watch()

    def _watch(self) -> None:
        # One timer serves many exchanges: most are over before it, and a later time needs no new one.
        due = self._due()
        if self._timer is None or due < self._timer_at:
            self._set_timer(due)

    def _set_timer(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = at
        self._timer = self._loop.call_at(at, self._tick)

    def _tick(self) -> None:
        self._timer = None
        if not self._busy or self._complete:
            return
        if self._uploading and (unsent := self._transport.get_write_buffer_size()) < self._unsent:
            self._unsent, self._since = unsent, self._loop.time()
        now, due = self._loop.time(), self._due()
        if due > now:
            self._set_timer(due)
        elif self._until > now:
            self._fail(ProviderTimeoutError("it has not gone on in time"))
        elif self._uploading and self._writable.is_set():
            self._fail(UploadTimeoutError("the request's body did not come in time"))
        else:
            self._fail(ExchangeTooLongError("the exchange takes too long"))

    # as asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport  # type: ignore[assignment]
        self._unseen.register(transport.get_extra_info("socket"), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        """Parse what was received."""
        if not self._busy:
            # No request asked for this. The next exchange must not take it for its response.
            self._transport.abort()
            return
        self._heard = True
        self._overhead += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            cause = error.__context__
            self._fail(
                cause
                if isinstance(cause, ProviderBrokenError)
                else ProviderBrokenError(f"not an HTTP response: {error!r}")
            )
        if self._overhead > MAX_HEAD_BYTES:
            self._fail(ProviderBrokenError(f"more than {MAX_HEAD_BYTES} bytes of fields"))
        if self._bodiless and self._complete and not data.endswith(b"\n"):
            # The beginning of a chunk, of which llhttp says nothing yet, where there is no body.
            self._keep_alive = False
        if self._head_complete and not self._complete:
            self._go_on()
        self._wake()

    def eof_received(self) -> None:
        """End a response that declares no length (RFC 9112 section 6.3)."""
        if not self._busy or self._complete:
            return
        if self._head_complete and not self._framed() and not self._cut_off():
            self._complete = True
            self._wake()
        else:
            # At once: the transport closes only after the provider has read what is left of the request.
            self._fail(ProviderBrokenError("closed too early"))

    def connection_lost(self, error: Exception | None) -> None:
        """Fail the exchange in progress."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._busy:
            if not self._complete and self._error is None:
                self._error = ProviderBrokenError(
                    f"the connection was lost: {error!r}" if error else "closed too early"
                )
            self._wake()
        self._writable.set()
        self._owner.forget(self)
        # The parser refers to this connection: without the cycle neither needs the garbage collector.
        self._parser = _NO_PARSER

    def pause_writing(self) -> None:
        """Hold the upload back: the provider reads too slowly."""
        self._writable.clear()
        self._unsent = self._transport.get_write_buffer_size()
        self._go_on()

    def resume_writing(self) -> None:
        """Continue the upload."""
        self._writable.set()

    # llhttp

    def on_message_begin(self) -> None:
        """Note that something follows a complete response, which no request asked for."""
        if self._complete:
            self._keep_alive = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Store a field; trailers are dropped (RFC 9110 section 6.5.1)."""
        if not self._head_complete:
            self._head_bytes += len(name) + len(value)
            if self._head_bytes > MAX_HEAD_BYTES or len(self.fields) >= MAX_FIELDS:
                raise ProviderBrokenError(f"over {MAX_HEAD_BYTES} bytes or {MAX_FIELDS} fields in the head")
            # llhttp leaves the white space after a value in it (RFC 9112 section 5.1).
            self.fields.append((name, value.rstrip(b" \t")))
            if len(name) == _KEEP_ALIVE_LENGTH and name.lower() == _KEEP_ALIVE:
                self._rest(value)

    def _rest(self, value: bytes) -> None:
        """Note for how long the provider keeps a connection that rests (RFC 2068 section 19.7.1.1)."""
        found = _TIMEOUT.search(value)
        if found is not None:
            self.rests_s = int(found[1]) - _ON_THE_WAY_S

    def on_headers_complete(self) -> None:
        """Store the status; an interim response is skipped (RFC 9110 section 15.2)."""
        if self._complete:
            return
        status = self._parser.get_status_code()
        if status < _FIRST_FINAL_STATUS:
            if status < _CONTINUE or status == _SWITCHING_PROTOCOLS or self._framed():
                # Raised, so that llhttp does not go on to what follows.
                raise ProviderBrokenError(f"unexpected status {status}")
            self.fields = []
            return
        if status > _LAST_STATUS:
            raise ProviderBrokenError(f"unexpected status {status}")
        self.status = status
        self._head_complete = True
        # Who is refused stops sending (RFC 9112 section 9.5).
        self._refused = self._uploading and status >= _FIRST_ERROR_STATUS
        self._overhead = 0
        if self._bodiless or status in _WITHOUT_BODY:
            self._bodiless = True
            self._completed()

    def on_chunk_header(self) -> None:
        """Note that a body follows where there is none."""
        if self._complete:
            self._keep_alive = False

    def on_body(self, part: bytes) -> None:
        """Store a part of the body."""
        if self._complete:
            self._keep_alive = False
            return
        self._overhead = 0
        self._chunks.append(part)
        self._buffered += len(part)
        if self._buffered > _BUFFERED_BYTES and self._reading:
            self._pause()

    def on_message_complete(self) -> None:
        """Complete the response."""
        if self._head_complete and not self._complete:
            self._overhead = 0
            self._completed()

    def _completed(self) -> None:
        self._complete = True
        self._keep_alive = self._parser.should_keep_alive()

    def _cut_off(self) -> bool:
        """Whether a TLS connection ended without close_notify: the body may be cut (RFC 9112 section 9.8).

        uvloop does not call eof_received then; asyncio does.
        """
        tls = self._transport.get_extra_info("ssl_object")
        if tls is None:
            return False
        try:
            return bool(tls.read(1))
        except ssl.SSLError:
            return True

    def _framed(self) -> bool:
        return any(name.lower() in _FRAMING for name, _ in self.fields)
