"""Compares the stream of events with what is recorded about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lienthong.exchange.events import STREAM, message_id_in
from lienthong.exchange.repository import AcceptedEventRepository, KeptEventRepository, NumberingRepository

if TYPE_CHECKING:
    from lienthong.exchange.domain.numbering import Numbering
    from lienthong.exchange.models import KeptEvent
    from lienthong.kit.bus import Bus, StreamState
    from lienthong.kit.database import Database


@dataclass(frozen=True, slots=True)
class Seen:
    """What is recorded (`newest`: number and message id of the newest event), and the stream after that.

    In this order: what others publish and record meanwhile is in the stream, and not a loss.
    """

    numbering: Numbering
    newest: tuple[int, str] | None
    state: StreamState | None
    goes_on: bool


class StreamView:
    """Looks at the stream; changes nothing."""

    def __init__(self, database: Database, bus: Bus) -> None:
        self._database = database
        self._bus = bus

    async def see(self) -> Seen:
        """Compare the stream with what is recorded."""
        numbering, newest = await self._recorded()
        state = await self._bus.find_stream(STREAM)
        goes_on = state is not None and await self._goes_on(state, numbering, newest)
        return Seen(numbering, newest, state, goes_on)

    async def lost(self, numbering: Numbering, most: int) -> list[KeptEvent]:
        """The first kept events that the stream does not have."""
        lost = numbering.lost()
        if not lost:
            return []
        async with self._database.reading() as session:
            return list(await KeptEventRepository(session).within(lost, most))

    async def common_through(self, numbering: Numbering, first: int, last: int) -> int:
        """The sequence up to which stream and index agree: found by halving, a look at both for each step.

        The stream begins at `first`.
        """
        low, high = 0, last
        while low < high:
            middle = (low + high + 1) // 2
            if await self._agree(numbering, first, middle):
                low = middle
            else:
                high = middle - 1
        return low

    async def _recorded(self) -> tuple[Numbering, tuple[int, str] | None]:
        """The numbering, and number and message id of the newest event that the stream should have."""
        async with self._database.reading() as session:
            numbering = await NumberingRepository(session).read()
            accepted = AcceptedEventRepository(session)
            for numbers in reversed(numbering.present()):
                newest = await accepted.newest(numbers)
                if newest is not None:
                    return numbering, newest
        return numbering, None

    async def _goes_on(
        self, state: StreamState, numbering: Numbering, newest: tuple[int, str] | None
    ) -> bool:
        """Whether the stream still has the newest recorded event at its place."""
        if newest is None:
            return True
        number, message_id = newest
        sequence = numbering.sequence_from(number)
        if sequence > state.last_sequence:
            return False
        message = await self._bus.message(STREAM, sequence)
        if message is None:
            # Dropped in time, as the retention says, or purged: both take the oldest first, and what is newer
            # than the oldest was in a damaged block. Or it never was in a stream that was made anew.
            return sequence < state.first_sequence and numbering.created in {"", state.created}
        return message_id_in(message.headers) == message_id

    async def _agree(self, numbering: Numbering, first: int, sequence: int) -> bool:
        """Whether the stream has what is recorded; what the index does not know contradicts nothing, nor what
        the stream has dropped in time."""
        number = numbering.number_of(sequence)
        async with self._database.reading() as session:
            recorded = (await AcceptedEventRepository(session).at([number])).get(number)
        message = await self._bus.message(STREAM, sequence)
        if recorded is None or message is None:
            return recorded is None or sequence < first
        return message_id_in(message.headers) == recorded
