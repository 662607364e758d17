"""Every wait at the end of a process has an end, and what did not end is told.

A library may swallow a cancellation, a connection may wait for a server that is frozen, a thread for a disk.
None of them may keep a process that was told to stop from being replaced: all that was promised is on disk,
as after a crash ([0013](docs/adr/0013-the-ways-of-dying.md)).
"""

from __future__ import annotations

import asyncio
import faulthandler
import signal
from typing import TYPE_CHECKING, Any, Final

import structlog

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

LONGEST_STOP: Final = 19.0
"""Seconds from the signal to the end, whatever happens; whoever supervises a process waits for longer."""
_AFTER_CANCEL: Final = 1.0
_WRITING: Final = 0.5

_log = structlog.get_logger(__name__)


def end_at_the_latest(seconds: float = LONGEST_STOP) -> None:
    """Have this process end in so many seconds, if it has not ended by then.

    It ends with status 1 after it has written to standard error where each of its threads was. Neither a
    blocked event loop nor a thread that waits can prevent that. When standard error takes nothing (a pipe
    that nobody reads), the kernel ends it a little later, with SIGALRM.
    """
    faulthandler.dump_traceback_later(seconds, exit=True)
    signal.setitimer(signal.ITIMER_REAL, seconds + _WRITING)


async def cancel_all(tasks: Collection[asyncio.Task[Any]], within: float) -> None:
    """Cancel tasks and wait for their ends, for so many seconds; what goes on is logged and left."""
    for task in tasks:
        task.cancel()
    for task in await _going_on(tasks, within):
        _log.error("a task does not end", task=task.get_name(), at=_places(task))


async def close_within(close: Callable[[], Awaitable[None]], seconds: float) -> None:
    """Await `close` for so many seconds, then cancel it; its error, and that it does not end, is logged."""
    task = asyncio.ensure_future(_awaited(close))
    if await _going_on([task], seconds):
        _log.error("closing takes too long", what=repr(close), at=_places(task))
        task.cancel()
        await _going_on([task], _AFTER_CANCEL)
    elif not task.cancelled() and (error := task.exception()) is not None:
        # The others must be closed all the same.
        _log.error("closing failed", what=repr(close), exc_info=error)


async def _awaited(close: Callable[[], Awaitable[None]]) -> None:
    await close()


async def _going_on(tasks: Collection[asyncio.Task[Any]], seconds: float) -> set[asyncio.Task[Any]]:
    """Wait for tasks; returns those that have not ended. The errors of the others are looked at."""
    if not tasks:
        return set()
    ended, going_on = await asyncio.wait(tasks, timeout=seconds)
    for task in ended:
        if not task.cancelled():
            task.exception()
    return going_on


def _places(task: asyncio.Task[Any]) -> list[str]:
    return [f"{frame.f_code.co_filename}:{frame.f_lineno}" for frame in task.get_stack()]
