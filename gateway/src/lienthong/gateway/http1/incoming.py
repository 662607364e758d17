"""One request of a caller while it is served: what came, the body as it comes, and the answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from lienthong.gateway.http1 import answer
from lienthong.gateway.http1.errors import BrokenRequestError, CallerGoneError
from lienthong.gateway.http1.head import END_OF_HEAD
from lienthong.gateway.http1.request import LAST_CHUNK, chunk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from lienthong.gateway.http1.head import Flaw, RequestLine


class CallersConnection(Protocol):
    """The connection that a request came on; `Caller` is one."""

    ip: str | None
    of_edge: bool
    date: answer.DateField

    @property
    def task(self) -> asyncio.Task[None] | None:
        """What serves the request under way."""
        ...

    @property
    def ends(self) -> bool:
        """Whether no other request is taken from it after this one."""
        ...

    def want_body(self) -> None:
        """Begin, or go on, to read the body of the request under way."""
        ...

    def write(self, data: bytes) -> None:
        """Send."""
        ...

    async def writable(self) -> None:
        """Wait until the caller has taken enough of what was sent. Returns also when it has gone."""
        ...

    def break_off(self, *, reset: bool) -> None:
        """Close the connection at once, so that the caller sees that the answer is not complete.

        `reset` where its ordinary end would be that of the answer.
        """
        ...


class Incoming:
    """A request, and the answer to it.

    In a `with` block the one task that serves the request is ended with CallerGoneError when the caller goes
    away, unless what it waits for is done at that very moment: so look at `gone` afterwards. Outside of such
    a block only `gone` is set.
    """

    __slots__ = (
        "_armed",
        "_broken",
        "_chunked",
        "_connection",
        "_ends_with_connection",
        "_held",
        "_parts",
        "_returned",
        "_waiter",
        "_watch",
        "_worker",
        "answered",
        "before_1_1",
        "begun",
        "body_read",
        "fields",
        "flaw",
        "gone",
        "head",
        "head_read",
        "keep_alive",
        "method",
        "path",
        "query",
        "reads_body",
    )

    def __init__(self, line: RequestLine, connection: CallersConnection) -> None:
        self.method = line.method
        self.path = line.path
        self.query = line.query
        self.before_1_1 = line.before_1_1
        self.flaw = line.flaw
        self.fields: list[tuple[bytes, bytes]] = []
        """Names in lower case, and values, in the caller's order."""
        self.head = b""
        """All of the head, as it came."""
        self.head_read = False
        self.body_read = False
        """Whether all of the request has been received."""
        self.reads_body = False
        """Whether the body has been asked for."""
        self.gone = False
        """Whether the caller has closed the connection: nobody waits for the answer."""
        self.begun = False
        """Whether something of the answer has been sent."""
        self.answered = False
        """Whether all of the answer has been sent."""
        self.keep_alive = False
        """Whether the caller takes another answer on this connection."""
        self._connection = connection
        self._parts: list[bytes] = []
        self._held = 0
        self._returned = b""
        self._watch: Callable[[bytes], None] | None = None
        self._broken: Flaw | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._armed = False
        self._chunked = self._ends_with_connection = False
        self._worker: asyncio.Task[None] | None = None

    @property
    def ip(self) -> str | None:
        """The address that the request came from; None where the edge says it."""
        return self._connection.ip

    @property
    def of_edge(self) -> bool:
        """Whether it came over the socket that is the edge's own."""
        return self._connection.of_edge

    @property
    def last(self) -> bool:
        """Whether no other request is taken from this connection: the gateway stops."""
        return self._connection.ends

    # the body

    @property
    def held(self) -> int:
        """Bytes of the body that are here and were not taken."""
        return self._held

    def receive(self, part: bytes) -> None:
        """Take a part of the body from the connection."""
        self._parts.append(part)
        self._held += len(part)

    def give_back(self, beginning: bytes, watch: Callable[[bytes], None] | None) -> None:
        """Put the beginning of the body, which was taken, back: `take` returns it once more.

        `watch` is told what comes after it before anyone else gets it, and nothing at the end; what it
        raises, `take` does.
        """
        self._returned, self._watch = beginning, watch

    def take(self) -> bytes:
        """What is here of the body, without waiting.

        Raises:
            BrokenRequestError: the framing of the body is broken.
        """
        if self._returned:
            returned, self._returned = self._returned, b""
            return returned
        if not self._parts and not self.body_read:
            self._connection.want_body()
        parts, self._parts, self._held = self._parts, [], 0
        if not parts and self._broken is not None:
            raise BrokenRequestError(self._broken)
        if self._watch is not None and (parts or self.body_read):
            parts = [b"".join(parts)]
            self._watch(parts[0])
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def part(self) -> bytes:
        """The next part of the body; empty at its end.

        Raises:
            BrokenRequestError: the framing of the body is broken.
            CallerGoneError: the connection ended before the body.
        """
        while True:
            part = self.take()
            if part or self.body_read:
                return part
            if self.gone:
                raise CallerGoneError
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter

    def break_(self, flaw: Flaw) -> None:
        """The rest of the body cannot be read."""
        self._broken = flaw
        self.wake()

    def wake(self) -> None:
        """Tell whoever waits for the body that there is something new."""
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    # the caller

    def lose(self) -> None:
        """The caller has gone away."""
        if self.gone:
            return
        self.gone = True
        self.wake()
        if self._armed and self._worker is not None:
            self._worker.cancel()

    def __enter__(self) -> None:
        if self.gone:
            raise CallerGoneError
        self._worker = self._connection.task
        self._armed = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._armed = False
        if self.gone and self._worker is not None:
            self._worker.uncancel()
            if isinstance(error, asyncio.CancelledError):
                raise CallerGoneError from None

    # the answer

    def answer(self, status: int, fields: Sequence[bytes], body: bytes, *, dated: bool = False) -> None:
        """Send a whole answer. `fields`, as written, say how long it is, and `dated` ones from when it is."""
        if self.gone:
            return
        head = answer.head(status, fields, self._connection.date, dated=dated)
        self._connection.write(b"".join((head, self._ending(), END_OF_HEAD, body)))
        self.begun = self.answered = True

    def begin(self, status: int, fields: Sequence[bytes], *, declared: bool, dated: bool = False) -> None:
        """Send the head of an answer whose body follows in parts.

        Unless the length is `declared` among the fields, the body is sent in chunks, or, over HTTP/1.0, up to
        the end of the connection (RFC 9112 section 6.3).
        """
        self._chunked = not declared and not self.before_1_1
        self._ends_with_connection = not declared and not self._chunked
        self.keep_alive = self.keep_alive and (declared or self._chunked)
        head = answer.head(status, fields, self._connection.date, dated=dated)
        framing = answer.CHUNKED if self._chunked else b""
        self._connection.write(b"".join((head, framing, self._ending(), END_OF_HEAD)))
        self.begun = True

    async def write(self, part: bytes) -> None:
        """Send a part of the body, once the caller has taken enough of those before."""
        if part and not self.gone:
            self._connection.write(chunk(part) if self._chunked else part)
        await self._connection.writable()

    def finish(self, part: bytes) -> None:
        """Send the last part of the body."""
        if self.gone:
            return
        if self._chunked:
            part = chunk(part) + LAST_CHUNK if part else LAST_CHUNK
        if part:
            self._connection.write(part)
        self.answered = True

    def break_off(self) -> None:
        """End the connection instead of the answer."""
        self._connection.break_off(reset=self._ends_with_connection)

    def _ending(self) -> bytes:
        """The field that says whether the connection goes on, where that is not plain."""
        if not self.keep_alive or not self.body_read or self._connection.ends:
            self.keep_alive = False
            return answer.CLOSE
        return answer.KEEP_ALIVE if self.before_1_1 else b""
