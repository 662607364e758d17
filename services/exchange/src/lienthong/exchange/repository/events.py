"""Queries about accepted events: the deduplication index, and the events that are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, bindparam, delete, func, or_, select

from lienthong.exchange.domain.messages import StoredEvent
from lienthong.exchange.models import AcceptedEvent, AcknowledgedEvent, KeptEvent
from lienthong.exchange.repository.statements import changed, insert_or_replace

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncSession
    from sqlalchemy.orm import InstrumentedAttribute

    from lienthong.exchange.domain.numbering import NumberRange
    from lienthong.exchange.models import Subscription


_ACCEPTED: Final = select(AcceptedEvent.message_id, AcceptedEvent.sequence, AcceptedEvent.fingerprint)
_WITH_THESE_IDS: Final = AcceptedEvent.message_id.in_(bindparam("message_ids", expanding=True))
_AT_THESE: Final = AcceptedEvent.sequence.in_(bindparam("sequences", expanding=True))
_AMONG: Final = _ACCEPTED.where(_WITH_THESE_IDS)
_AT: Final = _ACCEPTED.where(_AT_THESE)
_AMONG_OR_AT: Final = _ACCEPTED.where(or_(_WITH_THESE_IDS, _AT_THESE))


class AcceptedEventRepository:
    """The deduplication index: every event accepted so far."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def among(self, message_ids: Collection[str]) -> dict[str, StoredEvent]:
        """Those of these events that were accepted before, also when the stream has lost them since."""
        found = await self._session.execute(_AMONG, {"message_ids": list(message_ids)})
        return {message_id: StoredEvent(sequence, fingerprint) for message_id, sequence, fingerprint in found}

    async def at(self, sequences: Collection[int]) -> dict[int, str]:
        """The message ids that are recorded under these numbers."""
        found = await self._session.execute(_AT, {"sequences": list(sequences)})
        return {sequence: message_id for message_id, sequence, _ in found}

    async def among_or_at(
        self, message_ids: Collection[str], sequences: Collection[int]
    ) -> dict[str, StoredEvent]:
        """As `among`, with those that are recorded under these numbers."""
        ids, numbers = list(message_ids), list(sequences)
        found = await self._session.execute(_AMONG_OR_AT, {"message_ids": ids, "sequences": numbers})
        return {message_id: StoredEvent(sequence, fingerprint) for message_id, sequence, fingerprint in found}

    async def newest(self, numbers: NumberRange) -> tuple[int, str] | None:
        """The highest number that is recorded within a range, and its message id."""
        found = await self._session.execute(
            select(AcceptedEvent.sequence, AcceptedEvent.message_id)
            .where(_within(AcceptedEvent.sequence, [numbers]))
            .order_by(AcceptedEvent.sequence.desc())
            .limit(1)
        )
        row = found.one_or_none()
        return None if row is None else (row.sequence, row.message_id)

    async def highest(self) -> int:
        """The highest number that is recorded; 0 when there is none."""
        return await self._session.scalar(select(func.max(AcceptedEvent.sequence))) or 0

    async def put(self, events: Mapping[str, StoredEvent]) -> None:
        """Record events by message id; one that is there already gets the new number."""
        await insert_or_replace(
            self._session,
            AcceptedEvent,
            "message_id",
            [
                {"message_id": message_id, "sequence": event.sequence, "fingerprint": event.fingerprint}
                for message_id, event in sorted(events.items())
            ],
        )


class KeptEventRepository:
    """The accepted events that a subscription has not acknowledged, with their content."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def put(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Keep events, each with a value for each column; one that is kept already gets the new number."""
        rows = [dict(event) for event in sorted(events, key=lambda event: str(event["message_id"]))]
        await insert_or_replace(self._session, KeptEvent, "message_id", rows)

    async def among(self, message_ids: Collection[str]) -> set[str]:
        """Which of these events are kept."""
        found = await self._session.scalars(
            select(KeptEvent.message_id).where(KeptEvent.message_id.in_(message_ids))
        )
        return set(found)

    async def within(self, ranges: Sequence[NumberRange], most: int) -> Sequence[KeptEvent]:
        """Up to `most` kept events whose numbers are in these ranges, in their order."""
        found = await self._session.scalars(
            select(KeptEvent)
            .where(_within(KeptEvent.sequence, ranges))
            .order_by(KeptEvent.sequence)
            .limit(most)
        )
        return found.all()

    async def first_within(self, ranges: Sequence[NumberRange], stored_after: datetime | None) -> int | None:
        """The lowest number of a kept event in these ranges; with `stored_after`, of those that were stored
        later, as far as that is known."""
        query = select(func.min(KeptEvent.sequence)).where(_within(KeptEvent.sequence, ranges))
        if stored_after is not None:
            query = query.where(KeptEvent.stored_at > stored_after)
        return await self._session.scalar(query)

    async def unacknowledged(
        self, subscription: Subscription, after: int, through: int, most: int
    ) -> Sequence[tuple[int, str]]:
        """Number and message id of the first `most` kept events that a subscription has not acknowledged,
        with numbers beyond `after` and up to `through`."""
        done = (
            select(AcknowledgedEvent.message_id)
            .where(
                AcknowledgedEvent.subscription_id == subscription.id,
                AcknowledgedEvent.message_id == KeptEvent.message_id,
            )
            .exists()
        )
        found = await self._session.execute(
            select(KeptEvent.sequence, KeptEvent.message_id)
            .where(
                KeptEvent.event_type == subscription.event_type,
                KeptEvent.sequence > after,
                KeptEvent.sequence <= through,
                ~done,
            )
            .order_by(KeptEvent.sequence)
            .limit(most)
        )
        return [(row.sequence, row.message_id) for row in found]

    async def event_types(self) -> Sequence[str]:
        """The event types of which events are kept: one look-up in the index for each."""
        found: list[str] = []
        while True:
            query = select(func.min(KeptEvent.event_type))
            if found:
                query = query.where(KeptEvent.event_type > found[-1])
            following = await self._session.scalar(query)
            if following is None:
                return found
            found.append(following)

    async def release(self, event_type: str, through: int, most: int) -> int:
        """Keep no longer the first `most` events of an event type, up to a number; gives how many."""
        rule = and_(KeptEvent.event_type == event_type, KeptEvent.sequence <= through)
        return await self._delete_first(rule, most)

    async def expire(self, first: int, stored_before: datetime, most: int) -> int:
        """As `release`, what is before the first number that the stream has and was stored before a moment,
        or at one that is not known: it was dropped in time."""
        in_time = or_(KeptEvent.stored_at.is_(None), KeptEvent.stored_at <= stored_before)
        return await self._delete_first(and_(KeptEvent.sequence < first, in_time), most)

    async def _delete_first(self, rule: ColumnElement[bool], most: int) -> int:
        portion = select(KeptEvent.message_id).where(rule).order_by(KeptEvent.sequence).limit(most)
        result = await self._session.execute(delete(KeptEvent).where(KeptEvent.message_id.in_(portion)))
        return changed(result)


def _within(column: InstrumentedAttribute[int], ranges: Sequence[NumberRange]) -> ColumnElement[bool]:
    return or_(
        *(
            column >= numbers.first
            if numbers.last is None
            else and_(column >= numbers.first, column <= numbers.last)
            for numbers in ranges
        )
    )
