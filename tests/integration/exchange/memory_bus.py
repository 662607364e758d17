"""A bus in memory: one stream, which tests lose, put back and look into between two steps of the exchange."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from lienthong.exchange.domain.messages import AcceptedMessage, OutgoingEvent
from lienthong.exchange.events import DUPLICATE_WINDOW, STREAM, SUBJECTS, subject_of
from lienthong.exchange.service.event_register import EventRegister
from lienthong.exchange.service.event_stream import EventStream
from lienthong.kit.bus import (
    MESSAGE_ID,
    BusError,
    BusNotTogetherError,
    BusRefusedError,
    BusUnavailableError,
    Delivery,
    PublishAck,
    StreamSpec,
    StreamState,
)
from lienthong.kit.clock import SystemClock
from lienthong.kit.database import Database, migrate
from lienthong.kit.messages import StoredMessage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

    from lienthong.exchange.domain.numbering import Numbering
    from lienthong.kit.bus import Bus

EVENT_TYPE = "H11.05/land/parcel-changed-v1"
SPEC = StreamSpec(STREAM, SUBJECTS, duplicate_window=DUPLICATE_WINDOW)


class MemoryBus:
    """What the exchange asks of the bus. `on_look` is awaited after the state of the stream is taken,
    `on_publish` after a message is."""

    def __init__(self) -> None:
        self.connection_number = 1
        self.messages: dict[int, StoredMessage] | None = {}
        self.ids: dict[str, int] = {}
        self.unreadable: set[int] = set()
        """Sequences of messages that are counted, and cannot be read: a byte of them is flipped."""
        self.created = "created 1"
        self.on_look: Callable[[], Awaitable[None]] | None = None
        self.on_publish: Callable[[], Awaitable[None]] | None = None
        self.connected = True
        self.begun: dict[str, int] = {}
        """Where each consumer begins."""
        self.acknowledged: dict[str, int | BusError] = {}
        """Through which sequence a consumer has acknowledged all, or what the bus answers instead."""
        self._lives = 1

    def lose(self) -> None:
        """There is no stream any more."""
        self.messages, self.ids = None, {}

    async def wait_connected(self) -> None:
        """It always is."""

    async def find_stream(self, _: str) -> StreamState | None:
        """The state of the stream, as it was before `on_look`."""
        state = None
        if self.messages is not None:
            first = min(self.messages, default=1)
            last = max(self.messages, default=0)
            missing = last - first + 1 - len(self.messages) if self.messages else 0
            state = StreamState(self.created, last, 0, None, first, missing)
        if self.on_look is not None:
            await self.on_look()
        return state

    async def gaps(self, _: str) -> list[tuple[int, int]]:
        """What is missing between others."""
        there = set(self.messages or {})
        return [(one, one) for one in range(min(there, default=1), max(there, default=0)) if one not in there]

    async def ensure_stream(self, _: StreamSpec) -> None:
        """Make the stream."""
        if self.messages is None:
            self._lives += 1
            self.messages, self.created = {}, f"created {self._lives}"

    async def message(self, _: str, sequence: int) -> StoredMessage | None:
        """What is at a place."""
        return None if sequence in self.unreadable else (self.messages or {}).get(sequence)

    async def publish(
        self, _: str, payload: bytes, *, message_id: str, headers: Mapping[str, str]
    ) -> PublishAck:
        """Append, unless the message id is known."""
        if self.messages is None:
            raise BusUnavailableError("no stream")
        if message_id in self.ids:
            return PublishAck(STREAM, self.ids[message_id], duplicate=True)
        sequence = max(self.messages, default=0) + 1
        self.messages[sequence] = StoredMessage(payload, {**headers, MESSAGE_ID: message_id})
        self.ids[message_id] = sequence
        if self.on_publish is not None:
            await self.on_publish()
        return PublishAck(STREAM, sequence, duplicate=False)

    async def publish_together(self, messages: Sequence[tuple[str, StoredMessage]]) -> int:
        """Append all, unless one of the message ids is known, or comes twice."""
        if self.messages is None:
            raise BusUnavailableError("no stream")
        ids = [one.headers[MESSAGE_ID] for _, one in messages]
        if len(set(ids)) < len(ids) or not self.ids.keys().isdisjoint(ids):
            raise BusNotTogetherError("one of them is there")
        on_publish, self.on_publish = self.on_publish, None
        first = max(self.messages or {}, default=0) + 1
        for subject, one in messages:
            await self.publish(subject, one.payload, message_id=one.headers[MESSAGE_ID], headers=one.headers)
        if on_publish is not None:
            await on_publish()
        return first

    async def stream_state(self, stream: str) -> StreamState:
        """As `find_stream`."""
        state = await self.find_stream(stream)
        if state is None:
            raise BusUnavailableError("no stream")
        return state

    async def consumer(self, _: str, durable: str, *, deliver_from: int, **__: object) -> MemoryConsumer:
        """As a server does, it refuses to let a consumer that is there begin elsewhere."""
        if self.begun.setdefault(durable, deliver_from) != deliver_from:
            raise BusRefusedError("start sequence can not be updated")
        return MemoryConsumer(self, deliver_from)

    async def acknowledge_all(self, _: Sequence[Delivery]) -> None:
        """Nothing is delivered twice."""

    async def delete_consumer(self, _: str, durable: str) -> None:
        """Delete a consumer, if it is there."""
        self.begun.pop(durable, None)

    async def last_sequence(self, stream: str) -> int:
        """The sequence of the newest message."""
        return (await self.stream_state(stream)).last_sequence

    async def durables(self, _: str) -> list[str]:
        """All consumers."""
        return list(self.begun)

    async def acknowledged_through(self, _: str, durable: str) -> int:
        """What a test has put into `acknowledged`."""
        answer = self.acknowledged.get(durable, 0)
        if isinstance(answer, BusError):
            raise answer
        return answer


class MemoryConsumer:
    """Delivers what the stream has from a sequence on."""

    def __init__(self, bus: MemoryBus, begin: int) -> None:
        self._bus = bus
        self._next = begin

    async def fetch(self, most: int, _: float) -> list[Delivery]:
        """What is there, at most so much; an acknowledgement needs no answer."""
        there = sorted((self._bus.messages or {}).items())
        found = [(sequence, one) for sequence, one in there if sequence >= self._next][:most]
        self._next = found[-1][0] + 1 if found else self._next
        now, subject = datetime.now(UTC), subject_of(EVENT_TYPE)
        return [
            Delivery(subject, one.payload, one.headers, sequence, now, 1, "", self._settle)
            for sequence, one in found
        ]

    async def _settle(self, *_: object) -> None:
        """Nothing is delivered twice."""

    async def ensure(self) -> None:
        """It is there."""

    async def close(self) -> None:
        """Nothing to return."""


class Exchange:
    """An `EventStream` on a bus in memory, and a shortcut to accept events."""

    def __init__(self, database: Database) -> None:
        self.database, self.spec = database, SPEC
        self.memory = MemoryBus()
        self.bus = cast("Bus", self.memory)
        self.register = EventRegister(database, SystemClock())
        self.stream = EventStream(database, self.bus, self.register, SPEC, SystemClock())

    async def mend(self) -> Numbering:
        """What the background does on a new connection."""
        return await self.stream.mend()

    async def accept(
        self, numbering: Numbering, *events: OutgoingEvent, stored_at: datetime | None = None
    ) -> list[int]:
        """Publish and record events; their numbers."""
        stored = []
        for event in events:
            ack = await self.stream.publish(event, numbering)
            stored.append(
                AcceptedMessage(
                    ack.sequence,
                    event.event_type,
                    event.message_id,
                    event.fingerprint,
                    event.payload,
                    stored_at,
                )
            )
        await self.register.record(numbering, stored)
        return [numbering.number_of(one.sequence) for one in stored]


def event(identifier: str, fingerprint: str = "") -> OutgoingEvent:
    """An event of the one type that these tests use."""
    return OutgoingEvent(EVENT_TYPE, identifier, fingerprint or identifier, b"{}")


@asynccontextmanager
async def exchange_on(database_url: str) -> AsyncIterator[Exchange]:
    """A stream in memory, looked at for the first time, and an empty database."""
    await migrate(database_url, "exchange", "lienthong.exchange")
    database = Database.open(database_url, schema="exchange")
    running = Exchange(database)
    await running.mend()
    yield running
    await database.close()
