"""The durable JetStream consumers, one for each subscription, which hold its position in the stream."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from lienthong.exchange.events import CONSUMER_PREFIX, STREAM, consumer_of, subject_of
from lienthong.exchange.repository import AcknowledgementRepository, SubscriptionRepository
from lienthong.kit.bus import BusError

if TYPE_CHECKING:
    from lienthong.exchange.models import Subscription
    from lienthong.kit.bus import Bus, Consumer
    from lienthong.kit.clock import Clock
    from lienthong.kit.database import Database

# How many events may be delivered and not yet acknowledged; ten times what one pull takes at most.
_MAX_ACK_PENDING = 1000
# The bus itself has long stored an acknowledgement this old.
_KEEP_ACKNOWLEDGEMENTS = timedelta(hours=1)

_log = structlog.get_logger(__name__)


class SubscriptionConsumers:
    """Finds the consumer of a subscription, makes it again when it is missing, removes it."""

    def __init__(self, database: Database, bus: Bus, clock: Clock, *, ack_wait: timedelta) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._ack_wait = ack_wait
        self._open: dict[str, Consumer] = {}

    async def of(self, subscription: Subscription) -> Consumer:
        """The consumer of a subscription; made when the bus does not know it.

        Raises:
            BusUnavailableError: the bus does not answer.
        """
        consumer = self._open.get(subscription.id)
        if consumer is None:
            consumer = await self._bus.consumer(
                STREAM,
                consumer_of(subscription.id),
                filter_subject=subject_of(subscription.event_type),
                ack_wait=self._ack_wait.total_seconds(),
                deliver_from=await self._start(subscription),
                max_ack_pending=_MAX_ACK_PENDING,
            )
            await consumer.ensure()
            consumer = self._open.setdefault(subscription.id, consumer)
        return consumer

    async def remove(self, subscription_id: str) -> None:
        """Remove a subscription's consumer; while the bus is away that is left to `reconcile`."""
        consumer = self._open.pop(subscription_id, None)
        try:
            if consumer is not None:
                await consumer.close()
            await self._bus.delete_consumer(STREAM, consumer_of(subscription_id))
        except BusError as error:
            _log.info("consumer will be removed later", subscription=subscription_id, error=str(error))

    async def reconcile(self) -> None:
        """Make missing consumers, remove those without a subscription, delete old acknowledgements.

        A subscription is committed before its consumer is made and deleted before its consumer is removed, so
        what a crash leaves behind is either of the two, and is mended here.

        Raises:
            BusUnavailableError: the bus does not answer.
        """
        # Consumers first: what has a subscription by then also has one in the database below.
        durables = set(await self._bus.durables(STREAM))
        async with self._database.reading() as session:
            subscriptions = {row.id: row for row in await SubscriptionRepository(session).every()}
        for subscription in subscriptions.values():
            await self.of(subscription)
            await self._prune(subscription)
        ours = {name for name in durables if name.startswith(CONSUMER_PREFIX)}
        for name in ours - {consumer_of(subscription_id) for subscription_id in subscriptions}:
            await self.remove(name.removeprefix(CONSUMER_PREFIX))

    async def _prune(self, subscription: Subscription) -> None:
        through = await self._bus.acknowledged_through(STREAM, consumer_of(subscription.id))
        async with self._database.transaction() as session:
            await AcknowledgementRepository(session).prune(
                subscription.id, through=through, before=self._clock.now() - _KEEP_ACKNOWLEDGEMENTS
            )

    async def _start(self, subscription: Subscription) -> int:
        if await self._bus.last_sequence(STREAM) + 1 >= subscription.start_sequence:
            return subscription.start_sequence
        # The stream is younger than the subscription: its store was lost, and its numbers begin anew.
        _log.warning("stream begins anew, so does the subscription", subscription=subscription.id)
        async with self._database.transaction() as session:
            await SubscriptionRepository(session).restart(subscription.id)
        return 1
