"""CloudEvents 1.0 as values: what an event is, and when two events are the same."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from lienthong.exchange.domain.attributes import (
    MAX_ATTRIBUTES,
    REQUIRED,
    canonical,
    is_default_content_type,
    violation_in,
)
from lienthong.exchange.errors import EventViolation
from lienthong.kit.json_pointer import pointer
from lienthong.kit.json_text import NotJsonError, decode, not_portable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lienthong.exchange.domain.attributes import AttributeValue
    from lienthong.kit.json_text import Json

SPECVERSION = "1.0"
MAX_NAMED = 20
"""Violations of an event that are named; looking for more ends there."""
# A retry is the same event although these differ: it has a time and a trace of its own.
_NOT_OF_THE_EVENT = frozenset({"time", "traceparent", "tracestate"})


class MalformedEventError(ValueError):
    """What was sent is not a CloudEvent that the exchange can carry; lists every violation found."""

    def __init__(self, violations: Sequence[EventViolation]) -> None:
        super().__init__("; ".join(f"{one.pointer or '/'}: {one.detail}" for one in violations))
        self.violations = tuple(violations)


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """One event. `attributes` holds every context attribute, `data` the exact JSON text of the payload, and
    `value` what that says."""

    attributes: Mapping[str, AttributeValue]
    data: bytes
    value: Json

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

    def fingerprint(self) -> str:
        """SHA-256 (hex) over what identifies the event: equal for every retry, in every content mode."""
        texts = {
            name: canonical(name, value)
            for name, value in self.attributes.items()
            if name not in _NOT_OF_THE_EVENT
        }
        attributes = {name: text for name, text in texts.items() if not is_default_content_type(name, text)}
        text = json.dumps([attributes, self.value], sort_keys=True, separators=(",", ":"))
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
    for name, value in islice(present.items(), MAX_ATTRIBUTES):
        detail = violation_in(name, value)
        if detail:
            violations.append(EventViolation(at + pointer([name]), detail))
        elif isinstance(value, str | int):
            checked[name] = value
    value, wrong = _read_data(data, at)
    violations += wrong
    if violations or data is None:
        raise MalformedEventError(violations)
    return CloudEvent(attributes=checked, data=data, value=value)


def read_json(text: bytes, *, at: str = "") -> object:
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
    found = islice(not_portable(value, allow_nul=True), MAX_NAMED)
    if violations := [EventViolation(at + pointer(path), why.en) for path, why in found]:
        raise MalformedEventError(violations)
    return value


def _read_data(data: bytes | None, at: str) -> tuple[Json, list[EventViolation]]:
    """The value of a payload, and what is wrong with it."""
    if data is None:
        wrong = EventViolation(f"{at}/data", "is required: it is what the event type's schema describes")
        return None, [wrong]
    try:
        return read_json(data, at=f"{at}/data"), []
    except MalformedEventError as error:
        return None, list(error.violations)
