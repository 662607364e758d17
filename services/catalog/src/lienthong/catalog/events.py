"""What the catalog tells the bus: changes for other services, and audit records for the journal."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import structlog

from lienthong.kit.bus import BusError, StreamSpec
from lienthong.kit.journal import admin_record, journal_subject

if TYPE_CHECKING:
    from datetime import datetime

    from lienthong.catalog.changes import Author
    from lienthong.catalog.feed import Feed
    from lienthong.catalog.kinds import Key
    from lienthong.catalog.resources import Resource
    from lienthong.kit.bus import Bus

SERVICE = "catalog"
JOURNAL = journal_subject(SERVICE)
SUBJECTS = "catalog.>"
STREAM = "CATALOG"

_LOOK_SECONDS = 0.5

_log = structlog.get_logger(__name__)


def stream(replicas: int) -> StreamSpec:
    """Return the stream that keeps every change, so that a service that comes later hears all of them."""
    return StreamSpec(STREAM, [SUBJECTS], replicas=replicas)


def upserted(version: int, resource: Resource) -> bytes:
    """Return the event that a resource is now like this. A service comes without its OpenAPI document."""
    document: dict[str, Any] = {
        "version": version,
        "kind": resource.kind.value,
        "id": resource.id,
        "action": "upserted",
        "resource": resource.manifest(whole=False),
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def admin(
    record_id: str, author: Author, at: datetime, action: str, key: Key, detail: dict[str, Any]
) -> bytes:
    """Return the audit record of a change."""
    kind, identity = key
    return admin_record(
        id=record_id,
        node=SERVICE,
        tx=author.transaction_id,
        at=at,
        actor=author.client_id,
        action=action,
        object=f"{kind.value}/{identity}",
        detail=detail,
    )


async def listen(bus: Bus, feed: Feed) -> None:
    """Hint the feed whenever any replica's change passes on the bus, until cancelled.

    Only a hint: what is lost while the bus is away is found by the feed's own looks into the database.
    """

    async def heard(message: object) -> None:
        del message
        feed.hint()

    while True:
        await bus.wait_connected()
        try:
            await bus.subscribe(SUBJECTS, heard)
        except BusError as error:
            _log.warning("cannot listen to the bus", error=str(error))
            await asyncio.sleep(_LOOK_SECONDS)
            continue
        while bus.connected:  # noqa: ASYNC110 - the bus tells when it is back, not when it is lost
            await asyncio.sleep(_LOOK_SECONDS)
