"""Waiting for what another process or task does."""

from __future__ import annotations

import asyncio
import inspect
import time
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")


async def eventually(
    holds: Callable[[], object],
    told: str | Callable[[], str] = "",
    *,
    within: float = 60.0,
    every: float = 0.02,
) -> None:
    """Return as soon as `holds`, which may be asynchronous, says yes.

    Raises:
        AssertionError: it did not within `within` seconds; says what `told` says.
    """
    try:
        async with asyncio.timeout(within):
            while True:
                answer = holds()
                if await answer if inspect.isawaitable(answer) else answer:
                    return
                await asyncio.sleep(every)
    except TimeoutError:
        raise _in_vain(told, within) from None


async def at_rest(*tasks: asyncio.Task[Any]) -> None:
    """Return as soon as each of these tasks, of coroutines of Python's, has begun and waits or has ended."""
    await eventually(lambda: all(map(_has_begun, tasks)), "a task begins", every=0)


def _has_begun(task: asyncio.Task[Any]) -> bool:
    work = task.get_coro()
    return inspect.iscoroutine(work) and inspect.getcoroutinestate(work) != inspect.CORO_CREATED


async def ended(what: str, work: Awaitable[T], *, within: float = 60.0) -> T:
    """What `work` returns or raises.

    Raises:
        AssertionError: it did not end within `within` seconds; says where every task stands. It is left
            alone: to cancel it could hide that an earlier cancellation was lost.
    """
    task = asyncio.ensure_future(work)
    done, _ = await asyncio.wait([task], timeout=within)
    if not done:
        for other in asyncio.all_tasks():
            other.print_stack()
        raise AssertionError(f"{what} has not ended within {within} s")
    return task.result()


def wait_until(
    holds: Callable[[], object],
    told: str | Callable[[], str] = "",
    *,
    within: float = 60.0,
    every: float = 0.05,
) -> None:
    """Return as soon as `holds` says yes; for tests without a loop.

    Raises:
        AssertionError: it did not within `within` seconds; says what `told` says.
    """
    deadline = time.monotonic() + within
    while not holds():
        if time.monotonic() > deadline:
            raise _in_vain(told, within)
        time.sleep(every)


def _in_vain(told: str | Callable[[], str], within: float) -> AssertionError:
    return AssertionError(f"waited in vain for {within} s: {told if isinstance(told, str) else told()}")
