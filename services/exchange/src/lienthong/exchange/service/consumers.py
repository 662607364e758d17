"""The durable JetStream consumers, one for each subscription, which hold its position in the stream."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.exc import SQLAlchemyError

from lienthong.exchange.events import (
    CONSUMER_PREFIX,
    INDEX_CONSUMER,
    STREAM,
    consumer_of,
    index_consumer,
    subject_of,
)
from lienthong.exchange.repository import (
    AcceptedEventRepository,
    AcknowledgementRepository,
    KeptEventRepository,
    SubscriptionRepository,
)
from lienthong.exchange.service.event_register import StreamWentBackError, demand_current
from lienthong.kit.bus import BusError, BusRefusedError, BusUnavailableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from lienthong.exchange.domain.numbering import Numbering
    from lienthong.exchange.models import Subscription
    from lienthong.exchange.service.event_stream import EventStream
    from lienthong.kit.bus import Bus, Consumer
    from lienthong.kit.clock import Clock
    from lienthong.kit.database import Database

# How many events may be delivered and not yet acknowledged; ten times what one pull takes at most.
_MAX_ACK_PENDING = 1000
# The bus itself has long stored an acknowledgement this old.
_KEEP_ACKNOWLEDGEMENTS = timedelta(hours=1)
# Kept events that a transaction deletes; each may have 256 KiB.
_PORTION = 200

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class NumberedConsumer:
    """A subscription's consumer, and how what it delivers is numbered."""

    consumer: Consumer
    numbering: Numbering


class SubscriptionGoneError(BusUnavailableError):
    """A subscription was deleted, so that nothing is made for it any more."""


class SubscriptionConsumers:
    """Finds the consumer of a subscription, makes it again when it is missing, removes it."""

    def __init__(
        self, database: Database, bus: Bus, stream: EventStream, clock: Clock, *, ack_wait: timedelta
    ) -> None:
        self._database = database
        self._bus = bus
        self._stream = stream
        self._clock = clock
        self._ack_wait = ack_wait
        self._open: dict[str, NumberedConsumer] = {}

    async def of(self, subscription: Subscription) -> NumberedConsumer:
        """The consumer of a subscription; made when the bus does not know it.

        Raises:
            BusUnavailableError: the bus does not answer, or the stream is being mended.
            SubscriptionGoneError: the subscription is not there any more.
        """
        numbering = await self._stream.current()
        there = self._open.get(subscription.id)
        if there is not None and there.numbering.generation == numbering.generation:
            return there
        still = self._stream.still(numbering)
        await still()
        consumer = await self._make(subscription, numbering, still)
        opened = NumberedConsumer(consumer, numbering)
        if there is not None and self._open.get(subscription.id) is there:
            await there.consumer.close()
            self._open[subscription.id] = opened
        return self._open.setdefault(subscription.id, opened)

    async def _make(
        self, subscription: Subscription, numbering: Numbering, still: Callable[[], Awaitable[None]]
    ) -> Consumer:
        durable = consumer_of(subscription.id, numbering.generation)
        begin = await self._beginning(subscription.id, numbering)

        async def still_there() -> None:
            await still()
            await self._beginning(subscription.id, numbering)

        async def made() -> Consumer:
            consumer = await self._bus.consumer(
                STREAM,
                durable,
                filter_subject=subject_of(subscription.event_type),
                ack_wait=self._ack_wait.total_seconds(),
                deliver_from=begin,
                max_ack_pending=_MAX_ACK_PENDING,
                before_made_again=still_there,
            )
            await consumer.ensure()
            return consumer

        try:
            return await made()
        except BusRefusedError as error:
            # One is there that begins elsewhere: the database was replaced by an older copy of it since. What
            # the database says holds; what it has as acknowledged is not delivered again.
            _log.warning("consumer is made anew", subscription=subscription.id, error=str(error))
        try:
            await self._bus.delete_consumer(STREAM, durable)
            return await made()
        except BusRefusedError as error:
            raise BusUnavailableError(str(error)) from error

    async def _beginning(self, subscription_id: str, numbering: Numbering) -> int:
        """The sequence that a subscription's consumer begins at, the same for as long as a numbering holds.

        Raises:
            BusUnavailableError: another numbering holds.
            SubscriptionGoneError: the subscription is not there any more.
        """
        async with self._database.reading() as session:
            await demand_current(session, numbering, lock=None)
            subscription = await SubscriptionRepository(session).by_id(subscription_id)
        if subscription is None:
            raise SubscriptionGoneError("the subscription was deleted")
        return numbering.sequence_from(subscription.resume_sequence)

    async def open_again(self, subscription_id: str) -> None:
        """Forget what is known about a consumer that the bus refuses: the next pull makes it anew."""
        opened = self._open.pop(subscription_id, None)
        if opened is not None:
            await opened.consumer.close()

    async def remove(self, subscription_id: str) -> None:
        """Remove a subscription's consumer; while the bus is away that is left to `reconcile`."""
        opened = self._open.pop(subscription_id, None)
        try:
            if opened is not None:
                await opened.consumer.close()
            generation = (await self._stream.current()).generation
            await self._bus.delete_consumer(STREAM, consumer_of(subscription_id, generation))
        except BusError as error:
            _log.info("consumer will be removed later", subscription=subscription_id, error=str(error))

    async def reconcile(self) -> None:
        """Make missing consumers, remove those that nobody needs, delete what is acknowledged for long.

        A subscription is committed before its consumer is made and deleted before its consumer is removed, so
        what a crash leaves behind is either of the two, and is mended here. So are consumers from before the
        stream went back.

        Raises:
            BusUnavailableError: the bus does not answer.
        """
        numbering = await self._stream.current()
        # Consumers first: what has a subscription by then also has one in the database below.
        durables = set(await self._bus.durables(STREAM))
        async with self._database.reading() as session:
            subscriptions = {row.id: row for row in await SubscriptionRepository(session).every()}
        for subscription in subscriptions.values():
            await self._look_after(subscription, numbering)
        needed = {consumer_of(key, numbering.generation) for key in subscriptions}
        needed.add(index_consumer(numbering.generation))
        for name in durables - needed:
            if name.startswith((CONSUMER_PREFIX, INDEX_CONSUMER)):
                await self._bus.delete_consumer(STREAM, name)
        await self._release(numbering)

    async def _look_after(self, subscription: Subscription, numbering: Numbering) -> None:
        """Upkeep of one subscription; its faults are logged, and what concerns all is raised."""
        try:
            await self.of(subscription)
            await self._prune(subscription, numbering)
        except StreamWentBackError:
            raise
        except (BusError, SQLAlchemyError) as error:
            if not self._bus.connected:
                raise
            _log.warning("upkeep of a consumer failed", subscription=subscription.id, error=str(error))

    async def _prune(self, subscription: Subscription, numbering: Numbering) -> None:
        durable = consumer_of(subscription.id, numbering.generation)
        sequence = await self._bus.acknowledged_through(STREAM, durable)
        through = numbering.number_through(sequence)
        # The bus passes over what it cannot read, and counts it as acknowledged.
        done = max(subscription.acknowledged_through, subscription.start_sequence - 1)
        await self._stream.demand_nothing_passed_over(subscription, numbering, done, through)
        async with self._database.transaction() as session:
            await demand_current(session, numbering)
            await SubscriptionRepository(session).note_acknowledged(subscription.id, through)
            await AcknowledgementRepository(session).prune(
                subscription.id, through=through, before=self._clock.now() - _KEEP_ACKNOWLEDGEMENTS
            )

    async def _release(self, numbering: Numbering) -> None:
        """Keep no longer what every subscription has acknowledged, nor what the stream dropped in time."""
        state = await self._bus.stream_state(STREAM)
        async with self._database.reading() as session:
            event_types = await KeptEventRepository(session).event_types()
        for event_type in event_types:
            await _in_portions(partial(self._release_some, numbering, event_type))
        dropped_before = self._stream.dropped_before()
        if dropped_before is not None:
            first = numbering.number_of(state.first_sequence)
            await _in_portions(partial(self._expire_some, numbering, first, dropped_before))

    async def _release_some(self, numbering: Numbering, event_type: str) -> int:
        async with self._database.transaction() as session:
            await demand_current(session, numbering)
            # Read first: what is accepted after that may belong to a subscription that is not seen below.
            highest = await AcceptedEventRepository(session).highest()
            those = await SubscriptionRepository(session).of_event_types([event_type])
            through = min(
                (max(one.acknowledged_through, one.start_sequence - 1) for one in those), default=highest
            )
            return await KeptEventRepository(session).release(event_type, min(through, highest), _PORTION)

    async def _expire_some(self, numbering: Numbering, first: int, stored_before: datetime) -> int:
        async with self._database.transaction() as session:
            await demand_current(session, numbering)
            return await KeptEventRepository(session).expire(first, stored_before, _PORTION)


async def _in_portions(delete_some: Callable[[], Awaitable[int]]) -> None:
    """Delete until a portion is not full: none takes long, and between two others may write."""
    while await delete_some() == _PORTION:
        pass
