"""Batches are written to this machine's disk while they are on their way to the bus.

A thread of its own writes, so that a disk that hangs holds up no call: whoever waits gives up after a moment,
and nobody waits again before the disk has caught up. What is written lies in the cache of the operating
system: it outlives the process, and a background task has it on disk within about a second.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable

    from lienthong.gateway.journal.batches import Batch
    from lienthong.gateway.journal.retained import Retained
    from lienthong.kit.clock import Clock

_PATIENCE_S: Final = 0.25
_MOST_BYTES: Final = 16 * 1024 * 1024
"""Of batches that wait for the disk; more are not retained."""
_PAUSE_S: Final = 1.0
"""After a failure, before the disk is tried again."""

_log = structlog.get_logger(__name__)


class Ticket:
    """One batch that is being written."""

    __slots__ = ("batch", "done", "wake")

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.done = False
        self.wake: Callable[[], object] | None = None

    def is_done(self) -> bool:
        """Whether it is written, or cannot be."""
        return self.done


class Beside:
    """The thread that writes, and the calls that wait for it."""

    def __init__(self, retained: Retained, clock: Clock) -> None:
        self._retained = retained
        self._clock = clock
        self._queue: queue.SimpleQueue[Ticket | None] = queue.SimpleQueue()
        # Each is written by one thread alone.
        self._put_bytes = self._done_bytes = 0
        self._refused = self._failed = 0
        self._retry_at = 0.0
        self._hangs = False
        self.failure: str | None = None
        """Why batches are not retained at this moment."""
        self._thread = threading.Thread(target=self._write_all, name="retain", daemon=True)
        self._thread.start()

    @property
    def missed(self) -> int:
        """How many batches were not retained."""
        return self._refused + self._failed

    def put(self, batch: Batch) -> Ticket | None:
        """Begin to write a batch; None when the disk is too far behind."""
        if self._put_bytes - self._done_bytes > _MOST_BYTES:
            self._refused += 1
            self._tell("the disk does not keep up")
            return None
        ticket = Ticket(batch)
        self._put_bytes += len(batch.payload)
        self._queue.put(ticket)
        return ticket

    async def written(self, ticket: Ticket | None) -> None:
        """Wait until the batch is written or cannot be; not long, and not at all while the disk hangs."""
        if ticket is None or ticket.is_done() or self._hangs:
            return
        loop = asyncio.get_running_loop()
        woken = loop.create_future()

        def wake() -> None:
            if not woken.done():
                woken.set_result(None)

        ticket.wake = partial(loop.call_soon_threadsafe, wake)
        # The thread sets `done` and then looks for `wake`; here it is the other way round.
        if ticket.is_done():
            return
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await woken
        except TimeoutError:
            self._hangs = True
            self._tell("the disk hangs")

    def close(self) -> None:
        """Write what waits, and close the files; a disk that hangs is left to itself."""
        self._queue.put(None)
        self._thread.join(_PATIENCE_S * 4)
        if not self._thread.is_alive():
            self._retained.close()

    def _write_all(self) -> None:
        while True:
            tickets, ended = self._taken()
            began = self._clock.monotonic()
            stored = self._write(tickets)
            quick = self._clock.monotonic() - began < _PATIENCE_S
            if quick and stored and self.failure is not None:
                _log.info("records are retained on this machine's disk again", missed=self.missed)
                self.failure = None
            for ticket in tickets:
                self._done_bytes += len(ticket.batch.payload)
                ticket.done = True
                if ticket.wake is not None:
                    ticket.wake()
            # After a slow one the next would be waited for, in vain again.
            if quick and self._queue.empty():
                self._hangs = False
            if ended:
                return

    def _taken(self) -> tuple[list[Ticket], bool]:
        """What waits, at least one; and whether that is all there will ever be."""
        tickets: list[Ticket] = []
        item = self._queue.get()
        while item is not None:
            tickets.append(item)
            if self._queue.empty():
                return tickets, False
            item = self._queue.get()
        return tickets, True

    def _write(self, tickets: list[Ticket]) -> bool:
        """Write what waits; whether there was something, and it is written."""
        if not tickets:
            return False
        now = self._clock.monotonic()
        if now < self._retry_at:
            self._failed += len(tickets)
            return False
        try:
            self._retained.write([ticket.batch for ticket in tickets], self._clock.now())
        except OSError as error:
            self._retry_at = now + _PAUSE_S
            self._failed += len(tickets)
            self._tell(str(error))
            return False
        return True

    def _tell(self, why: str) -> None:
        if self.failure is None:
            _log.error("records are not retained on this machine's disk", why=why)
        self.failure = why
