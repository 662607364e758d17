"""What runs beside requests: the consumer of the changes that other replicas of the catalog publish."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from lienthong.catalog import events
from lienthong.kit.bus import BusError

if TYPE_CHECKING:
    from lienthong.catalog.service.versions import VersionMonitor
    from lienthong.kit.bus import Bus

_PAUSE_SECONDS = 0.5

_log = structlog.get_logger(__name__)


async def follow_changes(bus: Bus, versions: VersionMonitor) -> None:
    """Hint the version monitor whenever a change is published, until cancelled.

    What is lost while the bus is away, the monitor finds by reading the database.
    """

    async def on_message(message: object) -> None:
        del message
        versions.hint()

    while True:
        await bus.wait_connected()
        try:
            await bus.subscribe(events.SUBJECTS, on_message)
        except BusError as error:
            _log.warning("cannot subscribe to the bus", error=str(error))
            await asyncio.sleep(_PAUSE_SECONDS)
            continue
        while bus.connected:  # noqa: ASYNC110 - the bus tells when it is back, not when it is lost
            await asyncio.sleep(_PAUSE_SECONDS)
