"""CloudEvents' JSON format 1.0.2: one event, or a batch of events, as JSON text."""

from __future__ import annotations

from itertools import islice
from typing import Final

import msgspec

from lienthong.exchange.domain.cloudevents import (
    MAX_NAMED,
    CloudEvent,
    MalformedEventError,
    event_from,
    read_json,
)
from lienthong.exchange.errors import EventViolation
from lienthong.kit import request_sizes

MAX_BATCH: Final = request_sizes.EVENTS
"""Events of a batch."""


def parse_structured(body: bytes) -> CloudEvent:
    """Read one event (`application/cloudevents+json`; section 3).

    Raises:
        MalformedEventError: it is not JSON or not an event.
    """
    return _from_document(read_json(body), body, at="")


def parse_batch(body: bytes) -> list[CloudEvent]:
    """Read a JSON array of events (`application/cloudevents-batch+json`; section 4), in order.

    Of a batch that is too large `MAX_BATCH` events and one more are read.

    Raises:
        MalformedEventError: with the violations of all events; each pointer starts with the event's index.
    """
    documents = read_json(body)
    if not isinstance(documents, list):
        raise MalformedEventError([EventViolation("", "a batch is a JSON array of events")])
    texts = msgspec.json.decode(body, type=list[msgspec.Raw])
    events: list[CloudEvent] = []
    violations: list[EventViolation] = []
    for index, (document, text) in islice(enumerate(zip(documents, texts, strict=True)), MAX_BATCH + 1):
        if len(violations) >= MAX_NAMED:
            break
        try:
            events.append(_from_document(document, bytes(text), at=f"/{index}"))
        except MalformedEventError as error:
            violations += error.violations
    if violations:
        raise MalformedEventError(violations)
    return events


def _from_document(document: object, text: bytes, *, at: str) -> CloudEvent:
    if not isinstance(document, dict):
        raise MalformedEventError([EventViolation(at, "an event is a JSON object")])
    if "data_base64" in document:
        raise MalformedEventError([EventViolation(f"{at}/data_base64", "send JSON, in data")])
    data = None
    if "data" in document:
        data = bytes(msgspec.json.decode(text, type=dict[str, msgspec.Raw])["data"])
    attributes = {name: value for name, value in document.items() if name != "data"}
    return event_from(attributes, data, at=at)
