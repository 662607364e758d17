"""Telling whose system it is that a key ends: an event on the bus 30, 7 and 1 days before, once each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lienthong.catalog import events
from lienthong.catalog.domain import validity
from lienthong.catalog.domain.resources import ResourceKind
from lienthong.catalog.service.unit_of_work import AuditEntry
from lienthong.catalog.systems.domain.key_ends import due_now
from lienthong.catalog.systems.repository import SystemRepository
from lienthong.kit.actors import Actor

if TYPE_CHECKING:
    from lienthong.catalog.service.unit_of_work import UnitsOfWork
    from lienthong.kit.ids import NewId

LOOKED_AT_ONCE: Final = 25
_SUBJECT: Final = events.subject("Key")


class KeyReminders:
    """Looks which keys end soon."""

    def __init__(self, units: UnitsOfWork, new_id: NewId) -> None:
        self._units = units
        self._new_id = new_id

    async def remind(self) -> int:
        """Publish what is to be told by now; returns how many systems were looked at, a portion at most.

        Event, audit record and note that it was told commit together: it is told once, also after a crash.
        """
        async with self._units.view() as view:
            if not await SystemRepository(view.session).to_look_at(view.now, 1):
                return 0
        async with self._units.begin(Actor(events.SERVICE, transaction_id=self._new_id())) as work:
            repository = SystemRepository(work.session)
            found = await repository.to_look_at(work.now, LOOKED_AT_ONCE)
            entries = []
            for system in found:
                due, again = due_now(system.spec["jwks"], system.told_at, work.now)
                for one in due:
                    until = validity.write(one.until)
                    event = events.key_ends_soon(system.version, system.id, one.key, until)
                    await work.publish(_SUBJECT, event)
                    detail = {"key": one.key, "until": until}
                    entries.append(
                        AuditEntry("system.key-ends-soon", (ResourceKind.SYSTEM, system.id), detail)
                    )
                await repository.looked_at(system.id, work.now, again)
            await work.audit(entries)
        return len(found)
