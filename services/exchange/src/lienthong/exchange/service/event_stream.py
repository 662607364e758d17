"""Notices that the bus has lost the stream of events, or has an older copy of it, and mends that.

What was seen last is in the database: the newest recorded event, and how the stream's sequences are
numbered. The stream goes on when it still has that event at its place. If not, it went back: the numbering
gets a new generation (`domain.numbering`), and the kept events that the stream lacks are published again, in
their order. So it is when the stream goes on, but lacks an event in between that a subscription waits for.

Every connection begins with that look, for the server behind it may have another store; until it is over, and
until all is published again, nothing is published, recorded or delivered. While a connection lasts it is
repeated: a stream may be deleted, or restored, under a running server.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import structlog

from lienthong.exchange.repository import NumberingRepository
from lienthong.exchange.service.event_messages import publish_events, publish_numbered
from lienthong.exchange.service.event_register import StreamWentBackError
from lienthong.exchange.service.stream_mending import StreamMender
from lienthong.exchange.service.stream_view import StreamView
from lienthong.kit.bus import BusError, BusUnavailableError
from lienthong.kit.health import Condition, State

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence
    from datetime import datetime

    from lienthong.exchange.domain.messages import OutgoingEvent
    from lienthong.exchange.domain.numbering import Numbering
    from lienthong.exchange.models import Subscription
    from lienthong.exchange.service.event_register import EventRegister
    from lienthong.kit.bus import Bus, PublishAck, StreamSpec
    from lienthong.kit.clock import Clock
    from lienthong.kit.database import Database

_LOOK_EVERY_S: Final = 5.0
_LOOK_SOONER_S: Final = 0.2
_PATIENCE_S: Final = 2.0

_log = structlog.get_logger(__name__)


class EventStream:
    """The stream of events as the exchange knows it; `run` it in the background."""

    def __init__(
        self, database: Database, bus: Bus, register: EventRegister, spec: StreamSpec, clock: Clock
    ) -> None:
        self._database = database
        self._bus = bus
        self._view = StreamView(database, bus, clock, max_age=spec.max_age)
        self._mender = StreamMender(database, bus, register, spec, self._view)
        self._mending = False
        self._one_look = asyncio.Lock()
        self._numbering: Numbering | None = None
        self._looked_on = 0
        self._looks_begun = 0

    @property
    def generation(self) -> int | None:
        """How often the stream went back; None before the first look."""
        return self._numbering.generation if self._numbering is not None else None

    def condition(self) -> Condition:
        """Degraded from a loss on until the process is restarted: someone has to find out why."""
        if not self._mender.losses:
            return Condition(State.OK)
        reason = (
            f"the bus lost events {self._mender.losses} times since the start; "
            f"{self._mender.published_again} that were not acknowledged were published again"
        )
        return Condition(State.DEGRADED, reason)

    async def current(self) -> Numbering:
        """How the stream is numbered, after a look on this connection.

        Raises:
            BusUnavailableError: the bus does not answer, or the stream is being mended.
        """
        numbering = self._known()
        return numbering if numbering is not None else await self.look()

    async def look(self) -> Numbering:
        """Look whether the stream goes on; many callers share one look. When it does not, `run` mends it.

        Raises:
            BusUnavailableError: the bus does not answer, it takes longer than a caller should wait, or the
                stream has to be mended.
        """
        if self._mending:
            raise BusUnavailableError("the stream is being mended")
        begun = self._looks_begun
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self._one_look.acquire()
        except TimeoutError:
            raise BusUnavailableError("the stream is looked at") from None
        try:
            numbering = self._known()
            if numbering is not None and self._looks_begun > begun:
                # Meanwhile another caller has begun a look, and ended it.
                return numbering
            self._looks_begun += 1
            return await self._look()
        finally:
            self._one_look.release()

    async def mend(self) -> Numbering:
        """Look, and mend the stream when it does not go on: for the background, since it may take long.

        Raises:
            BusUnavailableError: the bus does not answer, or another process does it now.
        """
        async with self._one_look:
            self._looks_begun += 1
            return await self._look(self._mender)

    async def publish(self, event: OutgoingEvent, numbering: Numbering) -> PublishAck:
        """Put an event into the stream, unless it has it already, with a number.

        Raises:
            BusError: as `Bus.publish`; BusUnavailableError also while the bus takes it for a duplicate of a
                message that it no longer has.
            EventReusedError: the stream has another event under its message id.
        """
        return await publish_numbered(self._bus, event, numbering)

    async def demand_nothing_passed_over(
        self,
        subscription: Subscription,
        numbering: Numbering,
        after: int,
        through: int,
        but: Collection[str] = (),
    ) -> None:
        """Refuse to go on beyond an event that a subscription waits for and the stream has lost.

        Its number is beyond `after`, at most `through`; events with message ids in `but` are at hand.

        Raises:
            BusUnavailableError: there is one; `run` mends the stream.
        """
        if await self._view.missing(subscription, numbering, after, through, but) is not None:
            self.suspect()
            raise StreamWentBackError("the stream has lost an event among others")

    def dropped_before(self) -> datetime | None:
        """As `StreamView.dropped_before`."""
        return self._view.dropped_before()

    async def publish_together(self, events: Sequence[OutgoingEvent]) -> int:
        """Put events into the stream, all or none; returns the sequence of the first.

        Raises:
            BusNotTogetherError: they have to be published one by one: the stream may have one of them.
            BusError: as `Bus.publish_together`.
        """
        return await publish_events(self._bus, events)

    def still(self, numbering: Numbering) -> Callable[[], Awaitable[None]]:
        """A function that looks, and raises BusUnavailableError when another numbering holds."""

        async def demand() -> None:
            if (await self.look()).generation != numbering.generation:
                raise StreamWentBackError("the stream went back")

        return demand

    def suspect(self) -> None:
        """Something does not fit: look before anything else."""
        self._looked_on = 0

    async def run(self) -> None:
        """Look on every new connection, and from time to time, until cancelled."""
        while True:
            await self._bus.wait_connected()
            try:
                await self.mend()
            except BusError as error:
                _log.info("the stream of events cannot be looked at", error=str(error))
            except Exception:  # noqa: BLE001 - a database that is away comes back
                _log.exception("the stream of events cannot be looked at")
            waited = 0.0
            while waited < _LOOK_EVERY_S:
                await asyncio.sleep(_LOOK_SOONER_S)
                waited += _LOOK_SOONER_S
                if self._known() is None:
                    break

    def _known(self) -> Numbering | None:
        return self._numbering if self._looked_on == self._bus.connection_number else None

    async def _look(self, mender: StreamMender | None = None) -> Numbering:
        connection = self._bus.connection_number
        seen = await self._view.see()
        numbering = seen.numbering
        if seen.state is None or not seen.sound or await self._view.lost(numbering, 1):
            self.suspect()
            if mender is None:
                raise BusUnavailableError("the stream went back, and is going to be mended")
            self._mending = True
            try:
                numbering = await mender.mend()
            finally:
                self._mending = False
        elif seen.state.created != numbering.created:
            numbering = await self._note_created(numbering, seen.state.created)
        if connection != self._bus.connection_number:
            raise BusUnavailableError("the connection was lost")
        self._numbering, self._looked_on = numbering, connection
        return numbering

    async def _note_created(self, numbering: Numbering, created: str) -> Numbering:
        noted = replace(numbering, created=created)
        async with self._database.transaction() as session:
            repository = NumberingRepository(session)
            if (await repository.read("change")).generation != numbering.generation:
                raise StreamWentBackError("the stream went back")
            await repository.write(noted)
        return noted
