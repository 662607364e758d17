"""Accepting events: checked, then in the stream and on disk, then answered."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from lienthong.exchange import errors
from lienthong.exchange.domain import permissions
from lienthong.exchange.domain.messages import (
    MAX_EVENT_BYTES,
    AcceptedMessage,
    OutgoingEvent,
    cpu_seconds,
    prepare,
    prepare_at_once,
)
from lienthong.exchange.service.event_messages import EventReusedError
from lienthong.exchange.service.event_register import StreamWentBackError
from lienthong.exchange.service.publications import Publications
from lienthong.kit.bus import BusFullError, BusNotTogetherError, BusRefusedError, BusUnavailableError
from lienthong.kit.problems.load import charge
from lienthong.kit.workers import TooCostlyError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lienthong.exchange.domain.catalog import EventCatalog, EventType
    from lienthong.exchange.domain.messages import EventMessage, StoredEvent
    from lienthong.exchange.domain.numbering import Numbering
    from lienthong.exchange.service.deduplication import DeduplicationIndex
    from lienthong.exchange.service.event_register import EventRegister
    from lienthong.exchange.service.event_stream import EventStream
    from lienthong.kit.rates import TokenBuckets
    from lienthong.kit.workers import Workers


@dataclass(frozen=True, slots=True)
class AcceptedPublication:
    """An event that is in the stream; `sequence` is its number (`domain.numbering`)."""

    id: str
    sequence: int
    duplicate: bool


@dataclass(slots=True)
class _Published:
    """What has become of a request so far: all accepted events, and those of them that are new."""

    numbering: Numbering
    accepted: list[AcceptedPublication] = field(default_factory=list)
    new: list[AcceptedMessage] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PublisherLimits:
    """What each publisher may send in a time: events, and bytes of them."""

    events: TokenBuckets
    bytes: TokenBuckets


class PublishingService:
    """Puts events into the stream, in the order they were given, each once."""

    def __init__(
        self,
        stream: EventStream,
        register: EventRegister,
        index: DeduplicationIndex,
        catalog: Callable[[], EventCatalog],
        has_room: Callable[[], bool],
        workers: Workers,
        limits: PublisherLimits,
    ) -> None:
        """`has_room` says whether the stream may take more events; `workers` check them."""
        self._limits = limits
        self._has_room = has_room
        self._stream = stream
        self._publications = Publications(stream)
        self._register = register
        self._index = index
        self._catalog = catalog
        self._workers = workers

    def demand_right(self, client_id: str, event_type_id: str) -> None:
        """Refuse a client that may not publish this event type now.

        Raises:
            ProblemError: see `permissions.publishable`; `not-ready` while the catalog is not known.
        """
        permissions.publishable(self._catalog(), client_id, event_type_id)

    def demand_room(self) -> None:
        """Refuse new events while the stream is nearly full: those on their way still find a place.

        Raises:
            ProblemError: `event-store-full`.
        """
        if not self._has_room():
            raise errors.event_store_full()

    def charge_bytes(self, client_id: str, size: int) -> None:
        """Charge a publisher for the bytes of a request.

        Raises:
            ProblemError: `rate-limited`.
        """
        charge(self._limits.bytes, client_id, size)

    async def publish(
        self, client_id: str, event_type_id: str, headers: Sequence[tuple[str, str]], body: bytes
    ) -> list[AcceptedPublication]:
        """Accept all events of a request, or, when one of them is wrong, none; its bytes are charged already.

        What is returned is on two disks, the bus's and the database's, in the order of the request. The bus
        takes new events together, all or none; those of which it has one already, one by one. When it fails
        half-way the request is refused as a whole, and sending it again continues where it stopped: what was
        accepted before comes back as a duplicate.

        Raises:
            ProblemError: everything in `errors` that is about publishing; `rate-limited`.
        """
        event_type = permissions.publishable(self._catalog(), client_id, event_type_id)
        # Whatever comes of it: a request that is refused has cost a worker as much.
        charge(self._limits.events, client_id, 1)
        messages = await self._prepared(client_id, event_type, headers, body)
        if len(messages) > 1:
            charge(self._limits.events, client_id, len(messages) - 1)
        try:
            numbering = await self._stream.current()
            known = await self._known(messages, numbering)
            if known:
                # Nobody is told of a duplicate that the stream has lost meanwhile.
                numbering = await self._stream.look()
                known = await self._known(messages, numbering)
        except StreamWentBackError:
            self._stream.suspect()
            raise errors.bus_unavailable() from None
        except BusUnavailableError:
            raise errors.bus_unavailable() from None
        published = _Published(numbering)
        try:
            await self._publish_all(client_id, event_type_id, messages, known, published)
        except BusFullError:
            raise errors.event_store_full(await self._recorded(published)) from None
        except BusUnavailableError:
            already = await self._recorded(published)
            self._stream.suspect()
            raise errors.bus_unavailable(already) from None
        return await self._write_down(published)

    async def _prepared(
        self, client_id: str, event_type: EventType, headers: Sequence[tuple[str, str]], body: bytes
    ) -> list[EventMessage]:
        messages = prepare_at_once(event_type, headers, body)
        if messages is not None:
            return messages
        try:
            return await self._workers.run(client_id, cpu_seconds(body), prepare, event_type, headers, body)
        except TooCostlyError:
            raise errors.too_costly(event_type.id) from None

    async def _publish_all(
        self,
        client_id: str,
        event_type_id: str,
        messages: Sequence[EventMessage],
        known: dict[str, StoredEvent],
        published: _Published,
    ) -> None:
        new = [message for message in messages if message.message_id not in known]
        together = None
        if len(new) > 1:
            together = await self._publish_together(client_id, event_type_id, new, published)
        for message in messages:
            before = known.get(message.message_id)
            if before is not None:
                published.accepted.append(
                    AcceptedPublication(message.event_id, before.sequence, duplicate=True)
                )
            elif together is not None:
                published.accepted.append(together[message.message_id])
            else:
                one = await self._publish_one(client_id, event_type_id, message, published)
                published.accepted.append(one)

    async def _publish(
        self, client_id: str, event_type_id: str, messages: Sequence[EventMessage], published: _Published
    ) -> list[AcceptedPublication]:
        """Publish one event, or all of them or none.

        Raises:
            BusNotTogetherError, EventReusedError, BusError, ProblemError: as `Publications.publish`.
        """
        contents = [(event_type_id, one.message_id, one.fingerprint, one.payload) for one in messages]
        stored = await self._publications.publish(
            [OutgoingEvent(*content) for content in contents],
            published.numbering,
            # It may have ended while others were on their way.
            partial(self.demand_right, client_id, event_type_id),
        )
        published.new += [
            AcceptedMessage(one.sequence, *content) for one, content in zip(stored, contents, strict=True)
        ]
        number_of = published.numbering.number_of
        return [
            AcceptedPublication(message.event_id, number_of(one.sequence), one.duplicate)
            for message, one in zip(messages, stored, strict=True)
        ]

    async def _publish_together(
        self, client_id: str, event_type_id: str, messages: Sequence[EventMessage], published: _Published
    ) -> dict[str, AcceptedPublication] | None:
        """Publish all, and give them by message id; None when they have to go one by one."""
        try:
            accepted = await self._publish(client_id, event_type_id, messages, published)
        except (BusNotTogetherError, BusRefusedError):
            # One by one it is seen which of them it is.
            return None
        return {message.message_id: one for message, one in zip(messages, accepted, strict=True)}

    async def _publish_one(
        self, client_id: str, event_type_id: str, message: EventMessage, published: _Published
    ) -> AcceptedPublication:
        try:
            (accepted,) = await self._publish(client_id, event_type_id, [message], published)
        except BusRefusedError:
            raise errors.event_too_large(message.event_id, MAX_EVENT_BYTES) from None
        except EventReusedError:
            raise errors.event_id_reused(message.event_id) from None
        return accepted

    async def _write_down(self, published: _Published) -> list[AcceptedPublication]:
        """Record what the stream took: before that nobody is told of it.

        Raises:
            ProblemError: `bus-unavailable` when the stream went back meanwhile.
        """
        try:
            if published.new:
                await self._register.record(published.numbering, published.new)
        except StreamWentBackError:
            self._stream.suspect()
            raise errors.bus_unavailable() from None
        return published.accepted

    async def _recorded(self, published: _Published) -> list[dict[str, object]]:
        return [asdict(event) for event in await self._write_down(published)]

    async def _known(self, messages: Sequence[EventMessage], numbering: Numbering) -> dict[str, StoredEvent]:
        """The events accepted before that the stream has, by message id.

        Raises:
            ProblemError: `event-id-reused`, or `bus-unavailable` while the index is too far behind.
            StreamWentBackError: the numbering no longer holds.
        """
        accepted = await self._index.accepted({message.message_id for message in messages}, numbering)
        for message in messages:
            before = accepted.get(message.message_id)
            # Also when the stream has lost it: an id means one event for good.
            if before is not None and before.fingerprint != message.fingerprint:
                raise errors.event_id_reused(message.event_id)
        lost = numbering.lost()
        return {
            message_id: event
            for message_id, event in accepted.items()
            if not any(event.sequence in numbers for numbers in lost)
        }
