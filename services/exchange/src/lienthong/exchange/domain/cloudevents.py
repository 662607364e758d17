"""CloudEvents 1.0 as values: what an event is, its JSON format, and when two events are the same."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from lienthong.exchange.errors import EventViolation
from lienthong.kit.json_pointer import pointer
from lienthong.kit.json_text import NotJsonError, decode, not_portable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

AttributeValue = str | int | bool

SPECVERSION = "1.0"
REQUIRED = ("id", "source", "type")
# A retry is the same event although these differ: the publisher's clock and trace went on.
NOT_OF_THE_EVENT = frozenset({"time", "traceparent", "tracestate"})
MAX_ATTRIBUTE_LENGTH = 1024
MAX_ATTRIBUTES = 50
MAX_NOT_PORTABLE = 20

_NAME = re.compile(r"[a-z0-9]{1,64}")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
# CloudEvents 1.0 section 3.1, String: control characters, surrogates and noncharacters are not allowed.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


class MalformedEventError(ValueError):
    """What was sent is not a CloudEvent this exchange can carry; lists every violation found."""

    def __init__(self, violations: Sequence[EventViolation]) -> None:
        super().__init__("; ".join(f"{one.pointer or '/'}: {one.detail}" for one in violations))
        self.violations = tuple(violations)


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """One event. `attributes` holds every context attribute, `data` the exact JSON text of the payload."""

    attributes: Mapping[str, AttributeValue]
    data: bytes

    @property
    def id(self) -> str:
        """The publisher's name for this event, unique together with `source`."""
        return str(self.attributes["id"])

    @property
    def source(self) -> str:
        """Where it happened."""
        return str(self.attributes["source"])

    @property
    def type(self) -> str:
        """The event type's id."""
        return str(self.attributes["type"])

    def to_json(self) -> bytes:
        """The event in CloudEvents' JSON format; `data` keeps every byte that the publisher wrote."""
        return msgspec.json.encode({**self.attributes, "data": msgspec.Raw(self.data)})

    def value(self) -> object:
        """The payload, parsed."""
        return decode(self.data)

    def fingerprint(self) -> str:
        """SHA-256 (hex) over what makes this event this event: equal for every retry, in whatever mode."""
        attributes = {
            name: str(value) for name, value in self.attributes.items() if name not in NOT_OF_THE_EVENT
        }
        text = json.dumps([attributes, self.value()], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode("ascii")).hexdigest()


def event_from(attributes: Mapping[str, object], data: bytes | None, *, at: str = "") -> CloudEvent:
    """Build an event from what was read, checking every rule of the CloudEvents type system.

    Args:
        attributes: context attributes by name; a value of None counts as absent (JSON format, section 2.3).
        data: the JSON text of the payload; None means that the event has none.
        at: JSON pointer of this event in what was sent, put before each violation's pointer.

    Raises:
        MalformedEventError: with every violation found.
    """
    present = {name: value for name, value in attributes.items() if value is not None}
    violations = [EventViolation(f"{at}/{name}", "is required") for name in REQUIRED if name not in present]
    if present.get("specversion") != SPECVERSION:
        violations.append(EventViolation(f"{at}/specversion", f'must be "{SPECVERSION}"'))
    if len(present) > MAX_ATTRIBUTES:
        violations.append(EventViolation(at, f"has more than {MAX_ATTRIBUTES} attributes"))
    checked: dict[str, AttributeValue] = {}
    for name, value in present.items():
        detail = _violation_in(name, value)
        if detail:
            violations.append(EventViolation(at + pointer([name]), detail))
        elif isinstance(value, str | int):
            checked[name] = value
    violations += _violations_in_data(present, data, at)
    if violations or data is None:
        raise MalformedEventError(violations)
    return CloudEvent(attributes=checked, data=data)


def parse_structured(body: bytes) -> CloudEvent:
    """Read one event in the JSON format (`application/cloudevents+json`).

    Raises:
        MalformedEventError: it is not JSON or not an event.
    """
    return _from_document(_read(body), body, at="")


def parse_batch(body: bytes) -> list[CloudEvent]:
    """Read a JSON array of events (`application/cloudevents-batch+json`), in order.

    Raises:
        MalformedEventError: with the violations of all events; each pointer starts with the event's place.
    """
    documents = _read(body)
    if not isinstance(documents, list):
        raise MalformedEventError([EventViolation("", "a batch is a JSON array of events")])
    texts = msgspec.json.decode(body, type=list[msgspec.Raw])
    events: list[CloudEvent] = []
    violations: list[EventViolation] = []
    for index, (document, text) in enumerate(zip(documents, texts, strict=True)):
        try:
            events.append(_from_document(document, bytes(text), at=f"/{index}"))
        except MalformedEventError as error:
            violations += error.violations
    if violations:
        raise MalformedEventError(violations)
    return events


def _read(text: bytes, *, at: str = "") -> object:
    """The value of JSON text; `at` goes before the pointer of each violation.

    Raises:
        MalformedEventError: it is not JSON, or two readers could understand it differently.
    """
    try:
        value = decode(text)
        # A second reader has to agree that it is JSON, for it cuts the payload out of the text later.
        msgspec.json.decode(text)
    except (NotJsonError, msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise MalformedEventError([EventViolation(at, f"is unreadable: {error}")]) from None
    found = islice(not_portable(value, allow_nul=True), MAX_NOT_PORTABLE)
    if violations := [EventViolation(at + pointer(path), why.en) for path, why in found]:
        raise MalformedEventError(violations)
    return value


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


def _violation_in(name: str, value: object) -> str | None:
    if not _NAME.fullmatch(name):
        return "an attribute's name consists of a-z and 0-9"
    if isinstance(value, bool):
        return "must be a string" if name in {*REQUIRED, "subject", "time"} else None
    if isinstance(value, int):
        if name in {*REQUIRED, "subject", "time"}:
            return "must be a string"
        return None if -(2**31) <= value < 2**31 else "an integer attribute has 32 bits; use a string"
    if not isinstance(value, str):
        return "must be a string, an integer or a boolean"
    return _violation_in_text(name, value)


def _violation_in_text(name: str, value: str) -> str | None:
    if len(value) > MAX_ATTRIBUTE_LENGTH:
        return f"is longer than {MAX_ATTRIBUTE_LENGTH} characters"
    if _FORBIDDEN.search(value):
        return "contains a control character or a character that is none"
    if not value and name in {*REQUIRED, "subject", "datacontenttype", "dataschema"}:
        return "must not be empty"
    if name == "time" and not _is_time(value):
        return "must be an RFC 3339 time, e.g. 2026-11-23T06:30:00Z"
    if name == "datacontenttype" and not is_json_type(value):
        return "must be application/json (or another +json type): events carry JSON"
    return None


def _violations_in_data(present: Mapping[str, object], data: bytes | None, at: str) -> list[EventViolation]:
    if data is None:
        return [EventViolation(f"{at}/data", "is required: it is what the event type's schema describes")]
    try:
        _read(data, at=f"{at}/data")
    except MalformedEventError as error:
        return list(error.violations)
    return []


def is_json_type(media_type: str) -> bool:
    """Whether a media type says JSON in UTF-8 (RFC 6839, section 3.1)."""
    essence, _, parameters = media_type.partition(";")
    essence = essence.strip().lower()
    charset = re.search(r'charset\s*=\s*"?([^";\s]+)', parameters, re.IGNORECASE)
    if charset and charset[1].lower() not in {"utf-8", "utf8", "us-ascii"}:
        return False
    return essence == "application/json" or essence.endswith("+json")


def _is_time(value: str) -> bool:
    if not _TIME.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value.upper())
    except ValueError:
        return False
    return True
