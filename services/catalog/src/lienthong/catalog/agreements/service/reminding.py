"""Telling people in time: an event on the bus for each reminder, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lienthong.catalog import events
from lienthong.catalog.agreements.domain.reminders import due_now
from lienthong.catalog.agreements.repository.agreements import AgreementRepository
from lienthong.catalog.domain import validity
from lienthong.catalog.domain.resources import ResourceKind
from lienthong.kit.actors import Actor

if TYPE_CHECKING:
    from datetime import timedelta

    from lienthong.catalog.service.unit_of_work import UnitsOfWork
    from lienthong.kit.ids import NewId

LOOKED_AT_ONCE: Final = 100


class Reminders:
    """Looks which agreements end soon, and which decisions are due."""

    def __init__(self, units: UnitsOfWork, new_id: NewId, decide_within: timedelta) -> None:
        self._units = units
        self._new_id = new_id
        self._decide_within = decide_within

    async def remind(self) -> int:
        """Publish what is to be told by now; returns how many agreements were looked at, at most a hundred.

        Event and note that it was told commit together: after a crash it is told, and told once.
        """
        async with self._units.view() as view:
            if not await AgreementRepository(view.session).to_look_at(view.now, 1):
                return 0
        async with self._units.begin(Actor(events.SERVICE, transaction_id=self._new_id())) as work:
            repository = AgreementRepository(work.session)
            found = await repository.to_look_at(work.now, LOOKED_AT_ONCE)
            for agreement in found:
                reminder, again = due_now(agreement, self._decide_within, work.now)
                if reminder is not None:
                    event = events.reminded(
                        agreement.version,
                        agreement.id,
                        reminder.kind.value,
                        validity.write(reminder.until),
                        agreement.consumer,
                        agreement.target,
                    )
                    await work.publish(events.subject(ResourceKind.AGREEMENT.value), event)
                await repository.looked_at(agreement.id, None if reminder is None else reminder.at, again)
        return len(found)
