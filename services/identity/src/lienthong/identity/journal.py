"""What goes on record: changes of clients and of signing keys, committed together with the change."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from lienthong.kit.clock import Clock
from lienthong.kit.ids import NewId
from lienthong.kit.outbox import Outbox

SUBJECT: Final = "journal.identity"
NODE: Final = "identity"


class Journal:
    """Writes administrative records into the outbox. The actor is this service: it acts by itself."""

    def __init__(self, outbox: Outbox, clock: Clock, new_id: NewId) -> None:
        self._outbox = outbox
        self._clock = clock
        self._new_id = new_id

    async def add(
        self, session: AsyncSession, *, action: str, subject: str, detail: Mapping[str, Any]
    ) -> None:
        """Record one action upon `subject` (`Kind/id`), in the transaction of the action itself."""
        raise NotImplementedError
