"""Fills the deduplication index from the stream of events.

An event counts as accepted when the stream has it, so the index follows the stream and is never ahead of it:
whatever process dies at whatever moment, what is missing is read again.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from lienthong.exchange.domain.messages import StoredEvent
from lienthong.exchange.events import FINGERPRINT_HEADER, INDEX_CONSUMER, STREAM
from lienthong.kit.bus import MESSAGE_ID, BusError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lienthong.exchange.service.deduplication import DeduplicationIndex
    from lienthong.kit.bus import Bus, Delivery
    from lienthong.kit.clock import Clock

_BATCH = 200
_WAIT = 5.0
# Seconds after which events that a crash left unrecorded are delivered again; until they are recorded, the
# exchange cannot tell retries and refuses to publish.
_ACK_WAIT = 2.0
_MEASURE_AGAIN, _NOT_YET = 5.0, 0.1

_log = structlog.get_logger(__name__)


class StreamIndexer:
    """Reads the stream through the durable consumer `INDEX_CONSUMER` and records each event in the index."""

    def __init__(self, bus: Bus, index: DeduplicationIndex, clock: Clock) -> None:
        self._bus = bus
        self._index = index
        self._clock = clock

    async def run(self) -> None:
        """Read the stream until cancelled."""
        await self._begin_again_when_the_index_is_behind()
        consumer = await self._bus.consumer(STREAM, INDEX_CONSUMER, ack_wait=_ACK_WAIT)
        async for batch in consumer.batches(_BATCH, _WAIT):
            try:
                await self._record(batch)
            except BusError as error:
                # The events are delivered again, and recording them twice changes nothing.
                _log.info("events will be recorded again", error=str(error))

    async def measure(self) -> None:
        """Measure how complete the index is, again and again until cancelled.

        It is complete as of a moment when everything that the stream held at that moment is recorded.
        """
        began, stored = 0.0, None
        while True:
            await self._bus.wait_connected()
            pause = _NOT_YET
            try:
                if stored is None:
                    began, stored = self._clock.monotonic(), await self._bus.last_sequence(STREAM)
                if await self._bus.acknowledged_through(STREAM, INDEX_CONSUMER) >= stored:
                    self._index.complete_as_of(began)
                    stored, pause = None, _MEASURE_AGAIN
            except BusError as error:
                _log.debug("the index cannot be measured", reason=str(error))
            await asyncio.sleep(pause)

    async def _begin_again_when_the_index_is_behind(self) -> None:
        """Read the stream from its beginning if the consumer has acknowledged more than the database holds.

        That is so when the database is new or was restored from a backup.
        """
        recorded = await self._index.last_sequence()
        await self._bus.wait_connected()
        try:
            if await self._bus.acknowledged_through(STREAM, INDEX_CONSUMER) > recorded:
                _log.info("the index is built from the beginning of the stream", recorded=recorded)
                await self._bus.delete_consumer(STREAM, INDEX_CONSUMER)
        except BusError as error:
            # No consumer yet, so it begins at the first event anyway.
            _log.debug("the index is new", reason=str(error))

    async def _record(self, batch: Sequence[Delivery]) -> None:
        # Of two messages with one id the earlier counts, hence from the last to the first.
        events = {
            delivery.headers[MESSAGE_ID]: StoredEvent(
                delivery.sequence, delivery.headers.get(FINGERPRINT_HEADER, "")
            )
            for delivery in reversed(batch)
            if MESSAGE_ID in delivery.headers
        }
        await self._index.record(events)
        for delivery in batch:
            await delivery.ack()
