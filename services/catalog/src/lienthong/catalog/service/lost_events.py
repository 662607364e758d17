"""Events of systems that the bus has lost: published again, for identity learns of systems from them alone.

The stream holds events in the order of their versions. When it has lost its store, or has an older copy, the
newest that it holds says from where on the others are missing. So it is looked at before anything newer is
published.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from lienthong.catalog import events
from lienthong.catalog.domain.resources import ResourceKind
from lienthong.kit.actors import Actor

if TYPE_CHECKING:
    from lienthong.catalog.service.unit_of_work import UnitsOfWork
    from lienthong.kit.bus import Bus
    from lienthong.kit.ids import NewId
    from lienthong.kit.outbox import Outbox

AT_ONCE = 100
"""Systems whose events are written in one transaction: other writers wait meanwhile."""
SYSTEM_SUBJECT = events.subject(ResourceKind.SYSTEM.value)

_log = structlog.get_logger(__name__)


class LostEvents:
    """Finds out which events of systems the bus does not have, and leaves them in the outbox."""

    def __init__(self, units: UnitsOfWork, outbox: Outbox, bus: Bus, new_id: NewId) -> None:
        self._units = units
        self._outbox = outbox
        self._bus = bus
        self._new_id = new_id

    async def publish_again(self) -> int:
        """Leave an event for each system whose last change is missing on the bus; returns for how many.

        An event shows the system as it is now. What waits in the outbox anyway is not missing.

        Raises:
            BusUnavailableError: the bus cannot be asked.
        """
        newest = await self._bus.last_message(events.STREAM, SYSTEM_SUBJECT)
        after = events.version_of(newest.payload) if newest is not None else 0
        waiting: int | None = None
        number = 0
        while True:
            async with self._units.view() as view:
                if waiting is None:
                    oldest = await self._outbox.oldest(view.session, SYSTEM_SUBJECT)
                    waiting = events.version_of(oldest) if oldest is not None else view.version + 1
                systems = view.resources(ResourceKind.SYSTEM)
                missing = await systems.versions_between(after, waiting, AT_ONCE)
            if not missing:
                break
            async with self._units.begin(Actor(events.SERVICE, transaction_id=self._new_id())) as work:
                await work.announce({(ResourceKind.SYSTEM, system): version for system, version in missing})
            after = missing[-1][1]
            number += len(missing)
        if number:
            _log.error("the bus has lost changes of systems, they are published again", systems=number)
        return number
