"""A provider whose every byte a test chooses, and the client that the gateway speaks to it with."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import uvloop

from lienthong.gateway.http1.address import Origin
from lienthong.gateway.http1.errors import ProviderBrokenError
from lienthong.gateway.http1.limits import TimeLimits
from lienthong.gateway.http1.pool import Pool
from lienthong.gateway.response_headers import passed_headers
from tests.support.authorities import trust_of_this_machine
from tests.support.waiting import eventually

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine

    from lienthong.gateway.http1.connection import Connection

    Serve = Callable[["Peer"], Awaitable[None]]

KIB, MIB = 1 << 10, 1 << 20
LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "uvloop": uvloop.new_event_loop,
    "asyncio": asyncio.new_event_loop,
}
LONG_S = 20.0
"""A deadline that no exchange of these tests comes near; one that hangs fails by it."""
UNLIMITED = TimeLimits(first_byte_s=2 * LONG_S, idle_s=2 * LONG_S)
"""Of an exchange that only has to be over at its deadline."""
KERNEL_BYTES = 24 * MIB
"""More than the buffers of two sockets on the loopback hold."""

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
SECOND = b"HTTP/1.1 201 Created\r\ncontent-length: 6\r\n\r\nsecond"
FORGED = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


async def bounded(work: Coroutine[Any, Any, None]) -> None:
    """Do `work`, or fail when it takes too long."""
    async with asyncio.timeout(2 * LONG_S):
        await work


def on_both_loops(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a test on the loop of production and on the standard library's."""

    @functools.wraps(test)
    def run(loop: str, **given: object) -> None:
        with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
            unhandled: list[dict[str, Any]] = []
            runner.get_loop().set_exception_handler(lambda _, context: unhandled.append(context))
            runner.run(bounded(test(**given)))
        assert not unhandled, "nothing is raised out of a callback"

    loop = inspect.Parameter("loop", inspect.Parameter.KEYWORD_ONLY)
    parameters = [*inspect.signature(test).parameters.values(), loop]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    on_each: Callable[..., None] = pytest.mark.parametrize("loop", LOOPS)(run)
    return on_each


class Peer:
    """The provider's side of one connection."""

    def __init__(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.number = number
        """In the order in which connections came, from 0."""
        self.reader = reader
        self.writer = writer

    async def request(self) -> bytes:
        """The head of the next request."""
        return await self.reader.readuntil(b"\r\n\r\n")

    async def send(self, *segments: bytes) -> None:
        """Send segments, each of which the client reads by itself."""
        for segment in segments:
            if self.writer.is_closing():
                raise ConnectionResetError
            self.writer.write(segment)
            await self.writer.drain()
            for _ in range(4):
                await asyncio.sleep(0)

    async def flood(self, piece: bytes, *, most: int) -> int:
        """Send a piece again and again, until the client hangs up or `most` bytes; how many bytes it was."""
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < most and not self.reader.at_eof() and not self.writer.is_closing():
                self.writer.write(piece)
                await self.writer.drain()
                sent += len(piece)
        return sent

    async def gone(self) -> None:
        """Return when the client has closed the connection."""
        with contextlib.suppress(ConnectionError):
            while await self.reader.read(MIB):
                pass


@dataclass
class Got:
    """What an exchange came to."""

    status: int
    fields: list[tuple[bytes, bytes]]
    body: bytes
    connection: Connection


@dataclass
class Wire:
    """A provider, and a pool that leads to it."""

    pool: Pool
    origin: Origin
    peers: list[Peer] = field(default_factory=list)

    @property
    def now(self) -> float:
        """The loop's clock."""
        return asyncio.get_running_loop().time()

    async def take(self) -> Connection:
        """A kept connection, or a new one."""
        kept = self.pool.idle(self.origin)
        return kept or await self.pool.connect(self.origin, self.now + LONG_S)

    async def call(
        self,
        method: str = "GET",
        deadline_s: float = LONG_S,
        upload: AsyncIterator[bytes] | None = None,
        declared: int | None = None,
        path: str = "/x",
        limits: TimeLimits = UNLIMITED,
    ) -> Got:
        """One exchange, the way the gateway makes it."""
        # A busy machine may be slow to connect: the deadline is that of the exchange.
        connection = await self.take()
        try:
            self.begin(connection, method, deadline_s, upload, declared, path, limits)
            await connection.head()
            return Got(connection.status, connection.fields, await rest(connection), connection)
        finally:
            connection.end()

    def begin(
        self,
        connection: Connection,
        method: str = "GET",
        deadline_s: float = LONG_S,
        upload: AsyncIterator[bytes] | None = None,
        declared: int | None = None,
        path: str = "/x",
        limits: TimeLimits = UNLIMITED,
    ) -> None:
        """Send a request."""
        framing = "" if upload is None else "transfer-encoding: chunked\r\n"
        if declared is not None:
            framing = f"content-length: {declared}\r\n"
        request = f"{method} {path} HTTP/1.1\r\nhost: provider\r\n{framing}\r\n".encode()
        until = self.now + deadline_s
        connection.begin(request, bodiless=method == "HEAD", limits=limits, until=until)
        if upload is not None:
            connection.upload(upload, chunked=declared is None)


async def rest(connection: Connection) -> bytes:
    """All of a body that is still to come."""
    parts: list[bytes] = []
    while (part := await connection.chunk()) is not None:
        parts.append(part)
    return b"".join(parts)


@contextlib.asynccontextmanager
async def provider(
    serve: Serve, tls: ssl.SSLContext | None = None, trusted: ssl.SSLContext | None = None
) -> AsyncIterator[Wire]:
    """Serve connections with `serve`; afterwards everything is closed, and what `serve` raised is raised."""
    tasks: set[asyncio.Task[None]] = set()
    errors: list[Exception] = []

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())  # type: ignore[arg-type]
        peer = Peer(len(wire.peers), reader, writer)
        wire.peers.append(peer)
        try:
            await serve(peer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        except Exception as error:  # noqa: BLE001  raised below, in the test
            errors.append(error)
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(speak, "127.0.0.1", 0, ssl=tls, limit=MIB)
    port = int(server.sockets[0].getsockname()[1])
    pool = Pool(connect_timeout=5, tls=trusted or trust_of_this_machine())
    wire = Wire(pool, Origin("127.0.0.1", port, tls is not None))
    try:
        yield wire
    finally:
        pool.close()
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await eventually(lambda: not pool._open, "every connection is forgotten")
        # What is closed is let go of in the loop's next rounds.
        for _ in range(5):
            await asyncio.sleep(0)
    if errors:
        raise errors[0]


async def rounds() -> None:
    """Let the loop go round so often that everything which only waits for its turn is done.

    For so long a sleep would have to be longer than the machine may do something else.
    """
    for _ in range(50):
        await asyncio.sleep(0)


async def standstill(value: Callable[[], int]) -> int:
    """Wait until a number grows no more."""
    last, same = value(), 0
    while same < 20:
        await asyncio.sleep(0.01)
        same = same + 1 if value() == last else 0
        last = value()
    return last


def answering(*answers: bytes | tuple[bytes, ...], close: bool = False) -> Serve:
    """Answer requests in turn, whatever connection they come on; a tuple is sent in segments.

    When `close` is set, the connection is closed after each answer.
    """
    left = list(answers)

    async def serve(peer: Peer) -> None:
        while left:
            await peer.request()
            answer = left.pop(0)
            await peer.send(*((answer,) if isinstance(answer, bytes) else answer))
            if close:
                peer.writer.close()
                return
        await peer.gone()

    return serve


def values(got: Got, name: bytes) -> list[bytes]:
    """The values of a field."""
    return [value for known, value in got.fields if known.lower() == name]


async def refused(wire: Wire) -> None:
    """Make an exchange whose answer has to be refused: by the client, or by who takes its fields apart."""
    with pytest.raises(ProviderBrokenError):  # noqa: PT012  both are one step of the way of a call
        got = await wire.call(deadline_s=LONG_S)
        passed_headers(got.fields, from_platform=False)
