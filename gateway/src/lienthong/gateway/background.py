"""What a worker does beside the calls, for as long as it lives."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Any, Final

import structlog

from lienthong.gateway.journal.writer import AuditUnavailableError
from lienthong.kit.stopping import LONGEST_STOP, end_at_the_latest

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from contextlib import AsyncExitStack

    from lienthong.gateway.record import Recorder

DRAIN_S: Final = 15.0
"""For calls under way, when a worker ends."""

_log = structlog.get_logger(__name__)


def start(stack: AsyncExitStack, name: str, work: Coroutine[Any, Any, None]) -> None:
    """Run `work` beside the calls until the stack closes; if it fails the worker ends, to be started anew."""
    task = asyncio.create_task(work, name=name)

    def ended(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.critical("background task failed, the worker ends", task=name, exc_info=error)
            end_at_the_latest(DRAIN_S + LONGEST_STOP)
            signal.raise_signal(signal.SIGTERM)

    async def stop() -> None:
        task.remove_done_callback(ended)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    task.add_done_callback(ended)
    stack.push_async_callback(stop)


async def write_samples(recorder: Recorder, every: float) -> None:
    """Record every so many seconds what calls were only counted, until cancelled."""
    while True:
        await asyncio.sleep(every)
        await last_samples(recorder)


async def last_samples(recorder: Recorder) -> None:
    """Record what calls were only counted, if that is possible now."""
    try:
        if recorder.available:
            await recorder.samples()
    except AuditUnavailableError as error:
        _log.warning("counts of refused calls not recorded yet", error=str(error))
