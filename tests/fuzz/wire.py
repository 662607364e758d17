"""A connection in memory that behaves as the event loop's own transports do, for either side of HTTP."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from enum import IntEnum

from tests.fuzz.clock import FindingError, settle

_HIGH, _LOW = 64 * 1024, 16 * 1024
_PER_SECOND = 16 * 1024


class Reads(IntEnum):
    """How the other end takes what is sent to it."""

    AT_ONCE = 0
    SLOWLY = 1
    NEVER = 2
    SOON = 3


class Gaps(IntEnum):
    """What happens between two pieces."""

    SETTLE = 0
    """Everything that can go on without time does so."""
    ONE_TURN = 1
    HALF_A_SECOND = 2
    NONE = 3


async def pause(gap: Gaps) -> None:
    """Let pass what is between two pieces."""
    if gap is Gaps.SETTLE:
        await settle()
    elif gap is Gaps.ONE_TURN:
        await asyncio.sleep(0)
    elif gap is Gaps.HALF_A_SECOND:
        await asyncio.sleep(0.5)


class Wire(asyncio.Transport):
    """The end of the protocol under test. What comes waits in `waiting` while reading is paused."""

    def __init__(self, reads: Reads) -> None:
        super().__init__()
        self.sent = bytearray()
        """What has been sent and, if not aborted, arrives."""
        self.unsent = 0
        self.ended = self.aborted = self.full = False
        self.waiting: deque[bytes] = deque()
        self._reads = reads
        self._loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[None] = self._loop.create_future()
        self._protocol: asyncio.Protocol | None = None
        self._closing = self._lost_soon = self._eof = self._eof_seen = False
        self._reading = True
        self._taking: asyncio.TimerHandle | None = None
        self._socket, self._other = socket.socketpair()
        self._marked = False

    # what the other end does

    def connect(self, protocol: asyncio.Protocol) -> None:
        self._protocol = protocol
        protocol.connection_made(self)

    def deliver(self, data: bytes) -> None:
        """Something comes."""
        if not self._closing:
            self.waiting.append(data)
            self._mark()
            self._pump()

    def end_input(self) -> None:
        """The other end sends no more."""
        self._eof = True
        self._pump()

    def reset(self) -> None:
        """The connection breaks."""
        self._force_close(ConnectionResetError("reset by the other end"))

    def before_delivery(self, size: int) -> None:
        """Called with what is about to be handed on."""

    def _pump(self) -> None:
        if self._protocol is None or not self._reading or self._closing:
            return
        if self.waiting:
            piece = self.waiting.popleft()
            self._mark()
            self.before_delivery(len(piece))
            self._protocol.data_received(piece)
            if self.waiting or self._eof:
                self._loop.call_soon(self._pump)
        elif self._eof and not self._eof_seen:
            self._eof_seen = True
            if not self._protocol.eof_received():
                self.close()

    def _mark(self) -> None:
        """Whoever polls the socket sees that something waits, as with a real one."""
        if bool(self.waiting) != self._marked:
            self._marked = not self._marked
            if self._marked:
                self._other.send(b"x")
            else:
                self._socket.recv(1)

    # asyncio.Transport

    def get_extra_info(self, name: str, default: object = None) -> object:
        return self._socket if name == "socket" else default

    def is_closing(self) -> bool:
        return self._closing

    def is_reading(self) -> bool:
        return self._reading and not self._closing

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        if not self._closing:
            self._reading = True
            self._loop.call_soon(self._pump)

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def can_write_eof(self) -> bool:
        return True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self.ended:
            raise FindingError("written after the end of what is sent")
        if self._lost_soon or not data:
            return
        self.sent += data
        if self._reads is not Reads.AT_ONCE:
            self.unsent += len(data)
            self._take_soon()
            if self.unsent > _HIGH and not self.full and self._protocol is not None:
                self.full = True
                self._protocol.pause_writing()

    def write_eof(self) -> None:
        if not self._closing:
            self.ended = True

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            if not self.unsent:
                self._lose(None)

    def abort(self) -> None:
        self._force_close(None)

    def _force_close(self, error: Exception | None) -> None:
        if not self._lost_soon:
            self.aborted = True
            del self.sent[len(self.sent) - self.unsent :]
            self.unsent = 0
            self._closing = True
            self._lose(error)

    def _lose(self, error: Exception | None) -> None:
        if not self._lost_soon:
            self._lost_soon = True
            self._loop.call_soon(self._tell, error)

    def _tell(self, error: Exception | None) -> None:
        if self._taking is not None:
            self._taking.cancel()
        self.waiting.clear()
        if self._protocol is not None:
            self._protocol.connection_lost(error)
        self._protocol = None
        self._socket.close()
        self._other.close()
        self.lost.set_result(None)

    def _take_soon(self) -> None:
        if self._taking is None and self._reads is not Reads.NEVER:
            self._taking = self._loop.call_later(1.0 if self._reads is Reads.SLOWLY else 0.0, self._take)

    def _take(self) -> None:
        self._taking = None
        self.unsent -= min(self.unsent, _PER_SECOND if self._reads is Reads.SLOWLY else self.unsent)
        if self.unsent:
            self._take_soon()
        if self.full and self.unsent <= _LOW and self._protocol is not None:
            self.full = False
            self._protocol.resume_writing()
        if self._closing and not self.unsent:
            self._lose(None)
