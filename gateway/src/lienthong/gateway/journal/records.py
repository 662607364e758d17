"""The audit records that a gateway writes: JSON objects, their members always in the same order (version 1).

A member whose value is None is left out. The fields are declared in the order in which they are written.
`docs/reference/journal-record.md` describes every member for readers of the ledger; `lienthong.kit.journal`
has another kind, the record of what an administrator did.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

Moment: TypeAlias = datetime | str
"""RFC 3339 with microseconds; msgspec leaves out a fraction of zero, so that is text."""
MAX_RECORD_BYTES = 60_000
"""An entry of a ledger tile holds at most 65,535 bytes (C2SP tlog-tiles)."""


class CallRecord(msgspec.Struct, kw_only=True, omit_defaults=True):
    """How a call ended, with what was known by then."""

    v: Literal[1]
    id: str
    kind: Literal["call"]
    tx: str
    at: Moment
    node: str
    client: str | None = None
    ip: str | None = None
    certificate: str | None = None
    service: str | None = None
    operation: str | None = None
    method: str
    target: str
    agreement: str | None = None
    purpose: str | None = None
    case: str | None = None
    user: str | None = None
    acts_for: str | None = None
    actors: list[str] | None = None
    represented: str | None = None
    door: str | None = None
    message: str | None = None
    persons: list[str] | None = None
    person_count: int | None = None
    person_commitment: str | None = None
    persons_unread: list[str] | None = None
    status: int | None = None
    error: str | None = None
    failed: Literal["client", "gateway", "provider"] | None = None
    upstream: str | None = None
    upstream_status: int | None = None
    received: Moment
    forwarded: Moment | None = None
    responded: Moment | None = None
    opened: Moment | None = None
    answered: Moment | None = None
    request_bytes: int | None = None
    request_sha256: str | None = None
    response_bytes: int | None = None
    response_sha256: str | None = None
    fields_removed: int | None = None
    request_check: Literal["valid", "invalid", "unchecked"] | None = None
    answer_check: Literal["valid", "invalid", "unchecked"] | None = None
    trace: str | None = None
    aborted: Literal[True] | None = None
    limit: str | None = None
    replays: str | None = None


class OpeningRecord(msgspec.Struct, kw_only=True, omit_defaults=True):
    """That an endless answer is about to leave."""

    v: Literal[1]
    id: str
    kind: Literal["opening"]
    tx: str
    at: Moment
    node: str
    client: str | None = None
    ip: str | None = None
    certificate: str | None = None
    service: str | None = None
    operation: str | None = None
    method: str
    target: str
    agreement: str | None = None
    purpose: str | None = None
    case: str | None = None
    user: str | None = None
    acts_for: str | None = None
    actors: list[str] | None = None
    represented: str | None = None
    door: str | None = None
    message: str | None = None
    persons: list[str] | None = None
    person_count: int | None = None
    person_commitment: str | None = None
    persons_unread: list[str] | None = None
    status: int
    upstream: str | None = None
    upstream_status: int | None = None
    received: Moment
    forwarded: Moment | None = None
    responded: Moment | None = None
    opened: Moment
    request_bytes: int | None = None
    request_sha256: str | None = None
    trace: str | None = None


class ContinuingRecord(msgspec.Struct, kw_only=True, omit_defaults=True):
    """That an endless answer goes on, and what of it has passed."""

    v: Literal[1]
    id: str
    kind: Literal["continuing"]
    tx: str
    at: Moment
    node: str
    client: str | None = None
    ip: str | None = None
    certificate: str | None = None
    service: str | None = None
    operation: str | None = None
    method: str
    target: str
    agreement: str | None = None
    purpose: str | None = None
    case: str | None = None
    user: str | None = None
    acts_for: str | None = None
    actors: list[str] | None = None
    represented: str | None = None
    door: str | None = None
    message: str | None = None
    persons: list[str] | None = None
    person_count: int | None = None
    person_commitment: str | None = None
    persons_unread: list[str] | None = None
    status: int
    upstream: str | None = None
    upstream_status: int | None = None
    received: Moment
    forwarded: Moment | None = None
    responded: Moment | None = None
    opened: Moment
    request_bytes: int | None = None
    request_sha256: str | None = None
    response_bytes: int
    response_sha256: str
    trace: str | None = None


class IntentRecord(msgspec.Struct, kw_only=True, omit_defaults=True):
    """That an authorized call is about to be forwarded."""

    v: Literal[1]
    id: str
    kind: Literal["intent"]
    tx: str
    at: Moment
    node: str
    client: str
    ip: str | None = None
    certificate: str | None = None
    service: str
    operation: str
    method: str
    target: str
    agreement: str
    purpose: str
    case: str | None = None
    user: str | None = None
    acts_for: str | None = None
    actors: list[str] | None = None
    represented: str | None = None
    door: str | None = None
    message: str | None = None
    persons: list[str] | None = None
    person_count: int | None = None
    person_commitment: str | None = None
    received: Moment
    trace: str | None = None


class SampleRecord(msgspec.Struct, kw_only=True, omit_defaults=True):
    """How many calls for one reason were counted instead of recorded one by one."""

    v: Literal[1]
    id: str
    kind: Literal["refused-sample"]
    tx: str
    at: Moment
    node: str
    client: str | None = None
    service: str | None = None
    status: int | None = None
    error: str | None = None
    aborted: Literal[True] | None = None
    count: int
    since: Moment


def opening_of(known: CallRecord) -> OpeningRecord:
    """The record that an answer is about to leave, of a call of which this is known."""
    members = {name: getattr(known, name) for name in OpeningRecord.__struct_fields__}
    return OpeningRecord(**members | {"kind": "opening"})


def continuing_of(known: CallRecord) -> ContinuingRecord:
    """The record that an answer goes on, likewise."""
    members = {name: getattr(known, name) for name in ContinuingRecord.__struct_fields__}
    return ContinuingRecord(**members | {"kind": "continuing"})


def lost_of(opening: bytes, record_id: str, at: Moment, error: str) -> CallRecord:
    """The record of the end of an answer of which there is only the opening record.

    Raises:
        ValueError: those bytes are no opening record.
    """
    try:
        # As it was written: its times are text by now.
        known = msgspec.json.decode(opening, type=dict[str, str | int | list[str]])
        members = {name: known[name] for name in OpeningRecord.__struct_fields__ if name in known}
        ending = {"id": record_id, "kind": "call", "at": at, "error": error, "aborted": True}
        ending["failed"] = "gateway"
        return CallRecord(**members | ending)  # type: ignore[arg-type]
    except (msgspec.MsgspecError, TypeError) as reason:
        raise ValueError(f"not an opening record: {reason}") from None


encode = msgspec.json.Encoder().encode
