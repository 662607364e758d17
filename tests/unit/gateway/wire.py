"""A caller's connection in memory: bytes in, bytes out, and what became of it."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, NamedTuple

from lienthong.gateway.http1.caller import Caller
from lienthong.gateway.http1.listener import Listener

if TYPE_CHECKING:
    from lienthong.gateway.http1.listener import Service

MAX_HEAD = 4000
_TURNS = 10


class MemoryTransport(asyncio.Transport):
    """The gateway's end. The other end has read everything `reads` seconds after its newest was written."""

    def __init__(self, reads: float = 0.0) -> None:
        super().__init__()
        self.reads = reads
        self.written = bytearray()
        self.closed = self.aborted = self.ended = False
        self.reading = True
        self.unsent = 0
        self.protocol: Caller | None = None
        self._reader: asyncio.TimerHandle | None = None
        self._socket, self._other = socket.socketpair()

    def get_extra_info(self, name: str, default: object = None) -> object:
        return self._socket if name == "socket" else default

    @property
    def state(self) -> str:
        """What became of the connection."""
        if self.aborted:
            return "aborted"
        return "closed" if self.closed else "half closed" if self.ended else "open"

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.ended, "written after the end"
        if self.closed:
            return
        self.written += data
        if self.reads and self.protocol is not None:
            self.protocol.pause_writing()
            if self._reader is not None:
                self._reader.cancel()
            self._reader = asyncio.get_running_loop().call_later(self.reads, self.protocol.resume_writing)

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            asyncio.get_running_loop().call_soon(self._lost)

    def abort(self) -> None:
        self.aborted = self.aborted or not self.closed
        self.close()

    def __del__(self) -> None:
        self._socket.close()
        self._other.close()

    def _lost(self) -> None:
        if self.protocol is not None:
            self.protocol.connection_lost(None)


def listener(service: Service, *, idle_s: float = 60.0, stall_s: float = 60.0) -> Listener:
    """What connections belong to, without a socket."""
    return Listener([], service, most=10, max_head=MAX_HEAD, idle_s=idle_s, stall_s=stall_s)


class Wire:
    """One connection of a caller."""

    def __init__(self, owner: Listener, ip: str = "10.0.0.7", reads: float = 0.0) -> None:
        self.owner = owner
        self.transport = MemoryTransport(reads)
        self.caller = Caller(owner, ip)
        self.transport.protocol = self.caller
        self.caller.connection_made(self.transport)

    def send(self, data: bytes) -> None:
        """What the caller sends; dropped where nobody takes it any more."""
        if data and not self.transport.closed:
            self.caller.data_received(data)

    def leave(self) -> None:
        """The caller closes its end."""
        if not self.transport.closed:
            self.caller.eof_received()
            self.transport.close()

    async def settle(self, within: float | None = None) -> None:
        """Wait until no request is under way, or for so many seconds, or until what came has been taken."""
        if within is None or within > 0:
            while (task := self.caller.task) is not None:
                _, going_on = await asyncio.wait([task], timeout=within)
                if going_on:
                    return
                await asyncio.sleep(0)
        for _ in range(_TURNS):
            await asyncio.sleep(0)

    def answers(self, *, bodiless: bool = False) -> list[Answer]:
        """What the caller got, one answer after another."""
        found, rest = [], bytes(self.transport.written)
        while rest:
            answer, rest = _answer(rest, bodiless=bodiless)
            found.append(answer)
        return found


class Answer(NamedTuple):
    """An answer as a caller reads it."""

    status: int
    fields: list[tuple[str, str]]
    """Without Date."""
    body: bytes
    whole: bool


def _answer(data: bytes, *, bodiless: bool) -> tuple[Answer, bytes]:
    head, end, rest = data.partition(b"\r\n\r\n")
    assert end, "the head of the answer is whole"
    line, *lines = head.decode().split("\r\n")
    version, status, _ = line.split(" ", 2)
    assert version == "HTTP/1.1"
    pairs = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
    assert sum(name == "date" for name, _ in pairs) == (status != "100")
    fields = [(name, value) for name, value in pairs if name != "date"]
    known = dict(fields)
    if bodiless or status in ("100", "204", "304"):
        return Answer(int(status), fields, b"", whole=True), rest
    if known.get("transfer-encoding") == "chunked":
        body, whole, rest = _chunks(rest)
        return Answer(int(status), fields, body, whole), rest
    length = int(known["content-length"]) if "content-length" in known else len(rest)
    return Answer(int(status), fields, rest[:length], whole=len(rest) >= length), rest[length:]


def _chunks(data: bytes) -> tuple[bytes, bool, bytes]:
    body = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        length = int(size, 16)
        if not length:
            return body, True, data.removeprefix(b"\r\n")
        body, data = body + data[:length], data[length + 2 :]
    return body, False, b""
