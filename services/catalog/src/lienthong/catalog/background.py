"""What runs beside requests: hints from other replicas, changes that identity missed, lapsing, reminders."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import grpc.aio
import structlog
from sqlalchemy.exc import SQLAlchemyError

from lienthong.catalog import events
from lienthong.kit.bus import BusError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from lienthong.catalog.service.versions import VersionMonitor
    from lienthong.kit.bus import Bus

_PAUSE_SECONDS = 0.5
_LAPSE_EVERY_SECONDS = 600.0
_REMIND_EVERY_SECONDS = 60.0
_CATCH_UP_EVERY_SECONDS = 60.0

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


async def publish_missed_systems(publish_again: Callable[[], Awaitable[int]], every: float) -> None:
    """Look every so many seconds which changes of systems identity has missed, until cancelled."""
    while True:
        try:
            await publish_again()
        except grpc.aio.AioRpcError as error:
            _log.debug("identity does not say which systems it lacks", error=error.details())
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            _log.warning("systems cannot be compared with identity's now", error=repr(error))
        await asyncio.sleep(every)


async def catch_up_with_others(catch_up: Callable[[], Awaitable[int]]) -> None:
    """Take into the index what a catalog of before it has written, while one still runs, until cancelled."""
    while True:
        await asyncio.sleep(_CATCH_UP_EVERY_SECONDS)
        try:
            taken = await catch_up()
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            _log.warning("the index cannot catch up now", error=repr(error))
            continue
        if taken:
            _log.info("the index caught up", count=taken)


async def tell_in_time(remind: Callable[[], Awaitable[int]]) -> None:
    """Tell people what they should do in time, a portion at a time, until cancelled."""
    while True:
        looked_at = 0
        try:
            looked_at = await remind()
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            _log.warning("nobody can be reminded now", error=repr(error))
        await asyncio.sleep(_PAUSE_SECONDS if looked_at else _REMIND_EVERY_SECONDS)


async def lapse_requests(lapse: Callable[[], Awaitable[int]]) -> None:
    """Let requests lapse that nobody has decided in time, a portion at a time, until cancelled."""
    while True:
        lapsed = 0
        try:
            lapsed = await lapse()
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            _log.warning("requests cannot lapse now", error=repr(error))
        if lapsed:
            _log.info("requests lapsed", count=lapsed)
        # Between portions other writers get their turn.
        await asyncio.sleep(_PAUSE_SECONDS if lapsed else _LAPSE_EVERY_SECONDS)
