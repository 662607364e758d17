"""Fills the deduplication index from the stream of events.

An event counts as accepted when the stream has it. Who publishes one records it, and is answered after that;
what a process that died had published and not recorded is found here, for the stream is read from its
beginning.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from lienthong.exchange.events import STREAM, index_consumer
from lienthong.exchange.service.event_messages import events_among
from lienthong.exchange.service.event_register import StreamWentBackError
from lienthong.kit.bus import BusError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lienthong.exchange.domain.numbering import Numbering
    from lienthong.exchange.service.deduplication import DeduplicationIndex
    from lienthong.exchange.service.event_register import EventRegister
    from lienthong.exchange.service.event_stream import EventStream
    from lienthong.kit.bus import Bus, Delivery
    from lienthong.kit.clock import Clock

_BATCH = 200
_WAIT = 5.0
# Seconds after which events that a crash left unrecorded are delivered again; until they are recorded, the
# exchange cannot tell retries and refuses to publish.
_ACK_WAIT = 2.0
# Seconds in which events gather after the last one was read. Their publishers have recorded them already:
# whether that is so is looked up for many in one transaction, not for each in its own.
_GATHER = 0.25
_MEASURE_AGAIN, _NOT_YET, _AFTER_A_FAULT = 5.0, 0.1, 1.0

_log = structlog.get_logger(__name__)


class StreamIndexer:
    """Reads the stream through a durable consumer and records each event that is not recorded yet."""

    def __init__(
        self,
        bus: Bus,
        stream: EventStream,
        register: EventRegister,
        index: DeduplicationIndex,
        clock: Clock,
    ) -> None:
        self._bus = bus
        self._stream = stream
        self._register = register
        self._index = index
        self._clock = clock

    async def run(self) -> None:
        """Read the stream until cancelled; from its beginning, when it went back."""
        while True:
            await self._bus.wait_connected()
            try:
                numbering = await self._stream.current()
                await self._begin_again_when_the_index_is_behind(numbering)
                await self._read(numbering)
            except BusError as error:
                _log.info("the stream will be read again", error=str(error))
                await asyncio.sleep(_NOT_YET)
            except Exception:  # noqa: BLE001 - a database that is away comes back
                _log.exception("the stream cannot be recorded")
                await asyncio.sleep(_AFTER_A_FAULT)

    async def _read(self, numbering: Numbering) -> None:
        """Read the stream until it went back.

        Raises:
            BusUnavailableError: it went back, or cannot be looked at.
        """
        still = self._stream.still(numbering)
        consumer = await self._bus.consumer(
            STREAM, index_consumer(numbering.generation), ack_wait=_ACK_WAIT, before_made_again=still
        )
        try:
            while (await self._stream.current()).generation == numbering.generation:
                batch = await consumer.fetch(_BATCH, _WAIT)
                await self._record(numbering, batch)
                if 0 < len(batch) < _BATCH:
                    await asyncio.sleep(_GATHER)
        finally:
            await consumer.close()

    async def measure(self) -> None:
        """Measure how complete the index is, again and again until cancelled.

        It is complete as of a moment when everything that the stream held at that moment is recorded.
        """
        began, stored = 0.0, None
        while True:
            await self._bus.wait_connected()
            pause = _NOT_YET
            try:
                generation = (await self._stream.current()).generation
                if stored is None or stored[0] != generation:
                    began = self._clock.monotonic()
                    stored = generation, await self._bus.last_sequence(STREAM)
                if await self._bus.acknowledged_through(STREAM, index_consumer(generation)) >= stored[1]:
                    self._index.complete_as_of(began)
                    stored, pause = None, _MEASURE_AGAIN
            except BusError as error:
                _log.debug("the index cannot be measured", reason=str(error))
            except Exception:  # noqa: BLE001 - as above
                _log.exception("the index cannot be measured")
                pause = _AFTER_A_FAULT
            await asyncio.sleep(pause)

    async def _begin_again_when_the_index_is_behind(self, numbering: Numbering) -> None:
        """Read the stream from its beginning if the consumer has acknowledged more than the database holds.

        That is so when the database is new or was restored from a backup.
        """
        durable = index_consumer(numbering.generation)
        recorded = await self._index.last_number()
        try:
            through = await self._bus.acknowledged_through(STREAM, durable)
            if through and numbering.number_of(through) > recorded:
                _log.info("the index is built from the beginning of the stream", recorded=recorded)
                await self._bus.delete_consumer(STREAM, durable)
        except BusError as error:
            # No consumer yet, so it begins at the first event anyway.
            _log.debug("the index is new", reason=str(error))

    async def _record(self, numbering: Numbering, batch: Sequence[Delivery]) -> None:
        events = events_among(batch)
        try:
            if events:
                await self._register.record(numbering, events)
        except StreamWentBackError:
            self._stream.suspect()
            raise
        await self._bus.acknowledge_all(batch)
