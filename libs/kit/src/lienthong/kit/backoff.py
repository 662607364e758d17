"""How long to wait before trying again: exponential back-off with jitter."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Backoff:
    """The pauses of one loop that tries again for ever.

    The first pause is about `first` seconds, each further one twice as long, up to `longest` seconds. Jitter
    takes up to half of it away, so that processes that failed together do not come back together. After a
    success call `reset`.
    """

    def __init__(
        self,
        first: float = 0.1,
        longest: float = 2.0,
        *,
        jitter: Callable[[float, float], float] = random.uniform,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        if not 0 < first <= longest:
            raise ValueError("the first pause must be positive and not above the longest")
        self._first = first
        self._longest = longest
        self._jitter = jitter
        self._sleep = sleep
        self._next = first

    def reset(self) -> None:
        """Start over with the first pause, after a success."""
        self._next = self._first

    async def pause(self) -> None:
        """Wait before the next attempt."""
        pause = self._next
        self._next = min(pause * 2, self._longest)
        await self._sleep(pause * self._jitter(0.5, 1.0))
