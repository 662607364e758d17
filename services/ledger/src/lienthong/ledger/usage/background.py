"""Counts the calls in the log as it grows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from lienthong.ledger.errors import LedgerMismatchError

if TYPE_CHECKING:
    from lienthong.kit.clock import Clock
    from lienthong.ledger.usage.service import CallCounts

_EVERY_S: Final = 1.0

_log = structlog.get_logger(__name__)


class CallCounter:
    """Keeps the counts up to date; `run` it in the background."""

    def __init__(self, counts: CallCounts, clock: Clock) -> None:
        self._counts = counts
        self._clock = clock

    async def run(self) -> None:
        """Count for ever; returns only by cancellation."""
        while True:
            try:
                while await self._portion():
                    pass
            except (SQLAlchemyError, OSError, TimeoutError, LedgerMismatchError) as error:
                # Nothing is lost: what was not counted comes next time.
                _log.warning("calls are not counted", error=str(error))
            await asyncio.sleep(_EVERY_S)

    async def _portion(self) -> bool:
        """Count once, and then rest as long as that took: the log itself goes first."""
        began = self._clock.monotonic()
        more = await self._counts.count_portion()
        await asyncio.sleep(self._clock.monotonic() - began)
        return more
