"""Reading journal records: the members that identify a record and those that can be searched."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from lienthong.kit.clock import parse_rfc3339
from lienthong.tlog import MAX_ENTRY_SIZE, leaf_hash

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from lienthong.ledger.events import JournalMessage

_MAX_ID = 128
_MAX_TEXT = 255
_MAX_INTEGER = 2**31 - 1
_MOST_PERSONS = 100
_KEYED_HASH = re.compile(r"hmac-sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class JournalRecord:
    """A record that can become an entry.

    `data` is its exact bytes and `leaf` their leaf hash (RFC 6962 §2.1); the other fields are what the
    search index takes from it.
    """

    data: bytes
    leaf: bytes
    record_id: str
    kind: str | None
    tx: str | None
    client: str | None
    client_agency: str | None
    service: str | None
    provider_agency: str | None
    operation: str | None
    status: int | None
    error: str | None
    at: datetime | None
    persons: tuple[bytes, ...] = ()
    """The hashes of the persons that it names, each once."""


@dataclass(frozen=True, slots=True)
class UnusableRecord:
    """Bytes that cannot become an entry, and why."""

    data: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class JournalBatch:
    """The records of one journal message: its number in the stream, and its `JournalMessage.mark`."""

    sequence: int
    mark: bytes
    records: Sequence[JournalRecord | UnusableRecord]


class _Members(msgspec.Struct):
    """The members that are read. Any JSON type is accepted: a value of an unexpected type is not searchable,
    but its record is kept.
    """

    id: object = None
    kind: object = None
    tx: object = None
    client: object = None
    actor: object = None
    service: object = None
    operation: object = None
    status: object = None
    error: object = None
    at: object = None
    persons: object = None


_decoder = msgspec.json.Decoder(_Members)


def read_message(message: JournalMessage) -> JournalBatch:
    """Split a journal message into its records, which are joined by newlines, and read each."""
    records = [read_record(data) for data in message.payload.split(b"\n")]
    return JournalBatch(message.sequence, message.mark, records)


def read_record(data: bytes) -> JournalRecord | UnusableRecord:
    """Read one record. Unusable are only records that are too large, not a JSON object, or without an id."""
    if len(data) > MAX_ENTRY_SIZE:
        return UnusableRecord(data, f"the record has {len(data)} bytes, an entry at most {MAX_ENTRY_SIZE}")
    try:
        data.decode()
        members = _decoder.decode(data)
    except (UnicodeDecodeError, msgspec.MsgspecError, RecursionError) as error:
        return UnusableRecord(data, f"the record is not a JSON object: {error}")
    record_id = searchable_text(members.id, _MAX_ID)
    if not record_id:
        return UnusableRecord(data, f"the record has no `id` of 1 to {_MAX_ID} characters")
    client = searchable_text(members.client) or searchable_text(members.actor)
    service = searchable_text(members.service)
    return JournalRecord(
        data=data,
        leaf=leaf_hash(data),
        record_id=record_id,
        kind=searchable_text(members.kind, 64),
        tx=searchable_text(members.tx, _MAX_ID),
        client=client,
        client_agency=_agency(client),
        service=service,
        provider_agency=_agency(service),
        operation=searchable_text(members.operation),
        status=_integer(members.status),
        error=searchable_text(members.error),
        at=_moment(members.at),
        persons=_persons(members.persons),
    )


def keyed_hash(text: str) -> bytes | None:
    """The bytes of a keyed hash as records have it (`hmac-sha256:` and 64 digits); None: it is none."""
    found = _KEYED_HASH.fullmatch(text)
    return bytes.fromhex(found[1]) if found is not None else None


def searchable_text(value: object, longest: int = _MAX_TEXT) -> str | None:
    """A text that can be searched for; None for what is none, or is too long."""
    # PostgreSQL has no text with NUL in it.
    if isinstance(value, str) and 0 < len(value) <= longest and "\0" not in value:
        return value
    return None


def _persons(value: object) -> tuple[bytes, ...]:
    if not isinstance(value, list) or len(value) > _MOST_PERSONS:
        return ()
    found = (keyed_hash(text) for text in value if isinstance(text, str))
    return tuple(dict.fromkeys(person for person in found if person is not None))


def _integer(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _MAX_INTEGER:
        return value
    return None


def _agency(identifier: str | None) -> str | None:
    """The agency of a system or service id; an identifier without one, like `operator`, has none."""
    agency, slash, _ = (identifier or "").partition("/")
    return agency if slash and agency else None


def _moment(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        return parse_rfc3339(value)
    except ValueError:
        return None
