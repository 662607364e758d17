"""From a request's bytes to events ready to be sent: pure, and slow for big ones, so run it in a thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lienthong.exchange import errors
from lienthong.exchange.cloudevents import MalformedEventError, Mistake
from lienthong.exchange.event_schemas import UnusableSchemaError, mistakes_in
from lienthong.exchange.events import message_id_of
from lienthong.exchange.http_binding import UnsupportedModeError, is_batch, parse_request

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lienthong.exchange.catalog_view import EventType
    from lienthong.exchange.cloudevents import CloudEvent

MAX_EVENT_BYTES = 256 * 1024
MAX_BATCH = 100
MAX_BODY_BYTES = MAX_BATCH * MAX_EVENT_BYTES


@dataclass(frozen=True, slots=True)
class Parcel:
    """An event ready to be sent: its own id, its name on the bus, its fingerprint, its JSON text."""

    event_id: str
    message_id: str
    fingerprint: str
    payload: bytes


def prepare(event_type: EventType, headers: Sequence[tuple[str, str]], body: bytes) -> list[Parcel]:
    """Read the events of a request and check each of them against their type; all are good, or none is.

    Raises:
        Problem: `unsupported-media-type`, `malformed-event`, `batch-too-large`, `event-too-large`,
            `schema-mismatch`, `schema-unusable`, or `event-id-reused` inside the request itself.
    """
    try:
        events = parse_request(headers, body)
    except UnsupportedModeError as error:
        raise errors.unsupported_media_type(str(error)) from None
    except MalformedEventError as error:
        raise errors.malformed_event(error.mistakes) from None
    if not 0 < len(events) <= MAX_BATCH:
        raise errors.batch_too_large(MAX_BATCH)
    parcels = [_parcel(event) for event in events]
    fingerprints: dict[str, str] = {}
    for parcel in parcels:
        if fingerprints.setdefault(parcel.message_id, parcel.fingerprint) != parcel.fingerprint:
            raise errors.event_id_reused(parcel.event_id)
    _refuse_mismatches(event_type, events, batch=is_batch(headers))
    return parcels


def is_source_of(source: str, home: str) -> bool:
    """Whether a source is a system's own path (`home`) or lies below it, however the path is read."""
    if source == home:
        return True
    if not source.startswith(f"{home}/"):
        return False
    below = source.removeprefix(f"{home}/")
    return not {"", ".", ".."}.intersection(below.split("/")) and not set("\\?#% ").intersection(below)


def _parcel(event: CloudEvent) -> Parcel:
    payload = event.to_json()
    if len(payload) > MAX_EVENT_BYTES:
        raise errors.event_too_large(f"The event {event.id!r}", MAX_EVENT_BYTES)
    return Parcel(event.id, message_id_of(event.source, event.id), event.fingerprint(), payload)


def _refuse_mismatches(event_type: EventType, events: Sequence[CloudEvent], *, batch: bool) -> None:
    home = f"/{event_type.system_id}"
    mistakes: list[Mistake] = []
    for index, event in enumerate(events):
        at = f"/{index}" if batch else ""
        if event.type != event_type.id:
            mistakes.append(Mistake(f"{at}/type", f"must be {event_type.id}"))
        if not is_source_of(event.source, home):
            mistakes.append(Mistake(f"{at}/source", f"must be {home} or a path below it"))
        try:
            mistakes += mistakes_in(event.value(), event_type.schema, at=f"{at}/data")
        except UnusableSchemaError as error:
            raise errors.schema_unusable(event_type.id, str(error)) from None
    if mistakes:
        raise errors.schema_mismatch(mistakes)
