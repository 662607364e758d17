"""Accepting events: checked, then in the stream and on disk, then answered."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from lienthong.exchange import errors
from lienthong.exchange.domain import permissions
from lienthong.exchange.domain.messages import MAX_EVENT_BYTES, cpu_seconds, prepare
from lienthong.exchange.events import FINGERPRINT_HEADER, STREAM, subject_of
from lienthong.kit.bus import BusFullError, BusRefusedError, BusUnavailableError
from lienthong.kit.problems.load import charge
from lienthong.kit.workers import TooCostlyError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lienthong.exchange.domain.catalog import EventCatalog
    from lienthong.exchange.domain.messages import EventMessage, StoredEvent
    from lienthong.exchange.service.deduplication import DeduplicationIndex
    from lienthong.kit.bus import Bus
    from lienthong.kit.rates import TokenBuckets
    from lienthong.kit.workers import Workers

_HEADERS = {"content-type": "application/cloudevents+json"}


@dataclass(frozen=True, slots=True)
class AcceptedPublication:
    """An event that is in the stream under `sequence`; `duplicate` when it had been accepted before."""

    id: str
    sequence: int
    duplicate: bool


@dataclass(frozen=True, slots=True)
class PublisherLimits:
    """What each publisher may send in a time: events, and bytes of them."""

    events: TokenBuckets
    bytes: TokenBuckets


class PublishingService:
    """Puts events into the stream, in the order they were given, each once."""

    def __init__(
        self,
        bus: Bus,
        index: DeduplicationIndex,
        catalog: Callable[[], EventCatalog],
        has_room: Callable[[], bool],
        workers: Workers,
        limits: PublisherLimits,
    ) -> None:
        """`has_room` says whether the stream may take more events; `workers` check them."""
        self._limits = limits
        self._has_room = has_room
        self._bus = bus
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

        What is returned is on disk, in the order of the request. When the bus fails half-way the request is
        refused as a whole, and sending it again continues where it stopped: what was accepted before comes
        back as a duplicate.

        Raises:
            ProblemError: everything in `errors` that is about publishing; `rate-limited`.
        """
        event_type = permissions.publishable(self._catalog(), client_id, event_type_id)
        # Whatever comes of it: a request that is refused has cost a worker as much.
        charge(self._limits.events, client_id, 1)
        try:
            messages = await self._workers.run(
                client_id, cpu_seconds(body), prepare, event_type, headers, body
            )
        except TooCostlyError:
            raise errors.too_costly(event_type_id) from None
        if len(messages) > 1:
            charge(self._limits.events, client_id, len(messages) - 1)
        known = await self._known(messages)
        subject = subject_of(event_type_id)
        published: list[AcceptedPublication] = []
        for message in messages:
            # The right may have ended while earlier events of a long batch were on their way.
            self.demand_right(client_id, event_type_id)
            before = known.get(message.message_id)
            if before is not None:
                published.append(AcceptedPublication(message.event_id, before.sequence, duplicate=True))
                continue
            try:
                published.append(await self._send(subject, message))
            except BusFullError:
                raise errors.event_store_full([asdict(event) for event in published]) from None
            except BusUnavailableError:
                raise errors.bus_unavailable([asdict(event) for event in published]) from None
            except BusRefusedError:
                raise errors.event_too_large(message.event_id, MAX_EVENT_BYTES) from None
        return published

    async def _known(self, messages: Sequence[EventMessage]) -> dict[str, StoredEvent]:
        """The events accepted before, by message id.

        Raises:
            ProblemError: `event-id-reused`, or `bus-unavailable` while the index is too far behind.
        """
        known = await self._index.known({message.message_id for message in messages})
        for message in messages:
            before = known.get(message.message_id)
            if before is not None and before.fingerprint != message.fingerprint:
                raise errors.event_id_reused(message.event_id)
        return known

    async def _send(self, subject: str, message: EventMessage) -> AcceptedPublication:
        headers = {**_HEADERS, FINGERPRINT_HEADER: message.fingerprint}
        ack = await self._bus.publish(
            subject, message.payload, message_id=message.message_id, headers=headers
        )
        if ack.duplicate:
            # The index is a moment behind the stream; the stream itself says what it has.
            stored = await self._bus.message(STREAM, ack.sequence)
            if stored is not None and stored.headers.get(FINGERPRINT_HEADER) != message.fingerprint:
                raise errors.event_id_reused(message.event_id)
        return AcceptedPublication(message.event_id, ack.sequence, ack.duplicate)
