"""Creating, finding and deleting subscriptions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy.exc import IntegrityError

from lienthong.exchange import errors
from lienthong.exchange.domain import permissions
from lienthong.exchange.events import STREAM
from lienthong.exchange.models import Subscription
from lienthong.exchange.repository import SubscriptionRepository
from lienthong.exchange.service.event_register import demand_current
from lienthong.kit.actors import Actor
from lienthong.kit.bus import BusUnavailableError
from lienthong.kit.journal import AdminAct

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.ext.asyncio import AsyncSession

    from lienthong.exchange.domain.catalog import EventCatalog
    from lienthong.exchange.domain.numbering import Numbering
    from lienthong.exchange.service.consumers import SubscriptionConsumers
    from lienthong.exchange.service.event_stream import EventStream
    from lienthong.kit.bus import Bus
    from lienthong.kit.clock import Clock
    from lienthong.kit.database import Database
    from lienthong.kit.ids import NewId
    from lienthong.kit.journal import AdminJournal


MAX_SUBSCRIPTIONS = 100
"""How many a system may have; each of them costs the bus memory."""


@dataclass(frozen=True, slots=True)
class _Beginning:
    """The number of the first event of a new subscription, and the numbering that it is of."""

    numbering: Numbering
    number: int


class SubscriptionService:
    """The subscriptions of all systems; each caller sees its own only."""

    def __init__(
        self,
        database: Database,
        bus: Bus,
        stream: EventStream,
        journal: AdminJournal,
        consumers: SubscriptionConsumers,
        catalog: Callable[[], EventCatalog],
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._database = database
        self._bus = bus
        self._stream = stream
        self._journal = journal
        self._consumers = consumers
        self._catalog = catalog
        self._clock = clock
        self._new_id = new_id

    async def put(
        self,
        owner: str,
        name: str,
        event_type: str,
        *,
        ordered: bool,
        start: Literal["new", "all"],
        tx: str | None,
    ) -> tuple[Subscription, bool]:
        """Create a subscription, or find the same one created before; also says whether it is new.

        Every event that is accepted after this returns is delivered to the subscription; with `start="all"`
        also those in the stream already.

        Raises:
            ProblemError: what `permissions.receivable` raises; `subscription-exists`,
                `too-many-subscriptions` or `bus-unavailable`.
        """
        permissions.receivable(self._catalog(), owner, event_type, self._clock.now())
        try:
            beginning = await self._beginning(start)
            wanted = self._new(owner, name, event_type, ordered=ordered, beginning=beginning)
            try:
                subscription, created = await self._find_or_add(wanted, beginning.numbering, tx)
            except IntegrityError:
                # Another request made it at the same moment: now it is there to be found.
                again = self._new(owner, name, event_type, ordered=ordered, beginning=beginning)
                subscription, created = await self._find_or_add(again, beginning.numbering, tx)
            await self._consumers.of(subscription)
        except BusUnavailableError:
            raise errors.bus_unavailable() from None
        return subscription, created

    async def named(self, owner: str, name: str) -> Subscription:
        """The owner's subscription of that name.

        Raises:
            ProblemError: `unknown-subscription`.
        """
        async with self._database.reading() as session:
            found = await SubscriptionRepository(session).named(owner, name)
        if found is None:
            raise errors.unknown_subscription(name)
        return found

    async def of(self, owner: str) -> Sequence[Subscription]:
        """All subscriptions of an owner, by name."""
        async with self._database.reading() as session:
            return await SubscriptionRepository(session).of(owner)

    async def delete(self, owner: str, name: str, *, tx: str | None, by: Actor | None = None) -> None:
        """Delete a subscription and its position in the stream; `by` is who does it, if not its owner.

        Raises:
            ProblemError: `unknown-subscription`.
        """
        async with self._database.transaction() as session:
            repository = SubscriptionRepository(session)
            found = await repository.named(owner, name)
            if found is None:
                raise errors.unknown_subscription(name)
            await repository.remove(found)
            await self._record(session, "subscription.delete", found, tx, by)
        await self._consumers.remove(found.id)

    async def _beginning(self, start: Literal["new", "all"]) -> _Beginning:
        numbering = await self._stream.current()
        if start == "all":
            return _Beginning(numbering, 1)
        return _Beginning(numbering, numbering.number_of(await self._bus.last_sequence(STREAM) + 1))

    async def _find_or_add(
        self, wanted: Subscription, numbering: Numbering, tx: str | None
    ) -> tuple[Subscription, bool]:
        async with self._database.transaction() as session:
            await demand_current(session, numbering)
            repository = SubscriptionRepository(session)
            found = await repository.named(wanted.owner, wanted.name)
            if found is None:
                if await repository.count(wanted.owner) >= MAX_SUBSCRIPTIONS:
                    raise errors.too_many_subscriptions(MAX_SUBSCRIPTIONS)
                repository.add(wanted)
                await self._record(session, "subscription.create", wanted, tx)
                return wanted, True
        if (found.event_type, found.ordered) != (wanted.event_type, wanted.ordered):
            raise errors.subscription_exists(wanted.name)
        return found, False

    def _new(
        self, owner: str, name: str, event_type: str, *, ordered: bool, beginning: _Beginning
    ) -> Subscription:
        return Subscription(
            id=self._new_id(),
            owner=owner,
            name=name,
            event_type=event_type,
            ordered=ordered,
            start_sequence=beginning.number,
            resume_sequence=beginning.number,
            acknowledged_through=0,
            known_from=beginning.numbering.spans[-1].first_number,
            created_at=self._clock.now(),
        )

    async def _record(
        self,
        session: AsyncSession,
        action: str,
        subscription: Subscription,
        tx: str | None,
        by: Actor | None = None,
    ) -> None:
        by = by or Actor(subscription.owner)
        act = AdminAct(
            by.name,
            action,
            f"Subscription/{subscription.owner}/{subscription.name}",
            by.recorded({"event_type": subscription.event_type}),
            tx,
        )
        await self._journal.add(session, act)
