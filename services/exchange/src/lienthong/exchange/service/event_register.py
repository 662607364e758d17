"""Writes down which events the stream has, in one transaction with all that follows from it.

An event is recorded before its publisher is answered, with its content. It stays in the deduplication index
for good; its content is kept until every subscription has acknowledged it. An event that the stream had lost
and has again gets a new number, and who had acknowledged it under the old one does not get it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal

from lienthong.exchange.domain.messages import StoredEvent
from lienthong.exchange.repository import (
    AcceptedEventRepository,
    AcknowledgementRepository,
    KeptEventRepository,
    NumberingRepository,
    SubscriptionRepository,
    recording,
)
from lienthong.kit.bus import BusUnavailableError
from lienthong.kit.rounds import Rounds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession

    from lienthong.exchange.domain.messages import AcceptedMessage
    from lienthong.exchange.domain.numbering import Numbering
    from lienthong.exchange.models import Subscription
    from lienthong.kit.clock import Clock
    from lienthong.kit.database import Database
    from lienthong.kit.one_turn import Statements


_MOST_TOGETHER: Final = 200
"""Events in a transaction; a single caller may have more."""


class StreamWentBackError(BusUnavailableError):
    """The stream is not the one that the numbering is about: look at it again, then try again."""


async def demand_current(
    session: AsyncSession, numbering: Numbering, *, lock: Literal["share"] | None = "share"
) -> None:
    """Refuse what was learned under a numbering that no longer holds.

    Locked, it holds until the transaction ends; a session for reading sees one moment without a lock.

    Raises:
        StreamWentBackError: it does not hold.
    """
    generation = await NumberingRepository(session).generation(shared=lock == "share")
    if generation != numbering.generation:
        raise StreamWentBackError("the stream went back")


@dataclass(frozen=True, slots=True)
class _Part:
    """What one caller wants to have recorded."""

    numbering: Numbering
    events: Sequence[AcceptedMessage]

    def size(self) -> int:
        return len(self.events)


class EventRegister:
    """Records events that the stream has. Those of callers at the same time share a transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._rounds = Rounds[_Part, None](self._record_all, most=_MOST_TOGETHER, size=_Part.size)

    async def record(self, numbering: Numbering, events: Sequence[AcceptedMessage]) -> None:
        """Record events by message id. Recorded twice, an event keeps its first number while that is present.

        Raises:
            StreamWentBackError: the numbering no longer holds, or other events have these numbers.
        """
        await self._rounds.take(_Part(numbering, events))

    async def _record_all(self, parts: Sequence[_Part]) -> Sequence[StreamWentBackError | None]:
        outcomes: dict[int, StreamWentBackError | None] = {}
        for generation in {part.numbering.generation for part in parts}:
            those = [part for part in parts if part.numbering.generation == generation]
            try:
                await self._record(those[0].numbering, [event for part in those for event in part.events])
            except StreamWentBackError as error:
                outcomes[generation] = error
            else:
                outcomes[generation] = None
        return [outcomes[part.numbering.generation] for part in parts]

    async def _record(self, numbering: Numbering, events: Sequence[AcceptedMessage]) -> None:
        # What was cut off counts no more. Of two messages with one id the earlier counts.
        numbered = [one for one in events if numbering.number_of(one.sequence)]
        first = {one.message_id: one for one in sorted(numbered, key=lambda one: one.sequence, reverse=True)}
        stored = {
            message_id: StoredEvent(numbering.number_of(event.sequence), event.fingerprint)
            for message_id, event in first.items()
        }
        if await self._database.write(partial(_record_new, numbering, first, stored, self._clock.now())):
            return
        await self._record_again(numbering, first, stored)

    async def _record_again(
        self, numbering: Numbering, first: Mapping[str, AcceptedMessage], stored: Mapping[str, StoredEvent]
    ) -> None:
        """Record events some of which were recorded before, perhaps under numbers that are lost."""
        now = self._clock.now()
        async with self._database.transaction() as session:
            await demand_current(session, numbering)
            accepted = AcceptedEventRepository(session)
            by_number = {event.sequence: message_id for message_id, event in stored.items()}
            before = await accepted.among_or_at(stored, by_number)
            for message_id, event in before.items():
                if by_number.get(event.sequence, message_id) != message_id:
                    raise StreamWentBackError(f"another event has the number {event.sequence}")
            lost = numbering.lost()
            back = {
                message_id: event
                for message_id, event in before.items()
                if any(event.sequence in numbers for numbers in lost)
                # What was accepted is kept under its id, not what somebody put in its place meanwhile.
                and event.fingerprint == stored[message_id].fingerprint
            }
            new = {key: event for key, event in stored.items() if key not in before or key in back}
            if back:
                await self._carry_over(session, first, back, new)
            await accepted.put(new)
            await KeptEventRepository(session).put(_kept(first, new, now))

    async def _carry_over(
        self,
        session: AsyncSession,
        events: Mapping[str, AcceptedMessage],
        back: Mapping[str, StoredEvent],
        new: Mapping[str, StoredEvent],
    ) -> None:
        """Let nobody get an event under its new number who had acknowledged it under the old one."""
        # What the exchange itself has published again is not new to a subscription that began after it.
        kept = await KeptEventRepository(session).among(back)
        acknowledgements = AcknowledgementRepository(session)
        types = {events[message_id].event_type for message_id in back}
        subscriptions: dict[str, list[Subscription]] = {}
        for subscription in await SubscriptionRepository(session).of_event_types(types):
            subscriptions.setdefault(subscription.event_type, []).append(subscription)
        now = self._clock.now()
        for message_id, before in back.items():
            number = new[message_id].sequence
            those = subscriptions.get(events[message_id].event_type, [])
            if those:
                await acknowledgements.move([one.id for one in those], message_id, number)
            for one in those:
                # What was lost before it was made it never had, however far it has come since.
                had = before.sequence >= max(one.start_sequence, one.known_from)
                if (had or message_id in kept) and before.sequence < one.resume_sequence:
                    await acknowledgements.add(one.id, {message_id: number}, now)


def _record_new(
    numbering: Numbering,
    events: Mapping[str, AcceptedMessage],
    stored: Mapping[str, StoredEvent],
    now: datetime,
    statements: Statements,
) -> bool:
    """Record events, if all of them are new or recorded as they are; False where there is more to look at."""
    if recording.generation(statements, shared=True) != numbering.generation:
        raise StreamWentBackError("the stream went back")
    before = recording.accepted(statements, stored, [event.sequence for event in stored.values()])
    if any(stored.get(message_id) != event for message_id, event in before.items()):
        return False
    new = {message_id: event for message_id, event in stored.items() if message_id not in before}
    recording.record(statements, new, _kept(events, new, now))
    return True


def _kept(
    events: Mapping[str, AcceptedMessage], new: Mapping[str, StoredEvent], now: datetime
) -> list[dict[str, Any]]:
    """The rows of those events that are new."""
    return [
        {
            "message_id": event.message_id,
            "sequence": new[event.message_id].sequence,
            "event_type": event.event_type,
            "fingerprint": event.fingerprint,
            "payload": event.payload,
            "stored_at": event.stored_at or now,
        }
        for event in events.values()
        if event.message_id in new
    ]
