"""Noticing that a caller goes away while the gateway works for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType

    Receive = Callable[[], Awaitable[Any]]

WATCH_AFTER_S = 0.1
"""Calls that are answered sooner are not watched: it would cost more than it could save."""


class CallerGoneError(Exception):
    """The caller has closed the connection; nobody waits for the response."""


class Watches:
    """Starts watches with a delay, many with one timer: most calls have ended by then."""

    __slots__ = ("_new", "_old", "_timer")

    def __init__(self) -> None:
        self._new: set[CallerWatch] = set()
        self._old: set[CallerWatch] = set()
        self._timer: asyncio.TimerHandle | None = None

    def add(self, watch: CallerWatch) -> None:
        """Start this watch in one to two times WATCH_AFTER_S."""
        self._new.add(watch)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(WATCH_AFTER_S, self._tick)

    def discard(self, watch: CallerWatch) -> None:
        """Do not start it any more."""
        self._new.discard(watch)
        self._old.discard(watch)

    def _tick(self) -> None:
        due, self._old, self._new = self._old, self._new, set()
        for watch in due:
            watch.begin()
        again = self._old or self._new
        self._timer = asyncio.get_running_loop().call_later(WATCH_AFTER_S, self._tick) if again else None


class CallerWatch:
    """Watches the connection of one request, from the moment its body has been read.

    When the caller goes away, a `with watch:` block ends with CallerGoneError, unless what it waits for is
    done at that very moment: so check `gone` afterwards. Outside of such a block only `gone` is set.
    """

    __slots__ = ("_armed", "_receive", "_waiting", "_watches", "_worker", "body_read", "gone")

    def __init__(self, receive: Receive, watches: Watches) -> None:
        self.gone = False
        self.body_read = False
        """Whether the request is here as a whole."""
        self._receive = receive
        self._watches = watches
        self._armed = False
        self._waiting: asyncio.Task[None] | None = None
        self._worker: asyncio.Task[Any] | None = None

    def start(self) -> None:
        """Start watching after a delay. Nothing else may call `receive` from now on."""
        self.body_read = True
        self._watches.add(self)

    def begin(self) -> None:
        """Start watching now, if the body has been read."""
        if self.body_read and self._waiting is None:
            self._waiting = asyncio.get_running_loop().create_task(self._wait())

    def stop(self) -> None:
        """Stop watching."""
        self._watches.discard(self)
        if self._waiting is not None:
            self._waiting.cancel()

    def __enter__(self) -> None:
        if self.gone:
            raise CallerGoneError
        self._worker = asyncio.current_task()
        self._armed = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._armed = False
        if self.gone and self._worker is not None:
            self._worker.uncancel()
            if isinstance(error, asyncio.CancelledError):
                raise CallerGoneError from None

    async def _wait(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.gone = True
        if self._armed and self._worker is not None:
            self._worker.cancel()
