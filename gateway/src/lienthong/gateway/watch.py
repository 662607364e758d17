"""Noticing that a caller goes away while the gateway works for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType

    Receive = Callable[[], Awaitable[Any]]

WATCH_AFTER_S = 0.1
"""Calls that are answered sooner are not watched: what they save is more than a lost caller costs."""


class CallerGone(Exception):  # noqa: N818  it names what happened
    """The caller has closed the connection; nobody waits for the answer."""


class CallerWatch:
    """Watches one request's connection, from the moment its body has been read.

    Inside `with watch:` a caller that goes away ends the block with CallerGone. Outside it is only noted.
    """

    __slots__ = ("_armed", "_receive", "_timer", "_waiting", "_worker", "gone")

    def __init__(self, receive: Receive) -> None:
        self.gone = False
        self._receive = receive
        self._armed = False
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: asyncio.Task[None] | None = None
        self._worker: asyncio.Task[Any] | None = None

    def start(self, after: float = WATCH_AFTER_S) -> None:
        """Watch, `after` seconds from now. Nothing else may receive from here on."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(after, self._begin)

    def stop(self) -> None:
        """Watch no longer."""
        if self._timer is not None:
            self._timer.cancel()
        if self._waiting is not None:
            self._waiting.cancel()

    def __enter__(self) -> None:
        if self.gone:
            raise CallerGone
        self._worker = asyncio.current_task()
        self._armed = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._armed = False
        if self.gone and isinstance(error, asyncio.CancelledError):
            if self._worker is not None:
                self._worker.uncancel()
            raise CallerGone from None

    def _begin(self) -> None:
        self._waiting = asyncio.get_running_loop().create_task(self._wait())

    async def _wait(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.gone = True
        if self._armed and self._worker is not None:
            self._worker.cancel()
