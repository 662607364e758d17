"""The register of accepted events, kept up from the stream itself.

An event counts as accepted when the stream has it, so the register follows the stream and never runs ahead of
it: whatever process dies at whatever moment, what is missing is read again. The bus recognises a retry within
its duplicate window, and nothing is published while the register is further behind than that.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from lienthong.exchange.events import DUPLICATE_WINDOW, FINGERPRINT_HEADER, STREAM
from lienthong.exchange.repository import Accepted, AcceptedEventRepository
from lienthong.kit.bus import MESSAGE_ID, BusError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lienthong.kit.bus import Bus, Delivery
    from lienthong.kit.clock import Clock
    from lienthong.kit.database import Database

CONSUMER = "register"
_BATCH = 200
_WAIT = 5.0
# After a crash events that were being entered come again this late, and as long is nothing published.
_ACK_WAIT = 2.0
_OBSERVE, _LOOK_AGAIN = 5.0, 0.1
# With room for an observation that takes long.
_MAX_BEHIND = DUPLICATE_WINDOW / 2

_log = structlog.get_logger(__name__)


class Register:
    """Follows the stream and enters each event."""

    def __init__(self, database: Database, bus: Bus, clock: Clock) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._complete_at: float | None = None

    @property
    def current(self) -> bool:
        """Whether every event that the bus may have forgotten is entered."""
        return self._complete_at is not None and self._clock.monotonic() - self._complete_at < _MAX_BEHIND

    @property
    def begun(self) -> bool:
        """Whether the register has been complete once since this process started."""
        return self._complete_at is not None

    async def run(self) -> None:
        """Follow the stream for ever."""
        await self._begin_again_when_behind()
        consumer = await self._bus.consumer(STREAM, CONSUMER, ack_wait=_ACK_WAIT)
        async for batch in consumer.batches(_BATCH, _WAIT):
            try:
                await self._enter(batch)
            except BusError as error:
                # They come again, and are entered again to no effect.
                _log.info("register will read events again", error=str(error))

    async def observe(self) -> None:
        """Find out for ever how far the register has come: see `current`."""
        began, stored = 0.0, None
        while True:
            await self._bus.wait_connected()
            pause = _LOOK_AGAIN
            try:
                if stored is None:
                    began, stored = self._clock.monotonic(), await self._bus.last_sequence(STREAM)
                if await self._bus.acknowledged_through(STREAM, CONSUMER) >= stored:
                    self._complete_at, stored, pause = began, None, _OBSERVE
            except BusError as error:
                _log.debug("register cannot be observed", reason=str(error))
            await asyncio.sleep(pause)

    async def _begin_again_when_behind(self) -> None:
        """A database that is new, or was restored from a copy, has to hear older events again."""
        async with self._database.reading() as session:
            entered = await AcceptedEventRepository(session).last_sequence()
        await self._bus.wait_connected()
        try:
            if await self._bus.acknowledged_through(STREAM, CONSUMER) > entered:
                _log.info("register reads the stream from the beginning", entered=entered)
                await self._bus.delete_consumer(STREAM, CONSUMER)
        except BusError as error:
            # No consumer yet, so it begins at the first event anyway.
            _log.debug("register is new", reason=str(error))

    async def _enter(self, batch: Sequence[Delivery]) -> None:
        events = {
            delivery.headers[MESSAGE_ID]: Accepted(
                delivery.sequence, delivery.headers.get(FINGERPRINT_HEADER, "")
            )
            for delivery in reversed(batch)
            if MESSAGE_ID in delivery.headers
        }
        async with self._database.transaction() as session:
            await AcceptedEventRepository(session).add(events)
        for delivery in batch:
            await delivery.ack()
