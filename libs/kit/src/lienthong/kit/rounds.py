"""Work of callers at the same time, done for all of them together: group commit.

Whoever finds nobody at work does its own part, and no other. Who comes meanwhile waits, and when that round
is over the first of them does the next one for all. So nobody waits for company, and the more callers there
are, the more share what a round costs: a write to disk, a turn of a thread, an answer of the bus.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

T = TypeVar("T")
R = TypeVar("R")


class Rounds(Generic[T, R]):
    """Rounds of one kind of work.

    Args:
        work: does a round; for each part, in their order, its result or the exception to be raised for it.
            What it raises itself is raised for all parts.
        most: how much a round may hold; a larger part has a round of its own.
        size: how much a part counts.
    """

    def __init__(
        self,
        work: Callable[[Sequence[T]], Awaitable[Sequence[R | Exception]]],
        *,
        most: int,
        size: Callable[[T], int] = lambda _: 1,
    ) -> None:
        self._work = work
        self._most = most
        self._size = size
        self._waiting: list[_Waiting[T, R]] = []
        self._busy = False

    async def take(self, part: T) -> R:
        """Have a part done; returns when its round is over.

        Cancelled, it may be done or not. Whoever is cancelled while doing a round leaves the parts of others
        to be done again.

        Raises:
            Exception: what came of this part, or of its round.
        """
        mine = _Waiting[T, R](part)
        self._waiting.append(mine)
        if self._busy:
            mine.called = asyncio.get_running_loop().create_future()
            try:
                await mine.called
            except asyncio.CancelledError:
                self._leave(mine)
                if mine.leads:
                    self._go_on()
                raise
        if not mine.done:
            self._busy = True
            try:
                await self._round(self._those_that_fit())
            finally:
                self._leave(mine)
                self._go_on()
        return mine.outcome()

    def _those_that_fit(self) -> list[_Waiting[T, R]]:
        found: list[_Waiting[T, R]] = []
        room = self._most
        for waiting in self._waiting:
            room -= self._size(waiting.part)
            if found and room < 0:
                break
            found.append(waiting)
        return found

    async def _round(self, those: Sequence[_Waiting[T, R]]) -> None:
        try:
            results = await self._work([one.part for one in those])
        except Exception as error:  # noqa: BLE001 - raised again for each of them
            results = [error] * len(those)
        for one, result in zip(those, results, strict=True):
            one.done, one.result = True, result
            self._leave(one)
            one.call()

    def _leave(self, waiting: _Waiting[T, R]) -> None:
        if waiting in self._waiting:
            self._waiting.remove(waiting)

    def _go_on(self) -> None:
        """Have the first of those who wait do the next round."""
        self._busy = bool(self._waiting)
        if self._waiting:
            self._waiting[0].leads = True
            self._waiting[0].call()


class _Waiting(Generic[T, R]):
    """A part, who waits for it, and what became of it."""

    __slots__ = ("called", "done", "leads", "part", "result")

    def __init__(self, part: T) -> None:
        self.part = part
        self.called: asyncio.Future[None] | None = None
        self.leads = False
        self.done = False
        self.result: R | Exception | None = None

    def call(self) -> None:
        """Let it go on, if it waits."""
        if self.called is not None and not self.called.done():
            self.called.set_result(None)

    def outcome(self) -> R:
        """What came of it.

        Raises:
            Exception: that came of it.
        """
        if isinstance(self.result, Exception):
            raise self.result
        return self.result  # type: ignore[return-value]
