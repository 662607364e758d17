"""What the ledger reads in a journal record: enough to know it again and to find it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from lienthong.tlog import MAX_ENTRY_SIZE, leaf_hash

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAX_ID = 128
_MAX_TEXT = 255
_MAX_INTEGER = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Record:
    """A record that becomes a leaf: `data` is the exact bytes, the rest the search index drawn from them."""

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


@dataclass(frozen=True, slots=True)
class Unusable:
    """Bytes that cannot become a leaf, and why."""

    data: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class Message:
    """A journal message taken apart; `sequence` is its number in the stream."""

    sequence: int
    records: Sequence[Record | Unusable]


class _Fields(msgspec.Struct):
    """Any JSON type is accepted: a member of a strange type is not searchable, but its record is kept."""

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


_decoder = msgspec.json.Decoder(_Fields)


def read_message(sequence: int, payload: bytes) -> Message:
    """Take a journal message apart: records joined by newlines."""
    return Message(sequence, [read_record(data) for data in payload.split(b"\n")])


def read_record(data: bytes) -> Record | Unusable:
    """Read one record. Only what cannot be stored, recognised or shown again is unusable."""
    if len(data) > MAX_ENTRY_SIZE:
        return Unusable(data, f"the record has {len(data)} bytes, an entry at most {MAX_ENTRY_SIZE}")
    try:
        data.decode()
        fields = _decoder.decode(data)
    except (UnicodeDecodeError, msgspec.MsgspecError, RecursionError) as error:
        return Unusable(data, f"the record is not a JSON object: {error}")
    record_id = _text(fields.id, _MAX_ID)
    if not record_id:
        return Unusable(data, f"the record has no `id` of 1 to {_MAX_ID} characters")
    client = _text(fields.client) or _text(fields.actor)
    service = _text(fields.service)
    return Record(
        data=data,
        leaf=leaf_hash(data),
        record_id=record_id,
        kind=_text(fields.kind, 64),
        tx=_text(fields.tx, _MAX_ID),
        client=client,
        client_agency=_agency(client),
        service=service,
        provider_agency=_agency(service),
        operation=_text(fields.operation),
        status=_integer(fields.status),
        error=_text(fields.error),
        at=_moment(fields.at),
    )


def _text(value: object, longest: int = _MAX_TEXT) -> str | None:
    # PostgreSQL has no text with NUL in it.
    if isinstance(value, str) and 0 < len(value) <= longest and "\0" not in value:
        return value
    return None


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
        moment = datetime.fromisoformat(value)
        return None if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
