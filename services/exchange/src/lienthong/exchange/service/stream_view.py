"""Compares the stream of events with what is recorded about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import structlog

from lienthong.exchange.domain.numbering import NumberRange
from lienthong.exchange.events import STREAM, message_id_in
from lienthong.exchange.repository import AcceptedEventRepository, KeptEventRepository, NumberingRepository

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from lienthong.exchange.domain.numbering import Numbering
    from lienthong.exchange.models import KeptEvent, Subscription
    from lienthong.kit.bus import Bus, StreamState
    from lienthong.kit.clock import Clock
    from lienthong.kit.database import Database

_PORTION: Final = 200
_CLOCKS_DIFFER: Final = timedelta(minutes=1)
"""How much earlier than by our clock the bus may drop a message."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Seen:
    """What is recorded (`newest`: number and message id of the newest event), and the stream after that.

    In this order: what others publish and record meanwhile is in the stream, and not a loss. `hole` is the
    sequence of the first kept event that is missing among others.
    """

    numbering: Numbering
    newest: tuple[int, str] | None
    state: StreamState | None
    goes_on: bool
    hole: int | None

    @property
    def sound(self) -> bool:
        """Whether the stream has what it should have."""
        return self.state is not None and self.goes_on and self.hole is None


class StreamView:
    """Looks at the stream; changes nothing."""

    def __init__(self, database: Database, bus: Bus, clock: Clock, *, max_age: float | None) -> None:
        """`max_age` is after how many seconds the stream drops an event; None is never."""
        self._database = database
        self._bus = bus
        self._clock = clock
        self._max_age = None if max_age is None else timedelta(seconds=max_age)
        self._without_holes: tuple[object, ...] | None = None
        self._suspected: set[int] = set()

    async def see(self) -> Seen:
        """Compare the stream with what is recorded."""
        numbering, newest = await self._recorded()
        state = await self._bus.find_stream(STREAM)
        goes_on = state is not None and await self._goes_on(state, numbering, newest)
        hole = await self._hole(state, numbering) if state is not None and goes_on else None
        return Seen(numbering, newest, state, goes_on, hole)

    def dropped_before(self) -> datetime | None:
        """What was stored before this moment may have been dropped in time; None: nothing may."""
        return None if self._max_age is None else self._clock.now() - self._max_age + _CLOCKS_DIFFER

    async def missing(
        self, subscription: Subscription, numbering: Numbering, after: int, through: int, but: Collection[str]
    ) -> int | None:
        """The number of the first kept event that the stream lacks and a subscription has not acknowledged.

        Looked for among the numbers beyond `after`, up to `through`, and not among the message ids `but`. The
        bus may count such an event as delivered and acknowledged: it passes over what it cannot read.
        """
        while after < through:
            async with self._database.reading() as session:
                found = await KeptEventRepository(session).unacknowledged(
                    subscription, after, through, _PORTION
                )
            for number, message_id in found:
                if message_id not in but and not await self._there(numbering, number, message_id):
                    self._suspected.add(number)
                    return number
            if len(found) < _PORTION:
                break
            after = found[-1][0]
        return None

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

    async def _hole(self, state: StreamState, numbering: Numbering) -> int | None:
        """The sequence of the first kept event that the stream lacks, although it has later messages.

        A block that is damaged leaves a hole among others, or, when it was the oldest, nothing before them.
        What was found without one is not looked at again before something has changed.
        """
        found = [
            sequence
            for number in sorted(self._suspected)
            if (sequence := await self._still(number, numbering))
        ]
        seen = (state.created, state.first_sequence, state.missing, numbering.generation)
        if seen != self._without_holes:
            gaps = [(1, state.first_sequence - 1)] if state.first_sequence > 1 else []
            if state.missing:
                gaps += await self._bus.gaps(STREAM)
            for first, last in gaps:
                if ranges := numbering.numbers_among(first, last):
                    async with self._database.reading() as session:
                        number = await KeptEventRepository(session).first_within(
                            ranges, self.dropped_before()
                        )
                    if number is not None:
                        return min([numbering.sequence_from(number), *found])
            dropped_in_time = 0 if self._max_age is None else state.first_sequence - 1
            if lost := state.first_sequence - 1 + state.missing - dropped_in_time:
                _log.warning(
                    "the stream has lost messages that no subscription waits for: who subscribes to all"
                    " events later does not get them",
                    stream=STREAM,
                    messages=lost,
                )
            self._without_holes = seen
        return min(found, default=None)

    async def _still(self, number: int, numbering: Numbering) -> int | None:
        """The sequence of a kept event that was missing, if it still is; else it is forgotten."""
        async with self._database.reading() as session:
            kept = await KeptEventRepository(session).within([NumberRange(number, number)], 1)
        if not kept or await self._there(numbering, number, kept[0].message_id):
            self._suspected.discard(number)
            return None
        return numbering.sequence_from(number)

    async def _there(self, numbering: Numbering, number: int, message_id: str) -> bool:
        message = await self._bus.message(STREAM, numbering.sequence_from(number))
        return message is not None and message_id_in(message.headers) == message_id

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
