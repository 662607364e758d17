"""Cancellation that is never lost.

`asyncio.wait_for` in Python 3.11 returns as if nothing had happened when its task is cancelled at the moment
the awaited future completes. Libraries use it (nats-py for every request, asyncpg while it connects), and a
loop that goes on after such a call would never end: whoever cancelled it waits for it for ever.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def cancelled_first() -> Iterator[None]:
    """Let a task that is cancelled in the block end as cancelled, whatever else comes of the block.

    It makes no difference whether the block swallowed the cancellation and ended well, or replaced it by an
    error of its own, as a rollback on a cut connection does. The block has to end by itself: put no loop into
    it that goes on after the call which may swallow a cancellation.
    """
    task = asyncio.current_task()
    before = task.cancelling() if task is not None else 0
    try:
        yield
    except Exception as error:
        if task is not None and task.cancelling() > before:
            raise asyncio.CancelledError from error
        raise
    if task is not None and task.cancelling() > before:
        raise asyncio.CancelledError
