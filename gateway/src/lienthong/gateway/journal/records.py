"""The audit record of a call: one JSON object, its members always in the same order (v1).

`docs/reference/journal-record.md` describes every member for readers of the ledger.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

Moment: TypeAlias = datetime | str | UnsetType
"""As `timestamp` makes it."""
MAX_RECORD_BYTES = 60_000
"""An entry of a ledger tile holds at most 65,535 bytes (C2SP tlog-tiles)."""


class Record(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A record; what is not known or does not apply is left out. The fields stand as on the wire."""

    v: Literal[1] | UnsetType = UNSET
    id: str | UnsetType = UNSET
    kind: Literal["call", "intent", "refused-sample"] | UnsetType = UNSET
    tx: str | UnsetType = UNSET
    at: Moment = UNSET
    node: str | UnsetType = UNSET
    client: str | UnsetType = UNSET
    ip: str | UnsetType = UNSET
    service: str | UnsetType = UNSET
    operation: str | UnsetType = UNSET
    method: str | UnsetType = UNSET
    target: str | UnsetType = UNSET
    agreement: str | UnsetType = UNSET
    purpose: str | UnsetType = UNSET
    case: str | UnsetType = UNSET
    user: str | UnsetType = UNSET
    status: int | UnsetType = UNSET
    error: str | UnsetType = UNSET
    upstream_status: int | UnsetType = UNSET
    received: Moment = UNSET
    forwarded: Moment = UNSET
    answered: Moment = UNSET
    request_bytes: int | UnsetType = UNSET
    request_sha256: str | UnsetType = UNSET
    response_bytes: int | UnsetType = UNSET
    response_sha256: str | UnsetType = UNSET
    trace: str | UnsetType = UNSET
    aborted: bool | UnsetType = UNSET
    count: int | UnsetType = UNSET
    since: Moment = UNSET


encode = msgspec.json.Encoder().encode


def timestamp(moment: datetime) -> datetime | str:
    """What becomes RFC 3339 with microseconds, e.g. `2026-11-23T06:30:00.123456Z`. `moment` has to be in UTC.

    msgspec writes a datetime so, and faster than anything else does, but leaves out a fraction of zero.
    """
    return moment if moment.microsecond else f"{moment:%Y-%m-%dT%H:%M:%S}.000000Z"
