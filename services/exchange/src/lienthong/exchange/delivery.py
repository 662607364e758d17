"""Handing events to subscribers: pull, acknowledge, and again when nothing was acknowledged."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.exc import IntegrityError

from lienthong.exchange import errors, permissions
from lienthong.exchange.ack_tokens import ForgedTokenError, Handed
from lienthong.exchange.events import FINGERPRINT_HEADER
from lienthong.exchange.repository import AcknowledgementRepository, SubscriptionRepository
from lienthong.kit.bus import MESSAGE_ID, BusError, BusUnavailableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from lienthong.exchange.ack_tokens import AckTokens
    from lienthong.exchange.catalog_view import CatalogView
    from lienthong.exchange.consumers import Consumers
    from lienthong.exchange.models import Subscription
    from lienthong.kit.bus import Bus, Delivery
    from lienthong.kit.clock import Clock
    from lienthong.kit.database import Database
    from lienthong.kit.ids import NewId

# A waiting pull looks up this often: is the agreement still in force, is the subscriber still there?
_SLICE_SECONDS = 0.5
_TURN_POLL_SECONDS = 0.1
# The bus notices a moment late that an acknowledgement is overdue; a turn outlasts that moment, so that
# overdue events come before newer ones.
_TURN_MARGIN = timedelta(seconds=1)
_TURN_RENEWAL = timedelta(seconds=10)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class HandedEvent:
    """An event for a subscriber: the JSON text of the CloudEvent, and the token that acknowledges it."""

    ack: str
    sequence: int
    delivered: int
    event: bytes


@dataclass(frozen=True, slots=True)
class Settlement:
    """Which tokens were good, and why the others were not."""

    acknowledged: Sequence[str]
    refused: Sequence[tuple[str, str]]


class Dispatch:
    """Hands events out and takes acknowledgements.

    An ordered subscription is handed events in turns: nothing newer while something of the last turn is
    neither acknowledged nor overdue. So a subscriber that dies half-way gets the same events again before
    any later one.
    """

    def __init__(
        self,
        database: Database,
        bus: Bus,
        consumers: Consumers,
        tokens: AckTokens,
        view: Callable[[], CatalogView],
        clock: Clock,
        new_id: NewId,
        *,
        ack_wait: timedelta,
    ) -> None:
        self._database = database
        self._bus = bus
        self._consumers = consumers
        self._tokens = tokens
        self._view = view
        self._clock = clock
        self._new_id = new_id
        self._ack_wait = ack_wait
        self._stopping = False

    def stop(self) -> None:
        """Let waiting pulls end with what they have, for the process is about to."""
        self._stopping = True

    async def pull(
        self, subscription: Subscription, most: int, wait: float, gone: Callable[[], Awaitable[bool]]
    ) -> list[HandedEvent]:
        """Up to `most` events; waits up to `wait` seconds for the first one.

        `gone` says whether the subscriber has hung up: then nothing is handed out, and the next pull gets it.

        Raises:
            Problem: `no-agreement` and the like as soon as the right ends, also while waiting;
                `bus-unavailable`.
        """
        turn = _Turn(self._new_id())
        taken: list[Delivery] = []
        handed: list[HandedEvent] = []
        try:
            taken = await self._wait(subscription, turn, most, wait, gone)
            self._check(subscription)
            if taken and not await gone():
                handed = await self._hand(subscription, turn, taken)
        except BusUnavailableError:
            raise errors.bus_unavailable() from None
        finally:
            if not handed:
                await self._give_back(subscription, turn, taken)
        return handed

    async def acknowledge(self, subscription: Subscription, tokens: Sequence[str]) -> Settlement:
        """Note that the subscriber is done with events: they are never handed to it again.

        That is so as soon as this returns, even when the bus is away: the exchange's own database says so.

        Raises:
            Problem: `unknown-subscription`.
        """
        opened: dict[str, Handed] = {}
        refused: list[tuple[str, str]] = []
        for token in dict.fromkeys(tokens):
            try:
                opened[token] = self._tokens.open(subscription.id, token)
            except ForgedTokenError as error:
                refused.append((token, str(error)))
        events = {handed.message_id: handed.sequence for handed in opened.values()}
        try:
            async with self._database.transaction() as session:
                await AcknowledgementRepository(session).add(subscription.id, events, self._clock.now())
        except IntegrityError:
            # Deleted since it was looked up.
            raise errors.unknown_subscription(subscription.name) from None
        for handed in opened.values():
            try:
                await self._bus.acknowledge(handed.reply)
            except BusError as error:
                # The bus will deliver it once more, and `_take` will see that it is done.
                _log.info("bus will learn of the acknowledgement later", error=str(error))
                break
        return Settlement(acknowledged=list(opened), refused=refused)

    def _check(self, subscription: Subscription) -> None:
        permissions.receivable(self._view(), subscription.owner, subscription.event_type, self._clock.now())

    async def _wait(
        self,
        subscription: Subscription,
        turn: _Turn,
        most: int,
        wait: float,
        gone: Callable[[], Awaitable[bool]],
    ) -> list[Delivery]:
        deadline = self._clock.monotonic() + wait
        while True:
            self._check(subscription)
            if not self._bus.connected:
                raise BusUnavailableError("not connected")
            left = max(0.0, deadline - self._clock.monotonic())
            if await self._has_turn(subscription, turn):
                taken = await self._take(subscription, most, min(left, _SLICE_SECONDS))
                if taken:
                    return taken
            else:
                await asyncio.sleep(min(left, _TURN_POLL_SECONDS))
            if self._stopping or self._clock.monotonic() >= deadline or await gone():
                return []

    async def _has_turn(self, subscription: Subscription, turn: _Turn) -> bool:
        if not subscription.ordered:
            return True
        if self._clock.monotonic() < turn.renew_at:
            return True
        now = self._clock.now()
        # Should this process die with events in its hands, nobody may overtake them until they are overdue.
        until = now + _TURN_RENEWAL + self._ack_wait + _TURN_MARGIN
        async with self._database.transaction() as session:
            repository = SubscriptionRepository(session)
            taken = await repository.take_turn(subscription.id, turn.id, until=until, now=now)
        turn.renew_at = self._clock.monotonic() + _TURN_RENEWAL.total_seconds() if taken else 0.0
        return taken

    async def _take(self, subscription: Subscription, most: int, wait: float) -> list[Delivery]:
        """Events from the bus, without those that were acknowledged before."""
        consumer = await self._consumers.of(subscription)
        batch = await consumer.fetch(most, wait)
        if not batch:
            return []
        async with self._database.reading() as session:
            done = await AcknowledgementRepository(session).among(
                subscription.id, {_message_id(delivery) for delivery in batch}
            )
        fresh = []
        for delivery in batch:
            if _message_id(delivery) in done:
                await delivery.ack()
            elif FINGERPRINT_HEADER not in delivery.headers:
                _log.error("message was not put into the stream by the exchange", sequence=delivery.sequence)
                await delivery.ack()
            else:
                fresh.append(delivery)
        return fresh

    async def _hand(
        self, subscription: Subscription, turn: _Turn, taken: Sequence[Delivery]
    ) -> list[HandedEvent]:
        if subscription.ordered:
            until = self._clock.now() + self._ack_wait + _TURN_MARGIN
            events = [_message_id(delivery) for delivery in taken]
            async with self._database.transaction() as session:
                repository = SubscriptionRepository(session)
                if not await repository.hand(subscription.id, turn.id, events, until=until):
                    return []
        return [
            HandedEvent(
                ack=self._tokens.issue(
                    subscription.id, Handed(delivery.sequence, _message_id(delivery), delivery.reply)
                ),
                sequence=delivery.sequence,
                delivered=delivery.delivered_count,
                event=delivery.payload,
            )
            for delivery in taken
        ]

    async def _give_back(self, subscription: Subscription, turn: _Turn, taken: Sequence[Delivery]) -> None:
        try:
            for delivery in taken:
                await delivery.nak()
        except BusError as error:
            # Not knowing what the bus has in hand, keep the turn until all of it is overdue.
            _log.info("events come again when they are overdue", error=str(error))
            return
        if subscription.ordered and turn.renew_at:
            async with self._database.transaction() as session:
                await SubscriptionRepository(session).end_turn(subscription.id, turn.id)


@dataclass(slots=True)
class _Turn:
    """One pull's turn; `renew_at` is monotonic time, 0 while it is another's."""

    id: str
    renew_at: float = 0.0


def _message_id(delivery: Delivery) -> str:
    return delivery.headers.get(MESSAGE_ID, "")
