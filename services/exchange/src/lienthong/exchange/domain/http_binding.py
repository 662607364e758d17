"""CloudEvents' HTTP protocol binding 1.0.2: the content mode of a request and the values of its headers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from lienthong.exchange.domain.cloudevents import CloudEvent, MalformedEventError, event_from
from lienthong.exchange.domain.json_format import parse_batch, parse_structured
from lienthong.exchange.errors import EventViolation

if TYPE_CHECKING:
    from collections.abc import Iterable

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
PREFIX = "ce-"

_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_UTF8 = re.compile(r'charset\s*=\s*"?utf-?8"?\s*$', re.IGNORECASE)


class UnsupportedModeError(ValueError):
    """The request is in none of the content modes that are understood here; says what would be."""


def parse_request(headers: Iterable[tuple[str, str]], body: bytes) -> list[CloudEvent]:
    """Read the events of an HTTP request in structured, batch or binary content mode.

    Implements section 3 of the CloudEvents HTTP protocol binding 1.0.2.

    Args:
        headers: name and value as received, names in any case.
        body: the whole body.

    Raises:
        UnsupportedModeError: the content type names none of the three.
        MalformedEventError: with every violation found.
    """
    received = [(name.lower(), value) for name, value in headers]
    content_type = _content_type(received)
    essence, _, parameters = content_type.partition(";")
    essence = essence.strip().lower()
    if essence.startswith("application/cloudevents"):
        if "charset" in parameters.lower() and not _UTF8.search(parameters):
            raise UnsupportedModeError("events are JSON in UTF-8")
        if essence == STRUCTURED:
            return [parse_structured(body)]
        if essence == BATCH:
            return parse_batch(body)
        raise UnsupportedModeError(f"{essence} is not understood: send {STRUCTURED} or {BATCH}")
    if any(name == "ce-specversion" for name, _ in received):
        return [_parse_binary(received, content_type, body)]
    raise UnsupportedModeError(f"send {STRUCTURED}, {BATCH}, or the payload with ce-* headers")


def mode_of(headers: Iterable[tuple[str, str]]) -> str:
    """The media type of a request without its parameters: `STRUCTURED`, `BATCH`, or of a payload alone.

    In batch mode the pointer of a violation starts with the event's index.
    """
    received = [(name.lower(), value) for name, value in headers]
    return _content_type(received).partition(";")[0].strip().lower()


def _content_type(received: list[tuple[str, str]]) -> str:
    return next((value for name, value in received if name == "content-type"), "")


def _parse_binary(received: list[tuple[str, str]], content_type: str, body: bytes) -> CloudEvent:
    attributes: dict[str, object] = {}
    violations: list[EventViolation] = []
    for header, value in received:
        if not header.startswith(PREFIX):
            continue
        name = header.removeprefix(PREFIX)
        if name in attributes:
            violations.append(EventViolation(f"/{name}", "is in the headers twice"))
        elif name == "datacontenttype":
            violations.append(EventViolation(f"/{name}", "is the Content-Type header in binary mode"))
        try:
            attributes[name] = decode_header(value)
        except ValueError as error:
            violations.append(EventViolation(f"/{name}", str(error)))
    if content_type:
        attributes["datacontenttype"] = content_type
    if violations:
        raise MalformedEventError(violations)
    return event_from(attributes, body or None)


def decode_header(value: str) -> str:
    """Decode a `ce-*` header's value (section 3.1.3.2 of the HTTP binding): one round of percent-decoding.

    A value in double quotes, as version 1.0.0 of the binding wrote them, is unquoted first.

    Raises:
        ValueError: a broken escape, characters that had to be escaped, or bytes that are not UTF-8.
    """
    if not value.isascii():
        raise ValueError("characters outside ASCII must be percent-encoded")
    if len(value) >= 2 and value[0] == value[-1] == '"':
        value = re.sub(r"\\(.)", r"\1", value[1:-1])
    if _BROKEN_ESCAPE.search(value):
        raise ValueError("a percent sign must be followed by two hexadecimal digits")
    try:
        return unquote_to_bytes(value).decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("the percent-encoded bytes are not UTF-8") from None
