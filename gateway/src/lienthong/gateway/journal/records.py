"""The audit record of a call: one JSON object, its members always in the same order (v1).

`docs/reference/journal-record.md` describes every member for readers of the ledger.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

Moment: TypeAlias = datetime | str | None
"""As `timestamp` makes it."""
MAX_RECORD_BYTES = 60_000
"""An entry of a ledger tile holds at most 65,535 bytes (C2SP tlog-tiles)."""


class Record(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A record; what is not known or does not apply is None and left out. The fields stand as on the wire."""

    v: Literal[1] | None = None
    id: str | None = None
    kind: Literal["call", "intent", "refused-sample"] | None = None
    tx: str | None = None
    at: Moment = None
    node: str | None = None
    client: str | None = None
    ip: str | None = None
    service: str | None = None
    operation: str | None = None
    method: str | None = None
    target: str | None = None
    agreement: str | None = None
    purpose: str | None = None
    case: str | None = None
    user: str | None = None
    status: int | None = None
    error: str | None = None
    upstream_status: int | None = None
    received: Moment = None
    forwarded: Moment = None
    answered: Moment = None
    request_bytes: int | None = None
    request_sha256: str | None = None
    response_bytes: int | None = None
    response_sha256: str | None = None
    trace: str | None = None
    aborted: bool | None = None
    count: int | None = None
    since: Moment = None


encode = msgspec.json.Encoder().encode


def timestamp(moment: datetime) -> datetime | str:
    """What becomes RFC 3339 with microseconds, e.g. `2026-11-23T06:30:00.123456Z`. `moment` has to be in UTC.

    msgspec writes a datetime so, and faster than anything else does, but leaves out a fraction of zero.
    """
    return moment if moment.microsecond else f"{moment:%Y-%m-%dT%H:%M:%S}.000000Z"
