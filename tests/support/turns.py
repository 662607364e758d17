"""How long an event loop is kept from everything else."""

from __future__ import annotations

import asyncio
import gc
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Turns:
    """The longest turn of a loop so far, in seconds of processor time of its thread."""

    def __init__(self) -> None:
        self.longest = 0.0

    async def measure(self) -> None:
        """Take a turn as often as possible, until cancelled."""
        while True:
            before = time.thread_time()
            await asyncio.sleep(0)
            self.longest = max(self.longest, time.thread_time() - before)


@asynccontextmanager
async def measured_turns() -> AsyncIterator[Turns]:
    """Measure the turns of the loop meanwhile.

    Processor time does not grow while other programs run; collections of garbage would, with whatever else
    the tests keep in memory.
    """
    turns = Turns()
    collecting = gc.isenabled()
    gc.disable()
    task = asyncio.create_task(turns.measure())
    try:
        await asyncio.sleep(0)
        yield turns
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if collecting:
            gc.enable()
