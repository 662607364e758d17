"""How the time of something grows with its size, told so that a busy machine does not decide."""

from __future__ import annotations

import gc
import inspect
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

# What disturbs a measurement only adds to it: growth that is there is seen in each attempt, noise not in all.
ATTEMPTS = 10


async def grows_at_most(
    work: Callable[[int], Awaitable[object] | object], small: int, large: int, times: float
) -> bool:
    """Whether the processor time of `work(large)` stays under so many times that of `work(small)`.

    Garbage is not collected meanwhile: in a process full of tests one collection costs more than the work.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        await _spent(work, small)
        for _ in range(ATTEMPTS):
            if await _spent(work, large) < times * max(await _spent(work, small), 0.0005):
                return True
        return False
    finally:
        if collecting:
            gc.enable()


async def _spent(work: Callable[[int], Awaitable[object] | object], size: int) -> float:
    began = time.process_time()
    result = work(size)
    if inspect.isawaitable(result):
        await result
    return time.process_time() - began
