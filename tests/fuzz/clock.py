"""An event loop whose time passes as soon as there is nothing else to do: hours of waiting take no time."""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")
_MOST_SAID = 1500


class FindingError(AssertionError):
    """A promise that does not hold; the message says which, and what was seen."""

    def __init__(self, message: str) -> None:
        super().__init__(message if len(message) <= _MOST_SAID else f"{message[:_MOST_SAID]} …")


class _Selector(selectors.SelectSelector):
    """Waits for nothing: there are no files, and time is what the event loop wants to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise FindingError("something waits for what will never come")
        self.now += max(timeout, 0)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs one script; what nobody handles is a finding."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)
        self.unhandled: list[str] = []
        self.set_exception_handler(lambda _, context: self.unhandled.append(repr(context)))

    def time(self) -> float:
        return self._virtual.now

    def play(self, work: Coroutine[None, None, T]) -> T:
        """Run `work` to its end, and look whether it has left anything.

        Raises:
            FindingError: an exception that nobody handled, or a task that goes on.
        """
        try:
            result = self.run_until_complete(work)
            left = asyncio.all_tasks(self)
        finally:
            self._end()
        if self.unhandled or left:
            raise FindingError(f"left behind: {self.unhandled + [repr(task) for task in left]}")
        return result

    def _end(self) -> None:
        if going_on := asyncio.all_tasks(self):
            for task in going_on:
                task.cancel()
            self.run_until_complete(asyncio.wait(going_on))
        self.close()


async def settle() -> None:
    """Wait until everything that can go on without time has done so."""
    await asyncio.sleep(1e-6)
