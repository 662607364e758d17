"""The durable JetStream consumers, one for each subscription, which hold its position in the stream."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from lienthong.exchange.events import (
    CONSUMER_PREFIX,
    INDEX_CONSUMER,
    STREAM,
    consumer_of,
    index_consumer,
    subject_of,
)
from lienthong.exchange.repository import (
    AcknowledgementRepository,
    KeptEventRepository,
    SubscriptionRepository,
)
from lienthong.exchange.service.event_register import demand_current
from lienthong.kit.bus import BusError

if TYPE_CHECKING:
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

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class NumberedConsumer:
    """A subscription's consumer, and how what it delivers is numbered."""

    consumer: Consumer
    numbering: Numbering


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
        """
        numbering = await self._stream.current()
        there = self._open.get(subscription.id)
        if there is not None and there.numbering.generation == numbering.generation:
            return there
        still = self._stream.still(numbering)
        await still()
        consumer = await self._bus.consumer(
            STREAM,
            consumer_of(subscription.id, numbering.generation),
            filter_subject=subject_of(subscription.event_type),
            ack_wait=self._ack_wait.total_seconds(),
            # The same each time: a consumer that exists refuses another beginning.
            deliver_from=numbering.sequence_from(subscription.resume_sequence),
            max_ack_pending=_MAX_ACK_PENDING,
            before_made_again=still,
        )
        await consumer.ensure()
        opened = NumberedConsumer(consumer, numbering)
        if there is not None and self._open.get(subscription.id) is there:
            await there.consumer.close()
            self._open[subscription.id] = opened
        return self._open.setdefault(subscription.id, opened)

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
            await self.of(subscription)
            await self._prune(subscription, numbering)
        needed = {consumer_of(key, numbering.generation) for key in subscriptions}
        needed.add(index_consumer(numbering.generation))
        for name in durables - needed:
            if name.startswith((CONSUMER_PREFIX, INDEX_CONSUMER)):
                await self._bus.delete_consumer(STREAM, name)
        await self._release(numbering)

    async def _prune(self, subscription: Subscription, numbering: Numbering) -> None:
        durable = consumer_of(subscription.id, numbering.generation)
        sequence = await self._bus.acknowledged_through(STREAM, durable)
        through = numbering.number_of(sequence) if sequence else 0
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
            async with self._database.transaction() as session:
                await demand_current(session, numbering)
                those = await SubscriptionRepository(session).of_event_types([event_type])
                through = min(
                    (max(one.acknowledged_through, one.start_sequence - 1) for one in those), default=None
                )
                await KeptEventRepository(session).release(event_type, through)
        async with self._database.transaction() as session:
            await demand_current(session, numbering)
            await KeptEventRepository(session).expire(numbering.number_of(state.first_sequence))
