"""Queries about subscriptions, and about what they have acknowledged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import case, delete, func, select, update

from lienthong.exchange.models import AcknowledgedEvent, Subscription
from lienthong.exchange.repository.statements import changed, insert_missing

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession


class SubscriptionRepository:
    """Subscriptions; what callers ask for is always limited to one owner."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    def add(self, subscription: Subscription) -> None:
        """Add a new subscription."""
        self._session.add(subscription)

    async def named(self, owner: str, name: str) -> Subscription | None:
        """The owner's subscription of that name."""
        found = await self._session.scalars(
            select(Subscription).where(Subscription.owner == owner, Subscription.name == name)
        )
        return found.one_or_none()

    async def by_id(self, subscription_id: str) -> Subscription | None:
        """The subscription as it is now, whoever owns it; for the exchange's own upkeep."""
        return await self._session.get(Subscription, subscription_id, populate_existing=True)

    async def of(self, owner: str) -> Sequence[Subscription]:
        """All subscriptions of one owner, by name."""
        found = await self._session.scalars(
            select(Subscription).where(Subscription.owner == owner).order_by(Subscription.name)
        )
        return found.all()

    async def every(self) -> Sequence[Subscription]:
        """All subscriptions, for the exchange's own upkeep."""
        return (await self._session.scalars(select(Subscription).order_by(Subscription.id))).all()

    async def count(self, owner: str) -> int:
        """How many subscriptions an owner has."""
        counted = select(func.count()).select_from(Subscription).where(Subscription.owner == owner)
        return await self._session.scalar(counted) or 0

    async def remove(self, subscription: Subscription) -> None:
        """Delete a subscription and its acknowledgements."""
        await self._session.execute(delete(Subscription).where(Subscription.id == subscription.id))

    async def acquire_lease(
        self, subscription_id: str, lease: str, *, until: datetime, is_over: Callable[[Subscription], bool]
    ) -> bool:
        """Give the subscription's lease to the pull `lease`, or renew it; False while another pull has it.

        The lease of another one ends when `is_over` says so, or when every event delivered under it is
        acknowledged.
        """
        current = await self._session.get(Subscription, subscription_id, with_for_update=True)
        if current is None:
            return False
        free = current.lease in {None, lease} or is_over(current)
        if not free and current.lease_events:
            done = await AcknowledgementRepository(self._session).among(subscription_id, current.lease_events)
            free = done.issuperset(current.lease_events)
        if free:
            current.lease, current.lease_until, current.lease_events = lease, until, None
        return free

    async def record_delivered(
        self, subscription_id: str, lease: str, events: list[str], *, until: datetime
    ) -> bool:
        """Note the message ids delivered under a lease; False when the lease is no longer this pull's."""
        result = await self._session.execute(
            update(Subscription)
            .where(Subscription.id == subscription_id, Subscription.lease == lease)
            .values(lease_until=until, lease_events=events)
        )
        return changed(result) == 1

    async def release_lease(self, subscription_id: str, lease: str) -> None:
        """End a lease under which nothing was delivered."""
        await self._session.execute(
            update(Subscription)
            .where(Subscription.id == subscription_id, Subscription.lease == lease)
            .values(lease=None, lease_until=None, lease_events=None)
        )

    async def note_acknowledged(self, subscription_id: str, through: int) -> None:
        """Note that all events up to a number are acknowledged; what was noted before never shrinks."""
        await self._session.execute(
            update(Subscription)
            .where(Subscription.id == subscription_id, Subscription.acknowledged_through < through)
            .values(acknowledged_through=through)
        )

    async def resume_all(self) -> None:
        """Let each subscription's next consumer begin after what it has acknowledged."""
        begin = case(
            (
                Subscription.acknowledged_through >= Subscription.start_sequence,
                Subscription.acknowledged_through + 1,
            ),
            else_=Subscription.start_sequence,
        )
        await self._session.execute(update(Subscription).values(resume_sequence=begin))

    async def of_event_types(self, event_types: Collection[str]) -> Sequence[Subscription]:
        """All subscriptions to these event types."""
        return (
            await self._session.scalars(select(Subscription).where(Subscription.event_type.in_(event_types)))
        ).all()


class AcknowledgementRepository:
    """The events that subscribers acknowledged."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, subscription_id: str, events: Mapping[str, int], now: datetime) -> None:
        """Record events (sequence by message id) as acknowledged; those recorded before stay as they are."""
        await insert_missing(
            self._session,
            AcknowledgedEvent,
            [
                {
                    "subscription_id": subscription_id,
                    "message_id": message_id,
                    "sequence": sequence,
                    "acknowledged_at": now,
                }
                for message_id, sequence in sorted(events.items())
            ],
        )

    async def move(self, subscription_ids: Collection[str], message_id: str, sequence: int) -> None:
        """An event has another number now; its acknowledgements are kept as long as that one's."""
        await self._session.execute(
            update(AcknowledgedEvent)
            .where(
                AcknowledgedEvent.subscription_id.in_(subscription_ids),
                AcknowledgedEvent.message_id == message_id,
            )
            .values(sequence=sequence)
        )

    async def highest(self) -> int:
        """The highest number that any acknowledgement has; 0 without any."""
        return await self._session.scalar(select(func.max(AcknowledgedEvent.sequence))) or 0

    async def among(self, subscription_id: str, message_ids: Collection[str]) -> set[str]:
        """Which of these events the subscription has acknowledged."""
        found = await self._session.scalars(
            select(AcknowledgedEvent.message_id).where(
                AcknowledgedEvent.subscription_id == subscription_id,
                AcknowledgedEvent.message_id.in_(message_ids),
            )
        )
        return set(found)

    async def prune(self, subscription_id: str, *, through: int, before: datetime) -> None:
        """Delete acknowledgements up to a sequence and from before a moment; the bus has stored them."""
        await self._session.execute(
            delete(AcknowledgedEvent).where(
                AcknowledgedEvent.subscription_id == subscription_id,
                AcknowledgedEvent.sequence <= through,
                AcknowledgedEvent.acknowledged_at < before,
            )
        )
