"""From a publisher's request to messages for the bus.

Pure, and as slow as what was sent makes it, the schema of the event type above all: call `prepare` in a
worker, with the budget that `cpu_seconds` names. Most events are small and have a plain schema:
`prepare_at_once` takes these, in bounded time, and needs no worker.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lienthong.exchange import errors
from lienthong.exchange.domain.cloudevents import MalformedEventError
from lienthong.exchange.domain.http_binding import (
    BATCH,
    STRUCTURED,
    UnsupportedModeError,
    mode_of,
    parse_request,
)
from lienthong.exchange.domain.json_format import MAX_BATCH
from lienthong.exchange.domain.payload_schema import MAX_VIOLATIONS, schema_violations
from lienthong.exchange.domain.plain_schema import is_plain
from lienthong.exchange.errors import EventViolation
from lienthong.exchange.events import message_id_of
from lienthong.kit import request_sizes
from lienthong.kit.json_schema import UnusableSchemaError
from lienthong.kit.schema_mismatches import KeptSchemas, compiled

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from lienthong.exchange.domain.catalog import EventType
    from lienthong.exchange.domain.cloudevents import CloudEvent

MAX_EVENT_BYTES = request_sizes.EVENT
MAX_BODY_BYTES = request_sizes.EXCHANGE

AT_ONCE_BYTES = 4096
"""The largest body that is checked without a worker."""

_plain = KeptSchemas(16 * 1024 * 1024)
_BUDGET_S = 1.0
_BUDGET_S_PER_MIB = 0.25


@dataclass(frozen=True, slots=True)
class EventMessage:
    """An event as a message for the stream.

    `event_id` is the publisher's own id; `message_id` the stream's (`Nats-Msg-Id`); `fingerprint` tells a
    retry from another event under the same id; `payload` is the event in CloudEvents' JSON format.
    """

    event_id: str
    message_id: str
    fingerprint: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """The number of an accepted event (`domain.numbering`), and the fingerprint it was accepted with."""

    sequence: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class OutgoingEvent:
    """An event for the stream; for its members see `EventMessage`."""

    event_type: str
    message_id: str
    fingerprint: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class AcceptedMessage:
    """An event as the stream has it, at `sequence` by its own count, since `stored_at` (None: since now); for
    the rest see `EventMessage`."""

    sequence: int
    event_type: str
    message_id: str
    fingerprint: str
    payload: bytes
    stored_at: datetime | None = None


def cpu_seconds(body: bytes) -> float:
    """How much processor time `prepare` may take for a body: some times what ordinary events need."""
    return _BUDGET_S + _BUDGET_S_PER_MIB * len(body) / (1024 * 1024)


def prepare(event_type: EventType, headers: Sequence[tuple[str, str]], body: bytes) -> list[EventMessage]:
    """Read the events of a request and check each of them against its type; one that is wrong fails all.

    Raises:
        ProblemError: `unsupported-media-type`, `malformed-event`, `batch-too-large`, `event-too-large`,
            `schema-mismatch`, `schema-unusable`, or `event-id-reused` inside the request itself.
    """
    events = _read(headers, body)
    messages = _messages(events)
    _refuse_mismatches(event_type, events, batch=mode_of(headers) == BATCH)
    return messages


def prepare_at_once(
    event_type: EventType, headers: Sequence[tuple[str, str]], body: bytes
) -> list[EventMessage] | None:
    """As `prepare`, of a small body and for a plain schema.

    None where it is not so, or where an event does not match its type: to say how takes a worker. At its
    worst it takes as long as reading a JSON body of some kilobytes elsewhere.

    Raises:
        ProblemError: as `prepare`.
    """
    if len(body) > AT_ONCE_BYTES or mode_of(headers) not in {STRUCTURED, BATCH}:
        return None
    if not is_plain(event_type.schema):
        return None
    events = _read(headers, body)
    messages = _messages(events)
    home = f"/{event_type.system_id}"
    if all(event.type == event_type.id and is_source_of(event.source, home) for event in events):
        with suppress(UnusableSchemaError):
            validator, _ = compiled(event_type.schema, _plain)
            if all(validator.is_valid(event.value) for event in events):
                return messages
    return None


def is_source_of(source: str, home: str) -> bool:
    """Whether a source is a system's own path (`home`) or a path below it.

    A path that a reader could normalise to another one (`..`, `//`, `%2e`) is not.
    """
    if source == home:
        return True
    if not source.startswith(f"{home}/"):
        return False
    below = source.removeprefix(f"{home}/")
    return not {"", ".", ".."}.intersection(below.split("/")) and not set("\\?#% ").intersection(below)


def _read(headers: Sequence[tuple[str, str]], body: bytes) -> list[CloudEvent]:
    try:
        events = parse_request(headers, body)
    except UnsupportedModeError as error:
        raise errors.unsupported_media_type(str(error)) from None
    except MalformedEventError as error:
        raise errors.malformed_event(error.violations) from None
    if not 0 < len(events) <= MAX_BATCH:
        raise errors.batch_too_large(MAX_BATCH)
    return events


def _messages(events: Sequence[CloudEvent]) -> list[EventMessage]:
    messages = [_message(event) for event in events]
    fingerprints: dict[str, str] = {}
    for message in messages:
        if fingerprints.setdefault(message.message_id, message.fingerprint) != message.fingerprint:
            raise errors.event_id_reused(message.event_id)
    return messages


def _message(event: CloudEvent) -> EventMessage:
    payload = event.to_json()
    if len(payload) > MAX_EVENT_BYTES:
        raise errors.event_too_large(event.id, MAX_EVENT_BYTES)
    return EventMessage(event.id, message_id_of(event.source, event.id), event.fingerprint(), payload)


def _refuse_mismatches(event_type: EventType, events: Sequence[CloudEvent], *, batch: bool) -> None:
    home = f"/{event_type.system_id}"
    violations: list[EventViolation] = []
    for index, event in enumerate(events):
        at = f"/{index}" if batch else ""
        if event.type != event_type.id:
            violations.append(EventViolation(f"{at}/type", f"must be {event_type.id}"))
        if not is_source_of(event.source, home):
            violations.append(EventViolation(f"{at}/source", f"must be {home} or a path below it"))
        try:
            violations += schema_violations(event.value, event_type.schema, at=f"{at}/data")
        except UnusableSchemaError as error:
            raise errors.schema_unusable(event_type.id, str(error)) from None
        if len(violations) >= MAX_VIOLATIONS:
            break
    if violations:
        raise errors.schema_mismatch(violations)
