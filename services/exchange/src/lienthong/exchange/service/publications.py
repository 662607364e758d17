"""Puts events into the stream: those of requests at the same time together, with one write to its disk.

Requests have no order among each other, so theirs may go in one atomic batch of the bus; the events of one
request keep theirs, without another's between them. When the bus does not take them together, because it has
one of them for example, each request goes by itself.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lienthong.exchange.service.event_register import StreamWentBackError
from lienthong.kit.bus import BusNotTogetherError, BusRefusedError
from lienthong.kit.problems import ProblemError
from lienthong.kit.rounds import Rounds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lienthong.exchange.domain.messages import OutgoingEvent
    from lienthong.exchange.domain.numbering import Numbering
    from lienthong.exchange.service.event_stream import EventStream

_MOST_TOGETHER: Final = 4 * 1024 * 1024
"""Bytes that go together; a single request may have more."""
_EACH: Final = 8 * 1024
"""Bytes that an event counts beside its content: the bus takes a thousand together at most."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The sequence of an event in the stream; `duplicate` when the stream had it before."""

    sequence: int
    duplicate: bool


@dataclass(frozen=True, slots=True)
class _Part:
    """The events of one request, in their order."""

    events: Sequence[OutgoingEvent]
    numbering: Numbering
    permitted: Callable[[], None]

    def size(self) -> int:
        return sum(_EACH + len(event.payload) for event in self.events)


class Publications:
    """The way of events into the stream."""

    def __init__(self, stream: EventStream) -> None:
        self._stream = stream
        self._rounds = Rounds[_Part, "list[Stored]"](self._publish, most=_MOST_TOGETHER, size=_Part.size)

    async def publish(
        self, events: Sequence[OutgoingEvent], numbering: Numbering, permitted: Callable[[], None]
    ) -> list[Stored]:
        """Publish the events of a request: one of them, or all of them or none.

        `permitted` is called right before they are published, and may refuse it by raising.

        Raises:
            BusNotTogetherError: they have to be published one by one: the stream may have one of them.
            StreamWentBackError: the numbering no longer holds.
            BusError, EventReusedError: as `EventStream.publish`.
            ProblemError: that of `permitted`.
        """
        return await self._rounds.take(_Part(events, numbering, permitted))

    async def _publish(self, parts: Sequence[_Part]) -> Sequence[list[Stored] | Exception]:
        generation = (await self._stream.current()).generation
        outcomes: dict[int, list[Stored] | Exception] = {}
        going: dict[int, _Part] = {}
        for place, part in enumerate(parts):
            try:
                part.permitted()
                _demand_current(part, generation)
            except (ProblemError, StreamWentBackError) as refused:
                outcomes[place] = refused
            else:
                going[place] = part
        outcomes |= zip(going, await self._publish_all(list(going.values())), strict=True)
        return [outcomes[place] for place in range(len(parts))]

    async def _publish_all(self, parts: Sequence[_Part]) -> Sequence[list[Stored] | Exception]:
        if len(parts) > 1:
            try:
                stored = await self._together([event for part in parts for event in part.events], parts[0])
            except (BusNotTogetherError, BusRefusedError):
                # By itself each is seen to be, or not to be, the one.
                pass
            else:
                rest = iter(stored)
                return [[next(rest) for _ in part.events] for part in parts]
        found = await asyncio.gather(*(self._alone(part) for part in parts), return_exceptions=True)
        return [_expected(one) for one in found]

    async def _alone(self, part: _Part) -> list[Stored]:
        if len(part.events) > 1:
            return await self._together(part.events, part)
        ack = await self._stream.publish(part.events[0], part.numbering)
        return [Stored(ack.sequence, ack.duplicate)]

    async def _together(self, events: Sequence[OutgoingEvent], part: _Part) -> list[Stored]:
        first = await self._stream.publish_together(events)
        _demand_current(part, (await self._stream.current()).generation)
        if not part.numbering.number_of(first):
            raise StreamWentBackError("the stream was cut off meanwhile")
        return [Stored(first + place, duplicate=False) for place in range(len(events))]


def _demand_current(part: _Part, generation: int) -> None:
    """Refuse what would come after something that may be lost.

    Raises:
        StreamWentBackError: the numbering no longer holds.
    """
    if generation != part.numbering.generation:
        raise StreamWentBackError("the stream went back")


def _expected(found: list[Stored] | BaseException) -> list[Stored] | Exception:
    if isinstance(found, list | Exception):
        return found
    raise found
