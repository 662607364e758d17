"""Which events were accepted before: what tells a publisher's retry, however late it comes.

The bus recognises a message id within its duplicate window only. The index in the database recognises it
while the stream has the event, but is a moment behind the stream: nothing is published while it is further
behind than the window reaches.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from lienthong.exchange import errors
from lienthong.exchange.events import DUPLICATE_WINDOW
from lienthong.exchange.repository import AcceptedEventRepository, recording
from lienthong.exchange.service.event_register import StreamWentBackError
from lienthong.kit.rounds import Rounds

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from lienthong.exchange.domain.messages import StoredEvent
    from lienthong.exchange.domain.numbering import Numbering
    from lienthong.kit.clock import Clock
    from lienthong.kit.database import Database
    from lienthong.kit.one_turn import Statements

# Half the window, which leaves room for a measurement that takes long.
_MAX_BEHIND = DUPLICATE_WINDOW / 2
_MOST_TOGETHER = 256
"""Message ids that are looked up together; a single caller may have more."""


@dataclass(frozen=True, slots=True)
class _Part:
    """What one caller asks for."""

    message_ids: frozenset[str]
    generation: int

    def size(self) -> int:
        return len(self.message_ids)


class DeduplicationIndex:
    """The accepted events by message id; complete up to a known moment. Look-ups at the same time are one."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._complete_at: float | None = None
        self._rounds = Rounds[_Part, "dict[str, StoredEvent]"](
            self._look_up, most=_MOST_TOGETHER, size=_Part.size
        )

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
        return await self._rounds.take(_Part(frozenset(message_ids), numbering.generation))

    async def _look_up(self, parts: Sequence[_Part]) -> Sequence[dict[str, StoredEvent] | Exception]:
        every = frozenset[str]().union(*(part.message_ids for part in parts))
        generation, found = await self._database.read(partial(_known, every))
        return [
            {message_id: found[message_id] for message_id in part.message_ids & found.keys()}
            if part.generation == generation
            else StreamWentBackError("the stream went back")
            for part in parts
        ]

    async def last_number(self) -> int:
        """The highest number that is recorded; 0 in an empty index."""
        async with self._database.reading() as session:
            return await AcceptedEventRepository(session).highest()

    def complete_as_of(self, moment: float) -> None:
        """Note that everything that was in the stream at `moment` (monotonic seconds) is recorded."""
        self._complete_at = moment


def _known(message_ids: Collection[str], statements: Statements) -> tuple[int, dict[str, StoredEvent]]:
    """The generation that holds, and those of these events that are recorded."""
    generation = recording.generation(statements, shared=False)
    return generation, recording.accepted(statements, message_ids)
