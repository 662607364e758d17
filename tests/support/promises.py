"""How soon the product promises something, asked so that a machine with other work does not decide."""

from __future__ import annotations

import asyncio
import inspect
import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_PATIENCE_S = 60.0


def allowed_s(seconds: float) -> float:
    """`seconds` on a machine of its own, more where other work keeps it busy."""
    return seconds * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


async def promptly(
    holds: Callable[[], object],
    told: str | Callable[[], str] = "",
    *,
    within: float,
    every: float = 0.02,
) -> None:
    """Return as soon as `holds`, which may be asynchronous, says yes; it has to within `within` seconds.

    They are seconds of a machine of its own: each pause between two looks that was longer than it should have
    been is taken off, for what is looked at was held up as well.

    Raises:
        AssertionError: it said no for longer, or for a minute; says what `told` says.
    """
    began = time.monotonic()
    held_up = 0.0
    while True:
        looked = time.monotonic()
        answer = holds()
        if await answer if inspect.isawaitable(answer) else answer:
            break
        if looked - began > _PATIENCE_S:
            raise AssertionError(f"not at all: {told if isinstance(told, str) else told()}")
        paused = time.monotonic()
        await asyncio.sleep(every)
        held_up += max(0.0, time.monotonic() - paused - every)
    took = looked - began - held_up
    if took > allowed_s(within):
        what = told if isinstance(told, str) else told()
        raise AssertionError(f"after {took:.2f} s instead of {within} s: {what}")
