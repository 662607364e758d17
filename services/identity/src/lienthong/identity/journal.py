"""What goes on record: changes of clients and of signing keys, committed together with the change."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from lienthong.kit.clock import Clock
from lienthong.kit.ids import NewId
from lienthong.kit.journal import admin_record, journal_subject
from lienthong.kit.outbox import Outbox

NODE: Final = "identity"
ACTOR: Final = "lienthong/identity"
"""This service acts by itself; who changed a system in the catalog is on the catalog's own record."""


class Journal:
    """Writes administrative records into the outbox."""

    def __init__(self, outbox: Outbox, clock: Clock, new_id: NewId) -> None:
        self._outbox = outbox
        self._clock = clock
        self._new_id = new_id

    async def add(
        self, session: AsyncSession, *, action: str, subject: str, detail: Mapping[str, Any]
    ) -> None:
        """Record one action upon `subject` (`Kind/id`), in the transaction of the action itself."""
        record_id = self._new_id()
        record = admin_record(
            node=NODE,
            actor=ACTOR,
            action=action,
            object=subject,
            at=self._clock.now(),
            detail=detail,
            id=record_id,
        )
        await self._outbox.add(session, journal_subject(NODE), record, message_id=record_id)
