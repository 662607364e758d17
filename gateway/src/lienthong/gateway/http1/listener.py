"""Takes connections from callers: so many and no more, looked at once a second, and let end in peace.

The socket is made by the main process and shared by its workers. Each takes one connection in a turn of its
event loop, so that none takes them all; one that has as many as it may have leaves them to the others.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import time
from collections import Counter
from typing import TYPE_CHECKING, Final, Protocol, cast

import structlog

from lienthong.gateway.http1 import answer
from lienthong.gateway.http1.caller import Caller
from lienthong.gateway.http1.fields import DATE

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Coroutine, Iterable, Sequence

    from lienthong.gateway.http1.head import Unreadable
    from lienthong.gateway.http1.incoming import Incoming

LOOK_EVERY_S: Final = 1.0
_LOOKS_FOR_IDLE: Final = 4
"""How often a connection is looked at, at least, in the time that it may be idle."""
_GONE: Final = frozenset(
    (
        errno.ECONNABORTED,
        errno.EPROTO,
        errno.ENETDOWN,
        errno.ENETUNREACH,
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.ENONET,
    )
)
"""Errors of a connection that was lost before it was taken (accept(2)), not of the one who takes them."""
_AFTER_CUT_S: Final = 1.0

_log = structlog.get_logger(__name__)


class Service(Protocol):
    """What is served to callers."""

    def serve(self, incoming: Incoming) -> Coroutine[None, None, None]:
        """Answer a request."""
        ...

    def unreadable(self, reason: Unreadable) -> tuple[int, Sequence[bytes], bytes]:
        """Note that what came was no request; returns status, fields, as written, and body of the answer."""
        ...


class Door:
    """A socket on which callers are taken.

    Over that of the edge come requests of callers of its own, which it states the addresses of.
    """

    __slots__ = ("of_edge", "socket")

    def __init__(self, listening: socket.socket, *, of_edge: bool = False) -> None:
        self.socket = listening
        self.of_edge = of_edge


class Listener:
    """The connections of one worker.

    At most `most` at a time, each with heads of at most `max_head` bytes, closed after `idle_s` seconds
    without a request, and when an answer is not taken within `stall_s` seconds. `on_cut` is called before
    those that are there still are cut off at the end.
    """

    def __init__(
        self,
        doors: Iterable[Door],
        service: Service,
        *,
        most: int,
        max_head: int,
        idle_s: float,
        stall_s: float,
        on_cut: Callable[[], None] = lambda: None,
    ) -> None:
        self.max_head = max_head
        self.look_every_s = min(LOOK_EVERY_S, min(idle_s, stall_s) / _LOOKS_FOR_IDLE)
        # The time is that of the last look: nobody is closed too early.
        self.idle_s = idle_s + self.look_every_s
        self.stall_s = stall_s
        self.date = answer.DateField()
        self.draining = False
        self.now = time.monotonic()
        self.dropped: Counter[str] = Counter()
        """How many connections were closed for want of a proper caller, by the reason."""
        self._service = service
        self._on_cut = on_cut
        self._doors = tuple(doors)
        self._most = most
        self._loop = asyncio.get_running_loop()
        self._callers: set[Caller] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._accepts = self._closing = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._empty = asyncio.Event()
        self._look: asyncio.TimerHandle | None = None

    @property
    def listens(self) -> bool:
        """Whether callers are served: not before `open`, nor after `close` has begun, nor without files."""
        return self._look is not None and not self._closing and (self._accepts or not self._has_room())

    @property
    def open_connections(self) -> int:
        """How many connections there are."""
        return len(self._callers) + len(self._opening)

    def open(self) -> None:
        """Begin to take connections."""
        for door in self._doors:
            door.socket.setblocking(False)
        self._look_at_all()
        self._go_on()

    async def close(self, within: float) -> None:
        """Take no new connections but those that wait already, and let calls under way end.

        What is not over after `within` seconds is cut off, and its callers are told nothing.
        """
        until = self._loop.time() + within
        for door in self._doors:
            for _ in range(self._most):
                if not self._accepts or not self._accept(door):
                    break
        self._closing = True
        self._rest()
        for door in self._doors:
            door.socket.close()
        await asyncio.gather(*self._opening)
        self.draining = True
        self.now = time.monotonic()
        for caller in list(self._callers):
            caller.drain()
        self._note_empty()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                await self._empty.wait()
        await self._cut(list(self._callers))
        if self._look is not None:
            self._look.cancel()

    async def _cut(self, callers: list[Caller]) -> None:
        if callers:
            _log.warning("connections are cut off, the gateway stops", connections=len(callers))
            self._on_cut()
        for caller in callers:
            caller.cut()
        if self._tasks:
            # Their callers are gone; what is recorded of them is not.
            _, left = await asyncio.wait(self._tasks, timeout=_AFTER_CUT_S)
            if left:
                _log.error("calls have not ended, the gateway stops", calls=len(left))

    # for connections

    def serve(self, incoming: Incoming) -> Coroutine[None, None, None]:
        """Answer a request."""
        return self._service.serve(incoming)

    def begun(self, task: asyncio.Task[None]) -> None:
        """Wait for this task too, before the gateway ends: a call outlives its connection."""
        self._tasks.add(task)

    def ended(self, task: asyncio.Task[None]) -> None:
        """Wait no longer for a task, which has nothing left to do."""
        self._tasks.discard(task)
        self._note_empty()

    def _note_empty(self) -> None:
        if self.draining and not self._callers and not self._tasks:
            self._empty.set()

    def count(self, reason: str) -> None:
        """Count a connection that is closed for want of a proper caller."""
        self.dropped[reason] += 1

    def unreadable(self, reason: Unreadable) -> bytes:
        """The whole answer to what is no request; it is counted."""
        self.count(reason.value)
        status, fields, body = self._service.unreadable(reason)
        head = answer.head(status, fields, self.date, dated=DATE in fields)
        return b"".join((head, answer.CLOSE, answer.END_OF_HEAD, body))

    def forget(self, caller: Caller) -> None:
        """Drop a connection that has closed: there is room for another one."""
        self._callers.discard(caller)
        self._note_empty()
        self._go_on()

    # accepting

    def _go_on(self) -> None:
        if not self._accepts and not self._closing and self._look is not None and self._has_room():
            self._accepts = True
            for door in self._doors:
                self._loop.add_reader(door.socket, self._accept, door)

    def _rest(self) -> None:
        if self._accepts:
            self._accepts = False
            for door in self._doors:
                self._loop.remove_reader(door.socket)

    def _has_room(self) -> bool:
        return self.open_connections < self._most

    def _accept(self, door: Door) -> bool:
        """Take one connection, if one waits; returns whether there was one."""
        try:
            connection, address = door.socket.accept()
        except (BlockingIOError, InterruptedError):
            return False
        except OSError as error:
            if error.errno in _GONE:
                return True
            # The next look goes on: until then connections wait, and this loop does not spin.
            _log.error("no connection can be taken", error=str(error))
            self._rest()
            return False
        caller = Caller(self, None if door.of_edge else address[0], of_edge=door.of_edge)
        task = self._loop.create_task(self._take(connection, caller))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)
        if not self._has_room():
            self._rest()
        return self._accepts

    async def _take(self, connection: socket.socket, caller: Caller) -> None:
        try:
            connection.setblocking(False)
            await self._loop.connect_accepted_socket(lambda: cast("asyncio.Protocol", caller), connection)
        except OSError as error:
            connection.close()
            _log.warning("a connection was lost at once", error=str(error))
        else:
            if caller.open:
                self._callers.add(caller)

    def _look_at_all(self) -> None:
        self.now = now = time.monotonic()
        self._look = self._loop.call_later(self.look_every_s, self._look_at_all)
        self._go_on()
        for caller in list(self._callers):
            try:
                caller.look(now)
            except Exception:  # noqa: BLE001  whatever it is: the others are looked at too
                _log.exception("a connection is closed, it cannot be looked at")
                caller.cut()
