"""All queries of the exchange."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from lienthong.exchange.models import AcceptedEvent, Acknowledgement, Subscription

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import CursorResult
    from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True, slots=True)
class Accepted:
    """Where an event stands in the stream, and the fingerprint of its content."""

    sequence: int
    fingerprint: str


class SubscriptionRepository:
    """Subscriptions, always of one owner where a caller asks."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    def add(self, subscription: Subscription) -> None:
        """Keep a new subscription."""
        self._session.add(subscription)

    async def named(self, owner: str, name: str) -> Subscription | None:
        """The owner's subscription of that name."""
        found = await self._session.scalars(
            select(Subscription).where(Subscription.owner == owner, Subscription.name == name)
        )
        return found.one_or_none()

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
        """Forget a subscription and what was acknowledged for it."""
        await self._session.execute(delete(Subscription).where(Subscription.id == subscription.id))

    async def take_turn(self, subscription_id: str, turn: str, *, until: datetime, now: datetime) -> bool:
        """Let the pull `turn` be, or stay, the one that is handed events; False while it is another's turn.

        A turn ends by its time, or when every event handed in it was acknowledged.
        """
        current = await self._session.get(Subscription, subscription_id, with_for_update=True)
        if current is None:
            return False
        over = current.turn in {None, turn} or current.turn_until is None or current.turn_until <= now
        if not over and current.turn_events:
            done = await AcknowledgementRepository(self._session).among(subscription_id, current.turn_events)
            over = done.issuperset(current.turn_events)
        if over:
            current.turn, current.turn_until, current.turn_events = turn, until, None
        return over

    async def hand(self, subscription_id: str, turn: str, events: list[str], *, until: datetime) -> bool:
        """Note what was handed in a turn; False when the turn is no longer this pull's."""
        result = await self._session.execute(
            update(Subscription)
            .where(Subscription.id == subscription_id, Subscription.turn == turn)
            .values(turn_until=until, turn_events=events)
        )
        return _changed(result) == 1

    async def end_turn(self, subscription_id: str, turn: str) -> None:
        """Give the turn back, with nothing handed."""
        await self._session.execute(
            update(Subscription)
            .where(Subscription.id == subscription_id, Subscription.turn == turn)
            .values(turn=None, turn_until=None, turn_events=None)
        )

    async def restart(self, subscription_id: str) -> None:
        """Let a subscription begin at the first event of the stream."""
        await self._session.execute(
            update(Subscription).where(Subscription.id == subscription_id).values(start_sequence=1)
        )


class AcknowledgementRepository:
    """What subscribers acknowledged."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, subscription_id: str, events: Mapping[str, int], now: datetime) -> None:
        """Note events (message id to sequence) as acknowledged; those noted before stay as they are."""
        await _insert_missing(
            self._session,
            Acknowledgement,
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

    async def among(self, subscription_id: str, message_ids: Collection[str]) -> set[str]:
        """Which of these events the subscription has acknowledged."""
        found = await self._session.scalars(
            select(Acknowledgement.message_id).where(
                Acknowledgement.subscription_id == subscription_id,
                Acknowledgement.message_id.in_(message_ids),
            )
        )
        return set(found)

    async def prune(self, subscription_id: str, *, through: int, before: datetime) -> None:
        """Forget what the bus has long noted itself: up to a sequence, acknowledged before a moment."""
        await self._session.execute(
            delete(Acknowledgement).where(
                Acknowledgement.subscription_id == subscription_id,
                Acknowledgement.sequence <= through,
                Acknowledgement.acknowledged_at < before,
            )
        )


class AcceptedEventRepository:
    """The register of accepted events."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def among(self, message_ids: Collection[str]) -> dict[str, Accepted]:
        """Those of these events that were accepted before."""
        found = await self._session.scalars(
            select(AcceptedEvent).where(AcceptedEvent.message_id.in_(message_ids))
        )
        return {row.message_id: Accepted(row.sequence, row.fingerprint) for row in found}

    async def last_sequence(self) -> int:
        """The highest sequence that was entered; 0 in an empty register."""
        return await self._session.scalar(select(func.max(AcceptedEvent.sequence))) or 0

    async def add(self, events: Mapping[str, Accepted]) -> None:
        """Enter events by message id; an event that stands there already keeps its first place."""
        await _insert_missing(
            self._session,
            AcceptedEvent,
            [
                {"message_id": message_id, "sequence": event.sequence, "fingerprint": event.fingerprint}
                for message_id, event in sorted(events.items())
            ],
        )


async def _insert_missing(session: AsyncSession, table: type[Any], rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    # In key order (the callers sort), so that two replicas cannot wait for each other.
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(postgresql.insert(table).on_conflict_do_nothing(), rows)
    else:
        await session.execute(sqlite.insert(table).on_conflict_do_nothing(), rows)


def _changed(result: object) -> int:
    cursor: CursorResult[Any] = result  # type: ignore[assignment]
    return cursor.rowcount
