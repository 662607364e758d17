"""Which events were accepted before: what tells a publisher's retry, however late it comes.

The bus recognises a message id within its duplicate window only. The index in the database recognises it
while the stream has the event, but is a moment behind the stream: nothing is published while it is further
behind than the window reaches.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lienthong.exchange import errors
from lienthong.exchange.events import DUPLICATE_WINDOW
from lienthong.exchange.repository import AcceptedEventRepository, recording
from lienthong.exchange.service.event_register import StreamWentBackError

if TYPE_CHECKING:
    from collections.abc import Collection

    from lienthong.exchange.domain.messages import StoredEvent
    from lienthong.exchange.domain.numbering import Numbering
    from lienthong.kit.clock import Clock
    from lienthong.kit.database import Database
    from lienthong.kit.one_turn import Statements

# Half the window, which leaves room for a measurement that takes long.
_MAX_BEHIND = DUPLICATE_WINDOW / 2


class DeduplicationIndex:
    """The accepted events by message id; complete up to a known moment."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._complete_at: float | None = None

    @property
    def built(self) -> bool:
        """Whether the index has been complete once since this process started."""
        return self._complete_at is not None

    def age(self) -> float | None:
        """For how many seconds the index may have been incomplete; None while it was never complete."""
        return self._clock.monotonic() - self._complete_at if self._complete_at is not None else None

    async def accepted(self, message_ids: Collection[str], numbering: Numbering) -> dict[str, StoredEvent]:
        """Those of these events that were accepted before, by message id, also when the stream lost them.

        Raises:
            ProblemError: `bus-unavailable` while the index is too far behind the stream to say.
            StreamWentBackError: the numbering no longer holds.
        """
        age = self.age()
        if age is None or age >= _MAX_BEHIND:
            raise errors.bus_unavailable()
        found = await self._database.read(partial(_known, numbering.generation, message_ids))
        if found is None:
            raise StreamWentBackError("the stream went back")
        return found

    async def last_number(self) -> int:
        """The highest number that is recorded; 0 in an empty index."""
        async with self._database.reading() as session:
            return await AcceptedEventRepository(session).highest()

    def complete_as_of(self, moment: float) -> None:
        """Note that everything that was in the stream at `moment` (monotonic seconds) is recorded."""
        self._complete_at = moment


def _known(
    generation: int, message_ids: Collection[str], statements: Statements
) -> dict[str, StoredEvent] | None:
    """Those that are recorded; None when another generation holds."""
    if recording.generation(statements, shared=False) != generation:
        return None
    return recording.accepted(statements, message_ids)
