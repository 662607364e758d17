"""Names on the bus: the stream of events, its subjects, message ids and durable consumers."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from lienthong.kit.bus import MESSAGE_ID

if TYPE_CHECKING:
    from collections.abc import Mapping

STREAM = "EVENTS"
SUBJECTS = ("event.>",)
CONSUMER_PREFIX = "subscription-"
SERVICE = "exchange"
"""The `node` of the exchange's audit records, and the last part of their subject."""
FINGERPRINT_HEADER = "Lgsp-Fingerprint"
EVENT_HEADER = "Lgsp-Event"
"""The message id of an event that was put into the stream under another one."""
INDEX_CONSUMER = "deduplication-index"
LARGEST_MESSAGE = 320 * 1024
"""Bytes of an event on the bus, its headers included."""
DUPLICATE_WINDOW = 120.0
"""For how many seconds the bus itself recognises a message id; the deduplication index has no limit."""


def subject_of(event_type_id: str) -> str:
    """The subject of an event type, e.g. `event.H11_05.land.parcel-changed-v1`.

    A dot separates the words of a subject, so the agency's dots become underscores (codes have none).
    """
    agency, system, code = event_type_id.split("/")
    return f"event.{agency.replace('.', '_')}.{system}.{code}"


def message_id_of(source: str, event_id: str) -> str:
    """The message id of an event, equal for every retry: CloudEvents identifies an event by source and id."""
    return hashlib.sha256(f"{len(source)}:{source}{event_id}".encode()).hexdigest()


def message_id_in(headers: Mapping[str, str]) -> str:
    """The message id of the event that a message in the stream is; empty when it is none."""
    return headers.get(EVENT_HEADER) or headers.get(MESSAGE_ID, "")


def consumer_of(subscription_id: str, generation: int) -> str:
    """The durable consumer that holds a subscription's position in the stream.

    After the stream went back it is another one: what settles deliveries of the old one settles none of its.
    """
    return f"{CONSUMER_PREFIX}{subscription_id}{_of(generation)}"


def index_consumer(generation: int) -> str:
    """The durable consumer that the deduplication index is filled from."""
    return f"{INDEX_CONSUMER}{_of(generation)}"


def event_type_of(subject: str) -> str | None:
    """The event type whose events have this subject, the inverse of `subject_of`; None for any other one."""
    words = subject.split(".")
    if len(words) != 4:
        return None
    _, agency, system, code = words
    return f"{agency.replace('_', '.')}/{system}/{code}"


def _of(generation: int) -> str:
    return f"-g{generation}" if generation else ""
