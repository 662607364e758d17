"""Events as messages of the stream: put into it, each once, and read from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lienthong.exchange.domain.messages import AcceptedMessage
from lienthong.exchange.events import (
    EVENT_HEADER,
    FINGERPRINT_HEADER,
    STREAM,
    event_type_of,
    message_id_in,
    subject_of,
)
from lienthong.kit.bus import MESSAGE_ID, BusUnavailableError
from lienthong.kit.messages import StoredMessage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lienthong.exchange.domain.messages import OutgoingEvent
    from lienthong.exchange.domain.numbering import Numbering
    from lienthong.kit.bus import Bus, Delivery, PublishAck

_HEADERS: Final = {"content-type": "application/cloudevents+json"}


class EventReusedError(Exception):
    """The stream has another event under this message id."""


async def publish_event(bus: Bus, event: OutgoingEvent, *, under: str | None = None) -> PublishAck:
    """Put an event into the stream, unless it has it already.

    `under` is another message id than the event's, for when the bus takes that for something else.

    Raises:
        BusError: as `Bus.publish`; BusUnavailableError also while the bus takes it for a duplicate of a
            message that it no longer has.
        EventReusedError: the stream has another event under its message id.
    """
    return await _demand_same(bus, event, under, await _publish(bus, event, under))


async def publish_numbered(bus: Bus, event: OutgoingEvent, numbering: Numbering) -> PublishAck:
    """As `publish_event`; also where the bus takes it for what was cut off, which counts as lost."""
    ack = await _publish(bus, event, None)
    if numbering.number_of(ack.sequence):
        return await _demand_same(bus, event, None, ack)
    return await publish_event(bus, event, under=another_id(event, numbering))


async def _publish(bus: Bus, event: OutgoingEvent, under: str | None) -> PublishAck:
    headers = {**_HEADERS, FINGERPRINT_HEADER: event.fingerprint}
    if under is not None:
        headers[EVENT_HEADER] = event.message_id
    return await bus.publish(
        subject_of(event.event_type),
        event.payload,
        message_id=under or event.message_id,
        headers=headers,
    )


async def _demand_same(bus: Bus, event: OutgoingEvent, under: str | None, ack: PublishAck) -> PublishAck:
    """Refuse a duplicate of something else."""
    if ack.duplicate:
        stored = await bus.message(STREAM, ack.sequence)
        if stored is None or stored.headers.get(MESSAGE_ID) != (under or event.message_id):
            raise BusUnavailableError("the bus no longer has what it takes this for a duplicate of")
        if stored.headers.get(FINGERPRINT_HEADER) != event.fingerprint:
            raise EventReusedError(event.message_id)
    return ack


def another_id(event: OutgoingEvent, numbering: Numbering) -> str:
    """Another message id for an event whose own the bus takes for something else."""
    return f"{event.message_id}-g{numbering.generation}"


async def publish_events(bus: Bus, events: Sequence[OutgoingEvent]) -> int:
    """Put events into the stream, all of them or none; returns the sequence of the first.

    Raises:
        BusNotTogetherError: the stream has one of them, or another event under the message id of one.
        BusError: as `Bus.publish_together`.
    """
    messages = []
    for event in events:
        headers = {**_HEADERS, FINGERPRINT_HEADER: event.fingerprint, MESSAGE_ID: event.message_id}
        messages.append((subject_of(event.event_type), StoredMessage(event.payload, headers)))
    return await bus.publish_together(messages)


def events_among(deliveries: Sequence[Delivery]) -> list[AcceptedMessage]:
    """The events among messages from the stream: those that the exchange has put there."""
    return [
        AcceptedMessage(
            delivery.sequence,
            event_type,
            message_id_in(delivery.headers),
            delivery.headers[FINGERPRINT_HEADER],
            delivery.payload,
            delivery.stored_at,
        )
        for delivery in deliveries
        if {MESSAGE_ID, FINGERPRINT_HEADER} <= delivery.headers.keys()
        and (event_type := event_type_of(delivery.subject)) is not None
    ]
