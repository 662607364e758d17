"""What administrators do, as records of the audit journal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from lienthong.kit.bus import StreamSpec
from lienthong.kit.clock import rfc3339
from lienthong.kit.ids import uuid7

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

LARGEST_RECORD = 60_000
"""Bytes of one record; an entry of the log holds at most 65,535."""

_TRANSACTION_ID = re.compile(r"[0-9A-Za-z_-]{1,128}")
"""Whoever reaches a service without the gateway may send anything; a record must be found by its id."""

STREAM = "JOURNAL"
SUBJECTS = ("journal.>",)


def journal_stream(replicas: int) -> StreamSpec:
    """The journal: without limits, nothing is ever dropped from it.

    Whoever writes to it brings it about, so that no process waits for another to have been there before.
    """
    return StreamSpec(STREAM, SUBJECTS, replicas=replicas)


def journal_subject(service: str) -> str:
    """Where the records of `service` are published, e.g. `journal.catalog`."""
    return f"journal.{service}"


def admin_record(
    *,
    node: str,
    actor: str,
    action: str,
    object: str,  # noqa: A002 - the record's own word
    at: datetime,
    detail: Mapping[str, Any] | None = None,
    tx: str | None = None,
    id: str | None = None,  # noqa: A002 - the record's own word
) -> bytes:
    """One administrative act as the exact bytes of a journal record, to be left in the service's outbox.

    `node` is the service, `actor` the client who acted, `action` e.g. `agreement.approve`, `object` e.g.
    `Agreement/one-stop-land`, `tx` the transaction id of the request that caused it, `id`
    the record's own. `detail` must hold no
    secrets and no personal data.

    Raises:
        ValueError: the record would be too large.
    """
    identifier = id or uuid7()
    record: dict[str, Any] = {
        "v": 1,
        "id": identifier,
        "kind": "admin",
        "tx": tx if tx and _TRANSACTION_ID.fullmatch(tx) else identifier,
        "at": rfc3339(at),
        "node": node,
        "actor": actor,
        "action": action,
        "object": object,
    }
    if detail:
        record["detail"] = dict(detail)
    encoded = msgspec.json.encode(record)
    if len(encoded) > LARGEST_RECORD:
        raise ValueError(f"an administrative record of {len(encoded)} bytes is too large: shorten its detail")
    return encoded
