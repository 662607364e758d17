"""Mends the stream of events after it went back.

The numbering gets a new generation (`domain.numbering`), and the kept events that the stream lacks are
published again, in their order.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import structlog

from lienthong.exchange.domain.messages import AcceptedMessage, OutgoingEvent
from lienthong.exchange.events import STREAM, index_consumer
from lienthong.exchange.repository import (
    AcceptedEventRepository,
    AcknowledgementRepository,
    NumberingRepository,
    SubscriptionRepository,
)
from lienthong.exchange.service.event_messages import (
    EventReusedError,
    another_id,
    events_among,
    publish_event,
    publish_numbered,
)
from lienthong.kit.bus import BusRefusedError, BusUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lienthong.exchange.domain.numbering import Numbering
    from lienthong.exchange.models import KeptEvent
    from lienthong.exchange.service.event_register import EventRegister
    from lienthong.exchange.service.stream_view import StreamView
    from lienthong.kit.bus import Bus, PublishAck, StreamSpec, StreamState
    from lienthong.kit.database import Database

_BETWEEN_TWO_LOOKS_S: Final = 0.2
_BATCH: Final = 100
_WAIT_S: Final = 1.0

_log = structlog.get_logger(__name__)


class StreamMender:
    """Finds out where the stream went back to, and publishes what it lacks."""

    def __init__(
        self, database: Database, bus: Bus, register: EventRegister, spec: StreamSpec, view: StreamView
    ) -> None:
        self._database = database
        self._bus = bus
        self._register = register
        self._spec = spec
        self._view = view
        self.losses = 0
        """How often this process found that the stream went back."""
        self.published_again = 0
        """How many events this process has published again."""

    async def mend(self) -> Numbering:
        """One process at a time finds out where the stream went back to, and publishes what it lacks.

        Raises:
            BusUnavailableError: the bus does not answer, or another process does it now.
        """
        async with self._database.exclusive("event stream") as mine:
            if not mine:
                raise BusUnavailableError("another process mends the stream")
            if await self._bus.find_stream(STREAM) is None:
                await self._make_stream()
            numbering = await self._begin_again_when_it_lost_something()
            if await self._view.lost(numbering, 1):
                await self._record_what_is_there(numbering)
                await self._publish_again(numbering)
        return numbering

    async def _make_stream(self) -> None:
        try:
            await self._bus.ensure_stream(self._spec)
        except BusRefusedError as error:
            raise BusUnavailableError(str(error)) from error

    async def _begin_again_when_it_lost_something(self) -> Numbering:
        """The numbering, a new one when two looks, a moment apart, say that the stream went back, or lacks an
        event among others.

        Raises:
            BusUnavailableError: there is no stream, or the looks do not agree.
        """
        first = await self._view.see()
        if first.sound:
            return first.numbering
        await asyncio.sleep(_BETWEEN_TWO_LOOKS_S)
        seen = await self._view.see()
        if seen.sound:
            return seen.numbering
        if seen.state is None:
            raise BusUnavailableError("there is no stream of events")
        if seen.hole is not None:
            return await self._cut_off(seen.state, seen.numbering, seen.hole)
        return await self._begin_again(seen.state, seen.numbering, seen.newest)

    async def _begin_again(
        self, state: StreamState, numbering: Numbering, newest: tuple[int, str] | None
    ) -> Numbering:
        through = 0
        if newest is not None:
            last = min(state.last_sequence, numbering.sequence_from(newest[0]))
            through = await self._view.common_through(numbering, state.first_sequence, last)
        again = await self._renumber(
            lambda highest: numbering.went_back(through, highest, state.created), numbering
        )
        _log.error(
            "the bus lost events: its store was lost or replaced by an older copy",
            stream=STREAM,
            recorded_through=newest[0] if newest is not None else 0,
            present_through=through,
            generation=again.generation,
        )
        return again

    async def _cut_off(self, state: StreamState, numbering: Numbering, hole: int) -> Numbering:
        """Have what the stream has after a hole published again after what it lost: order is kept."""
        last = state.last_sequence
        again = await self._renumber(
            lambda highest: numbering.cut_off(hole, last, highest, state.created), numbering
        )
        _log.error(
            "the bus lost events: a part of its store is damaged",
            stream=STREAM,
            missing_from=numbering.number_of(hole),
            generation=again.generation,
        )
        return again

    async def _renumber(self, changed: Callable[[int], Numbering], before: Numbering) -> Numbering:
        """Write the numbering that follows from the highest number that is recorded anywhere."""
        async with self._database.transaction() as session:
            highest = max(
                await AcceptedEventRepository(session).highest(),
                await AcknowledgementRepository(session).highest(),
                before.spans[-1].first_number,
            )
            again = changed(highest)
            await NumberingRepository(session).write(again)
            await SubscriptionRepository(session).resume_all()
        self.losses += 1
        return again

    async def _record_what_is_there(self, numbering: Numbering) -> None:
        """Record what the stream has since it went back: the database alone may have been replaced.

        What is there already must not be published again.
        """
        first = numbering.spans[-1].first_sequence
        last = await self._bus.last_sequence(STREAM)
        if last < first:
            return
        durable = f"{index_consumer(numbering.generation)}-mending"
        await self._bus.delete_consumer(STREAM, durable)
        consumer = await self._bus.consumer(STREAM, durable, deliver_from=first)
        try:
            through = first - 1
            # What is not there any more leaves gaps, also at the end.
            while through < last and (batch := await consumer.fetch(_BATCH, _WAIT_S)):
                if events := events_among(batch):
                    await self._register.record(numbering, events)
                for delivery in batch:
                    await delivery.ack()
                through = batch[-1].sequence
        finally:
            await consumer.close()
        await self._bus.delete_consumer(STREAM, durable)

    async def _publish_again(self, numbering: Numbering) -> None:
        """Publish the kept events that the stream lacks, oldest first; each batch is recorded at once."""
        published = 0
        while batch := await self._view.lost(numbering, _BATCH):
            stored = [await self._publish_kept(event, numbering) for event in batch]
            await self._register.record(numbering, stored)
            published += len(batch)
            self.published_again += len(batch)
        if published:
            _log.warning("events that the bus had lost were published again", events=published)

    async def _publish_kept(self, event: KeptEvent, numbering: Numbering) -> AcceptedMessage:
        content = (event.event_type, event.message_id, event.fingerprint, event.payload)
        ack = await self._publish_under_an_id(OutgoingEvent(*content), numbering)
        return AcceptedMessage(ack.sequence, *content)

    async def _publish_under_an_id(self, event: OutgoingEvent, numbering: Numbering) -> PublishAck:
        try:
            return await publish_numbered(self._bus, event, numbering)
        except EventReusedError:
            # Put there by a process that did not know of the accepted one. It was never recorded, so its
            # publisher was refused, and it is delivered to nobody.
            _log.warning("the stream has another event under the id of an accepted one", id=event.message_id)
        try:
            return await publish_event(self._bus, event, under=another_id(event, numbering))
        except EventReusedError as error:
            raise BusUnavailableError("the stream has other events under both message ids") from error
