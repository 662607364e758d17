"""Delivering events to subscribers: pulled, acknowledged, and delivered again when they were not."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.exc import IntegrityError

from lienthong.exchange import errors
from lienthong.exchange.domain import permissions
from lienthong.exchange.domain.ack_tokens import DeliveryTag, ForgedTokenError
from lienthong.exchange.events import FINGERPRINT_HEADER, STREAM, consumer_of, message_id_in
from lienthong.exchange.repository import (
    AcceptedEventRepository,
    AcknowledgementRepository,
    KeptEventRepository,
    SubscriptionRepository,
)
from lienthong.exchange.service.consumers import SubscriptionGoneError
from lienthong.exchange.service.leases import HeldLease, LeaseWatch
from lienthong.kit.bus import BusError, BusRefusedError, BusUnavailableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence

    from lienthong.exchange.domain.ack_tokens import AckTokens
    from lienthong.exchange.domain.catalog import EventCatalog
    from lienthong.exchange.domain.messages import StoredEvent
    from lienthong.exchange.domain.numbering import Numbering
    from lienthong.exchange.models import Subscription
    from lienthong.exchange.service.consumers import NumberedConsumer, SubscriptionConsumers
    from lienthong.exchange.service.event_stream import EventStream
    from lienthong.kit.bus import Bus, Delivery
    from lienthong.kit.clock import Clock
    from lienthong.kit.database import Database
    from lienthong.kit.ids import NewId

# A waiting pull looks up this often: is the agreement still in force, is the subscriber still there?
_SLICE_SECONDS = 0.5
_LEASE_POLL_SECONDS = 0.1
# The bus notices a moment late that an acknowledgement is overdue; a lease outlasts that moment, so that
# overdue events come before newer ones.
_LEASE_MARGIN = timedelta(seconds=1)
_LEASE_RENEWAL = timedelta(seconds=10)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DeliveredEvent:
    """An event for a subscriber: the JSON text of the CloudEvent, and the token that acknowledges it.

    `delivered` counts the deliveries of this event to this subscription, this one included.
    """

    ack: str
    sequence: int
    delivered: int
    event: bytes


@dataclass(frozen=True, slots=True)
class AckOutcome:
    """The tokens whose events are acknowledged now, and the refused tokens with the reason of each."""

    acknowledged: Sequence[str]
    refused: Sequence[tuple[str, str]]


class DeliveryService:
    """Delivers events and takes acknowledgements.

    An ordered subscription is pulled under a lease: one pull at a time has it, and keeps it until every event
    delivered under it is acknowledged or overdue (`service.leases` says when). Nothing newer is delivered
    before that, so a subscriber that dies half-way gets the same events again before any later one.
    """

    def __init__(
        self,
        database: Database,
        bus: Bus,
        stream: EventStream,
        consumers: SubscriptionConsumers,
        tokens: AckTokens,
        catalog: Callable[[], EventCatalog],
        clock: Clock,
        new_id: NewId,
        *,
        ack_wait: timedelta,
    ) -> None:
        self._database = database
        self._bus = bus
        self._stream = stream
        self._consumers = consumers
        self._tokens = tokens
        self._catalog = catalog
        self._clock = clock
        self._new_id = new_id
        self._ack_wait = ack_wait
        self._leases = LeaseWatch(clock.monotonic)
        self._in_order: dict[tuple[str, int], int] = {}
        """Up to which number nothing was passed over, by subscription and generation of the numbering."""
        self._stopping = False

    def stop(self) -> None:
        """Let waiting pulls return with what they have, for the process is about to end."""
        self._stopping = True

    async def pull(
        self,
        owner: str,
        name: str,
        max_events: int,
        wait: float,
        disconnected: Callable[[], Awaitable[bool]],
    ) -> list[DeliveredEvent]:
        """Up to `max_events` events of a subscription; waits up to `wait` seconds for the first one.

        `disconnected` says whether the subscriber has hung up: then nothing is delivered to this pull, and
        the next one gets the events.

        Raises:
            ProblemError: `unknown-subscription`, and what `permissions.receivable` raises as soon as the
                right ends, both also while waiting; `bus-unavailable`.
        """
        subscription = await self._subscription(owner, name)
        lease = _Lease(self._new_id())
        taken: list[_Taken] = []
        delivered: list[DeliveredEvent] = []
        try:
            taken = await self._wait(subscription, lease, max_events, wait, disconnected)
            self._demand_right(subscription)
            if taken and not await disconnected():
                delivered = await self._deliver(subscription, lease, taken)
        except SubscriptionGoneError:
            raise errors.unknown_subscription(name) from None
        except BusUnavailableError:
            # A consumer that was removed looks like a bus that does not answer.
            await self._subscription(owner, name)
            raise errors.bus_unavailable() from None
        finally:
            if not delivered:
                await self._return(subscription, lease, taken)
        return delivered

    async def acknowledge(self, owner: str, name: str, tokens: Sequence[str]) -> AckOutcome:
        """Note that the subscriber is done with events: they are never delivered to it again.

        That holds as soon as this returns, even while the bus is away: the exchange's own database says so.

        Raises:
            ProblemError: `unknown-subscription`.
        """
        subscription = await self._subscription(owner, name)
        tags: dict[str, DeliveryTag] = {}
        refused: list[tuple[str, str]] = []
        for token in dict.fromkeys(tokens):
            try:
                tags[token] = self._tokens.open(subscription.id, token)
            except ForgedTokenError as error:
                refused.append((token, str(error)))
        events = {tag.message_id: tag.sequence for tag in tags.values()}
        try:
            async with self._database.transaction() as session:
                # Since it was delivered an event may have got another number.
                for message_id, now in (await AcceptedEventRepository(session).among(events)).items():
                    events[message_id] = max(events[message_id], now.sequence)
                await AcknowledgementRepository(session).add(subscription.id, events, self._clock.now())
        except IntegrityError:
            # Deleted since it was looked up.
            raise errors.unknown_subscription(subscription.name) from None
        await self._tell_bus(subscription, tags.values())
        return AckOutcome(acknowledged=list(tags), refused=refused)

    async def _tell_bus(self, subscription: Subscription, tags: Collection[DeliveryTag]) -> None:
        """Settle deliveries; the bus forgot those from before it went back."""
        try:
            generation = (await self._stream.current()).generation
            current = f".{consumer_of(subscription.id, generation)}."
            for tag in tags:
                if current in tag.reply:
                    await self._bus.acknowledge(tag.reply)
        except BusError as error:
            # The bus will deliver it once more, and `_fetch` will see that it is acknowledged.
            _log.info("bus will learn of the acknowledgement later", error=str(error))

    async def _subscription(self, owner: str, name: str) -> Subscription:
        async with self._database.reading() as session:
            found = await SubscriptionRepository(session).named(owner, name)
        if found is None:
            raise errors.unknown_subscription(name)
        return found

    def _demand_right(self, subscription: Subscription) -> None:
        permissions.receivable(
            self._catalog(), subscription.owner, subscription.event_type, self._clock.now()
        )

    async def _wait(
        self,
        subscription: Subscription,
        lease: _Lease,
        max_events: int,
        wait: float,
        disconnected: Callable[[], Awaitable[bool]],
    ) -> list[_Taken]:
        deadline = self._clock.monotonic() + wait
        while True:
            self._demand_right(subscription)
            if not self._bus.connected:
                raise BusUnavailableError("not connected")
            left = max(0.0, deadline - self._clock.monotonic())
            if await self._holds(subscription, lease):
                taken = await self._fetch(subscription, max_events, min(left, _SLICE_SECONDS))
                if taken:
                    return taken
            else:
                await asyncio.sleep(min(left, _LEASE_POLL_SECONDS))
            if self._stopping or self._clock.monotonic() >= deadline or await disconnected():
                return []

    async def _holds(self, subscription: Subscription, lease: _Lease) -> bool:
        """Whether this pull has the lease; acquires and renews it. An unordered subscription needs none."""
        if not subscription.ordered:
            return True
        if self._clock.monotonic() < lease.renew_at:
            return True
        # Should this process die with undelivered events, nothing newer is delivered until they are overdue.
        until = self._clock.now() + _LEASE_RENEWAL + self._ack_wait + _LEASE_MARGIN
        async with self._database.transaction() as session:
            repository = SubscriptionRepository(session)
            acquired = await repository.acquire_lease(
                subscription.id, lease.id, until=until, is_over=self._is_over
            )
            if not acquired and await repository.by_id(subscription.id) is None:
                raise SubscriptionGoneError("the subscription was deleted")
        if acquired:
            self._leases.forget(subscription.id)
        lease.renew_at = self._clock.monotonic() + _LEASE_RENEWAL.total_seconds() if acquired else 0.0
        return acquired

    def _is_over(self, subscription: Subscription) -> bool:
        """Whether the lease that another pull has cannot be in use any more."""
        if subscription.lease is None or subscription.lease_until is None:
            return True
        delivered = subscription.lease_events is not None
        lasts = self._ack_wait + _LEASE_MARGIN + (timedelta() if delivered else _LEASE_RENEWAL)
        held = HeldLease(subscription.lease, subscription.lease_until, delivered)
        return self._leases.is_over(subscription.id, held, lasts.total_seconds())

    async def _fetch(self, subscription: Subscription, max_events: int, wait: float) -> list[_Taken]:
        """Events from the bus, without those that were acknowledged before; in order where that is wanted."""
        source = await self._consumers.of(subscription)
        fresh = await self._take(subscription, source, max_events, wait)
        if subscription.ordered and fresh:
            fresh = await self._from_the_first(subscription, source, fresh)
            for one in fresh[max_events:]:
                await one.delivery.nak()
            fresh = fresh[:max_events]
            await self._demand_order(subscription, source.numbering, fresh)
        return fresh

    async def _from_the_first(
        self, subscription: Subscription, source: NumberedConsumer, taken: list[_Taken]
    ) -> list[_Taken]:
        """Events of an ordered subscription by their numbers, with all before them that come again.

        The bus delivers again in the order in which events became overdue. That is another one than that of
        acceptance where the first were pulled again by themselves and were not acknowledged again.
        """
        taken = sorted(taken, key=lambda one: one.number)
        if all(one.delivery.delivered_count == 1 for one in taken):
            # What comes again comes before what is new.
            return taken
        durable = consumer_of(subscription.id, source.numbering.generation)
        outstanding = await self._bus.unacknowledged(STREAM, durable) - len(taken)
        if outstanding > 0 and await self._earlier_waits(subscription, taken[0].number):
            more = await self._take(subscription, source, outstanding, 0)
            taken = sorted((*taken, *more), key=lambda one: one.number)
        return taken

    async def _earlier_waits(self, subscription: Subscription, number: int) -> bool:
        """Whether an event before that number is not acknowledged."""
        done = max(subscription.acknowledged_through, subscription.start_sequence - 1)
        async with self._database.reading() as session:
            return bool(await KeptEventRepository(session).unacknowledged(subscription, done, number - 1, 1))

    async def _take(
        self, subscription: Subscription, source: NumberedConsumer, max_events: int, wait: float
    ) -> list[_Taken]:
        try:
            deliveries = await source.consumer.fetch(max_events, wait)
        except BusRefusedError as error:
            await self._consumers.open_again(subscription.id)
            raise BusUnavailableError(str(error)) from error
        batch = [_Taken(one, source.numbering.number_of(one.sequence)) for one in deliveries]
        if not batch:
            return []
        events = {taken.message_id for taken in batch}
        async with self._database.reading() as session:
            done = await AcknowledgementRepository(session).among(subscription.id, events)
            accepted = await AcceptedEventRepository(session).among(events)
        fresh = []
        for taken in batch:
            delivery = taken.delivery
            # A consumer that is older than its stream begins with what was acknowledged long ago.
            if taken.message_id in done or taken.number <= subscription.acknowledged_through:
                await delivery.ack()
            elif FINGERPRINT_HEADER not in delivery.headers:
                _log.error("message was not put into the stream by the exchange", sequence=delivery.sequence)
                await delivery.ack()
            elif taken.is_another_than(accepted.get(taken.message_id)):
                _log.error("message is not what was accepted under its id", sequence=delivery.sequence)
                await delivery.ack()
            else:
                fresh.append(taken)
        return fresh

    async def _demand_order(
        self, subscription: Subscription, numbering: Numbering, taken: Sequence[_Taken]
    ) -> None:
        """Deliver nothing in order before what the stream has lost.

        Raises:
            BusUnavailableError: an earlier event is missing; it comes again when the stream is mended.
        """
        key = subscription.id, numbering.generation
        after = max(
            subscription.acknowledged_through, subscription.start_sequence - 1, self._in_order.get(key, 0)
        )
        last = taken[-1].number
        await self._stream.demand_nothing_passed_over(
            subscription, numbering, after, last - 1, {one.message_id for one in taken}
        )
        self._in_order[key] = max(after, last)

    async def _deliver(
        self, subscription: Subscription, lease: _Lease, taken: Sequence[_Taken]
    ) -> list[DeliveredEvent]:
        """What the subscriber is answered with; nothing when the lease was lost in the meantime."""
        if subscription.ordered:
            until = self._clock.now() + self._ack_wait + _LEASE_MARGIN
            events = [one.message_id for one in taken]
            async with self._database.transaction() as session:
                repository = SubscriptionRepository(session)
                if not await repository.record_delivered(subscription.id, lease.id, events, until=until):
                    return []
        return [
            DeliveredEvent(
                ack=self._tokens.issue(
                    subscription.id, DeliveryTag(one.number, one.message_id, one.delivery.reply)
                ),
                sequence=one.number,
                delivered=one.delivery.delivered_count,
                event=one.delivery.payload,
            )
            for one in taken
        ]

    async def _return(self, subscription: Subscription, lease: _Lease, taken: Sequence[_Taken]) -> None:
        """Give events that were not delivered back to the bus, then release the lease."""
        try:
            for one in taken:
                await one.delivery.nak()
        except BusError as error:
            # Not knowing what the bus still waits for, keep the lease until all of it is overdue.
            _log.info("events come again when they are overdue", error=str(error))
            return
        if subscription.ordered and lease.renew_at:
            async with self._database.transaction() as session:
                await SubscriptionRepository(session).release_lease(subscription.id, lease.id)


@dataclass(slots=True)
class _Lease:
    """One pull's lease on an ordered subscription; `renew_at` is monotonic time, 0 while another has it."""

    id: str
    renew_at: float = 0.0


@dataclass(frozen=True, slots=True)
class _Taken:
    """A message that a pull took from the bus, and its number."""

    delivery: Delivery
    number: int

    @property
    def message_id(self) -> str:
        return message_id_in(self.delivery.headers)

    def is_another_than(self, accepted: StoredEvent | None) -> bool:
        """Whether another event was accepted under its message id."""
        return accepted is not None and accepted.fingerprint != self.delivery.headers.get(FINGERPRINT_HEADER)
