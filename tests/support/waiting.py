"""Waiting for what another process or task does."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


async def eventually(holds: Callable[[], bool | Awaitable[bool]], *, within: float = 20.0) -> None:
    """Return as soon as `holds` says yes.

    Raises:
        TimeoutError: it did not within `within` seconds.
    """
    async with asyncio.timeout(within):
        while True:
            answer = holds()
            if await answer if inspect.isawaitable(answer) else answer:
                return
            await asyncio.sleep(0.02)
