"""Whatever bytes come from a provider, in whatever pieces: what the client side of the gateway promises.

The stream of a script is cut at `<<next>>`: each part is what comes for one request, over a connection that
is used as long as it is kept. `check` plays it as a whole and in pieces, and each part alone.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Final, cast

from lienthong.gateway.http1.address import Origin
from lienthong.gateway.http1.connection import MAX_HEAD_BYTES, Connection
from lienthong.gateway.http1.errors import ProviderError
from lienthong.gateway.http1.limits import TimeLimits
from tests.fuzz.clock import FindingError, VirtualLoop, settle
from tests.fuzz.readers import read_response
from tests.fuzz.script import Script, pieces, read_script
from tests.fuzz.wire import Gaps, Reads, Wire, pause

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NEXT: Final = b"<<next>>"
_PHRASE = re.compile(rb"HTTP/1\.[01] [0-9]{3} [^\r\n]*[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_EMPTY_LINE = re.compile(rb"(?:\A|\r\n\r\n)[\r\n]")
_LINE_ENDS = (b"\r", b"\n")
_ORIGIN = Origin("provider", 80, tls=False)
_DEADLINE_S = 10.0
_LIMITS = TimeLimits(first_byte_s=_DEADLINE_S, idle_s=_DEADLINE_S)
_MOST_PARTS = 4
_MOST_HELD = 256 * 1024
_UPLOADED = (b"abc", b"", b"d" * 40_000, b"e" * 40_000)


class Ask(IntEnum):
    """What is asked, and how."""

    GET = 0
    HEAD = 1
    UPLOAD = 2
    """A body in chunks, sent while the answer comes."""
    LATE = 3
    """The body of the answer is taken after three seconds."""
    ABANDON = 4
    """The exchange is ended after the first part of the body."""
    UPLOAD_FAILS = 5


class End(IntEnum):
    """What happens when all of a part has come."""

    WAIT = 0
    EOF = 1
    RESET = 2


_COMPARED = frozenset((Ask.GET, Ask.HEAD, Ask.LATE))


@dataclass
class Exchange:
    """What came of one request."""

    status: int = 0
    fields: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    whole: bool = False
    error: str | None = None
    kept: bool = False
    """Whether the next request goes over the same connection."""
    late: float = 0.0
    """Seconds after the deadline."""


class UploadError(Exception):
    """A caller's body that breaks off."""


class Owner:
    """Has the connection between two exchanges, as a pool does."""

    def __init__(self) -> None:
        self.kept: Connection | None = None
        self.forgotten = 0

    def keep(self, connection: Connection) -> None:
        if self.kept is not None:
            raise FindingError("kept twice")
        self.kept = connection

    def take(self) -> Connection | None:
        """The connection that is kept, for another exchange."""
        taken, self.kept = self.kept, None
        return taken

    def forget(self, connection: Connection) -> None:
        self.kept = None if self.kept is connection else self.kept
        self.forgotten += 1


class ProvidersWire(Wire):
    """Looks at how much is taken that nobody has asked for."""

    def __init__(self, reads: Reads) -> None:
        super().__init__(reads)
        self.untaken = 0

    def before_delivery(self, size: int) -> None:
        self.untaken += size
        if self.untaken > _MOST_HELD + MAX_HEAD_BYTES + 2 * size:
            raise FindingError(f"{self.untaken} bytes were taken that nobody has asked for")


async def _upload(*, fails: bool) -> AsyncIterator[bytes]:
    for part in _UPLOADED:
        await asyncio.sleep(0.1)
        yield part
    if fails:
        raise UploadError


async def play(script: Script, parts: list[tuple[bytes, ...]]) -> list[Exchange]:
    """Play a script: for each request the pieces that come for it.

    Raises:
        FindingError: something that is promised did not hold.
    """
    owner, found = Owner(), []
    wire: ProvidersWire | None = None
    for part in parts:
        connection = owner.take()
        if connection is None or wire is None:
            wire = ProvidersWire(Reads(script.reads % len(Reads)))
            connection = Connection(_ORIGIN, owner)
            wire.connect(cast("asyncio.Protocol", connection))
        exchange = await _exchange(script, connection, wire, part)
        exchange.kept = owner.kept is connection and connection.open and connection.quiet
        found.append(exchange)
        if not exchange.kept:
            connection.close()
            await asyncio.wait([wire.lost], timeout=_DEADLINE_S)
            if not wire.lost.done():
                raise FindingError("a connection that is not kept stays open")
            owner.take()
    last = owner.take()
    if last is not None and wire is not None:
        last.close()
        await wire.lost
    return found


async def _exchange(
    script: Script, connection: Connection, wire: ProvidersWire, part: tuple[bytes, ...]
) -> Exchange:
    """Make one request; the pieces come while it waits."""
    loop = asyncio.get_running_loop()
    ask = Ask(script.serve % len(Ask))
    exchange, deadline = Exchange(), loop.time() + _DEADLINE_S
    wire.untaken = 0
    uploads = ask in (Ask.UPLOAD, Ask.UPLOAD_FAILS)
    request = b"%b / HTTP/1.1\r\nhost: x\r\n\r\n" % (b"HEAD" if ask is Ask.HEAD else b"GET")
    connection.begin(request, bodiless=ask is Ask.HEAD, limits=_LIMITS, until=deadline)
    if uploads:
        connection.upload(_upload(fails=ask is Ask.UPLOAD_FAILS), chunked=True)
    arriving = loop.create_task(_arrive(script, wire, part))
    try:
        await _take(exchange, connection, wire, ask)
    except ProviderError as error:
        exchange.error = type(error).__name__
    except UploadError:
        exchange.error = "UploadError"
    exchange.late = max(loop.time() - deadline, 0)
    if exchange.late > 1 and ask is not Ask.LATE:
        raise FindingError(f"an exchange ended {exchange.late} s after its deadline")
    connection.end()
    await arriving
    await settle()
    return exchange


async def _take(exchange: Exchange, connection: Connection, wire: ProvidersWire, ask: Ask) -> None:
    await connection.head()
    exchange.status, exchange.fields = connection.status, list(connection.fields)
    if ask is Ask.LATE:
        await asyncio.sleep(3)
    while (chunk := await connection.chunk()) is not None:
        if not chunk:
            raise FindingError("a part of a body without a byte")
        wire.untaken = 0
        exchange.body += chunk
        if ask is Ask.ABANDON:
            return
    exchange.whole = True


async def _arrive(script: Script, wire: Wire, part: tuple[bytes, ...]) -> None:
    end, gaps = End(script.end % len(End)), Gaps(script.gaps % len(Gaps))
    for piece in part:
        wire.deliver(piece)
        await pause(gaps)
    await settle()
    if end is End.EOF:
        wire.end_input()
    elif end is End.RESET:
        wire.reset()


def check(data: bytes) -> None:
    """Play the script that these bytes are, and look at everything that is promised.

    Raises:
        FindingError: something did not hold.
    """
    script = read_script(data)
    if script is None:
        return
    streams = script.stream.split(NEXT)[:_MOST_PARTS]
    whole = VirtualLoop().play(play(script, [(stream,) for stream in streams]))
    cut = VirtualLoop().play(play(script, [pieces(stream, data[0]) for stream in streams]))
    for exchanges in (whole, cut):
        for stream, exchange in zip(streams, exchanges, strict=True):
            _check_one(script, stream, exchange)
    compared = Ask(script.serve % len(Ask)) in _COMPARED and script.end % len(End) != End.RESET
    if compared and script.gaps % len(Gaps) != Gaps.HALF_A_SECOND:
        _check_same(streams, whole, cut)
        for stream, exchange in zip(streams, whole, strict=True):
            # On a connection of its own: nothing of one answer gets into another.
            [alone] = VirtualLoop().play(play(script, [(stream,)]))
            if alone != exchange:
                raise FindingError(f"after others {exchange}, alone {alone}")


def _check_one(script: Script, stream: bytes, exchange: Exchange) -> None:
    """An answer or an error, and where h11 reads an answer too it is the same one."""
    ask, end = Ask(script.serve % len(Ask)), End(script.end % len(End))
    if exchange.error is None and not exchange.whole and ask is not Ask.ABANDON:
        raise FindingError(f"neither an answer nor an error: {exchange}")
    if exchange.kept and (exchange.error is not None or end is not End.WAIT):
        raise FindingError(f"kept after {exchange}")
    if exchange.error is not None or ask not in _COMPARED:
        return
    method = b"HEAD" if ask is Ask.HEAD else b"GET"
    foreign = read_response(stream, method, closed=end is End.EOF)
    if not foreign.messages or not foreign.messages[0].whole:
        if not _known_to_be_refused(foreign.refused, stream):
            raise FindingError(f"h11 has {foreign}, the gateway {exchange}")
        return
    [message] = foreign.messages
    theirs = (message.start, message.fields, message.body)
    ours = ((b"%d" % exchange.status,), _alike(exchange.fields), exchange.body)
    if ours != theirs:
        raise FindingError(f"the answer is {ours}, to h11 {theirs}")
    empty_lines = foreign.behind != b"" and not foreign.behind.strip(b"\r\n")
    if exchange.kept and foreign.ends and not empty_lines:
        raise FindingError(f"kept, though h11 would not: {exchange}")


def _alike(fields: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Fields as h11 spells them."""
    found = [(name.lower(), value) for name, value in fields]
    return [(name, value.lower() if name == b"transfer-encoding" else value) for name, value in found]


def _known_to_be_refused(refused: str | None, stream: bytes) -> bool:
    """What h11 does not take and the gateway does.

    Empty lines before a status line, and control characters in its phrase, which nobody reads; codings beside
    `chunked` are refused by a stage.
    """
    if refused is None:
        return False
    if "response line" in refused or "status line" in refused:
        return any(form.search(stream) for form in (_EMPTY_LINE, _PHRASE))
    return "Transfer-Encoding" in refused


def _check_same(streams: list[bytes], whole: list[Exchange], cut: list[Exchange]) -> None:
    for number, (stream, one, other) in enumerate(zip(streams, whole, cut, strict=True)):
        if len(stream) - len(one.body) > MAX_HEAD_BYTES:
            # How much may stand between two parts of a body depends on the pieces.
            continue
        if one.kept and not other.kept and stream.endswith(_LINE_ENDS):
            # llhttp passes over empty lines behind an answer; what comes later ends the connection.
            other.kept = True
        if one.error != other.error or (one.error is None and one != other) or one.kept != other.kept:
            raise FindingError(f"exchange {number} is as a whole {one}, in pieces {other}")
