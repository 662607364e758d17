"""How many exchanges with a service are under way at a time, so that a slow one takes no room of others."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class BulkheadFullError(Exception):
    """As many exchanges as may be are under way, and as many wait, or this one has waited for too long."""


class BulkheadTerms:
    """So many `calls` at a time in one worker; so many more wait, each for `wait_s` seconds at most."""

    __slots__ = ("calls", "wait_s", "waiting")

    def __init__(self, calls: int, *, waiting: int, wait_s: float) -> None:
        self.calls = calls
        self.waiting = waiting
        self.wait_s = wait_s


class Bulkhead:
    """Of one service; who came first enters first."""

    __slots__ = ("_calls", "_queue", "running")

    def __init__(self) -> None:
        self._calls = 1
        self._queue: deque[asyncio.Future[None]] = deque()
        self.running = 0
        """Exchanges under way."""

    @property
    def waiting(self) -> int:
        """How many wait for a place."""
        return len(self._queue)

    async def enter(self, terms: BulkheadTerms) -> None:
        """Take a place, or wait for one.

        Raises:
            BulkheadFullError: there is none, and none came in time.
        """
        # The newest terms hold: those of a call that began before a change are soon gone.
        self._calls = terms.calls
        if self.running < terms.calls and not self._queue:
            self.running += 1
            return
        if len(self._queue) >= terms.waiting:
            raise BulkheadFullError
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            async with asyncio.timeout(terms.wait_s):
                await turn
        except BaseException as reason:
            if turn.done() and not turn.cancelled():
                # The place came at this very moment.
                self.leave()
            elif turn in self._queue:
                self._queue.remove(turn)
            if isinstance(reason, TimeoutError):
                raise BulkheadFullError from None
            raise

    def leave(self) -> None:
        """Give a place back, to the one that waits for longest."""
        self.running -= 1
        while self._queue and self.running < self._calls:
            turn = self._queue.popleft()
            if not turn.done():
                self.running += 1
                turn.set_result(None)


class Bulkheads:
    """Those of all services with exchanges under way."""

    def __init__(self) -> None:
        self._of: dict[str, Bulkhead] = {}
        self.refused = 0
        """Calls that found no place."""

    @property
    def waiting(self) -> int:
        """How many calls wait for a place now."""
        return sum(one.waiting for one in list(self._of.values()))

    async def enter(self, service: str, terms: BulkheadTerms) -> Place:
        """Take a place among the exchanges with a service.

        Raises:
            BulkheadFullError: there is none, and none came in time.
        """
        bulkhead = self._of.get(service)
        if bulkhead is None:
            bulkhead = self._of[service] = Bulkhead()
        try:
            await bulkhead.enter(terms)
        except BulkheadFullError:
            self.refused += 1
            raise
        return Place(self, service, bulkhead)

    def leave(self, service: str, bulkhead: Bulkhead) -> None:
        """Give a place back."""
        bulkhead.leave()
        if not bulkhead.running and not bulkhead.waiting:
            del self._of[service]


class Place:
    """A place that was taken."""

    __slots__ = ("_bulkhead", "_bulkheads", "_service")

    def __init__(self, bulkheads: Bulkheads, service: str, bulkhead: Bulkhead) -> None:
        self._bulkheads = bulkheads
        self._service = service
        self._bulkhead: Bulkhead | None = bulkhead

    def leave(self) -> None:
        """Give it back; may be called twice."""
        bulkhead, self._bulkhead = self._bulkhead, None
        if bulkhead is not None:
            self._bulkheads.leave(self._service, bulkhead)

    def leaving_after(self, end: Callable[[], None]) -> Callable[[], None]:
        """What does something, and gives the place back then."""

        def both() -> None:
            end()
            self.leave()

        return both
