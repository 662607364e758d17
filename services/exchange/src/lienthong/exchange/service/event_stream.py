"""Notices that the bus has lost the stream of events, or has an older copy of it, and mends that.

What was seen last is in the database: the newest recorded event, and how the stream's sequences are
numbered. The stream goes on when it still has that event at its place. If not, it went back: the numbering
gets a new generation (`domain.numbering`), and the kept events that the stream lacks are published again, in
their order.

Every connection begins with that look, for the server behind it may have another store; until it is over, and
until all is published again, nothing is published, recorded or delivered. While a connection lasts it is
repeated: a stream may be deleted, or restored, under a running server.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import structlog

from lienthong.exchange.domain.messages import AcceptedMessage, OutgoingEvent
from lienthong.exchange.events import FINGERPRINT_HEADER, STREAM, subject_of
from lienthong.exchange.repository import (
    AcceptedEventRepository,
    AcknowledgementRepository,
    KeptEventRepository,
    NumberingRepository,
    SubscriptionRepository,
)
from lienthong.exchange.service.event_register import StreamWentBackError
from lienthong.kit.bus import MESSAGE_ID, BusError, BusRefusedError, BusUnavailableError
from lienthong.kit.health import Condition, State

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from lienthong.exchange.domain.numbering import Numbering
    from lienthong.exchange.models import KeptEvent
    from lienthong.exchange.service.event_register import EventRegister
    from lienthong.kit.bus import Bus, PublishAck, StreamSpec, StreamState
    from lienthong.kit.database import Database

_LOOK_EVERY_S: Final = 5.0
_LOOK_SOONER_S: Final = 0.2
_PATIENCE_S: Final = 2.0
_BETWEEN_TWO_LOOKS_S: Final = 0.2
_BATCH: Final = 100

_HEADERS: Final = {"content-type": "application/cloudevents+json"}

_log = structlog.get_logger(__name__)


class EventReusedError(Exception):
    """The stream has another event under this message id."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is recorded (`newest`: number and message id of the newest event), and the stream after that.

    In this order: what others publish and record meanwhile is in the stream, and not a loss.
    """

    numbering: Numbering
    newest: tuple[int, str] | None
    state: StreamState | None
    goes_on: bool


class EventStream:
    """The stream of events as the exchange knows it; `run` it in the background."""

    def __init__(self, database: Database, bus: Bus, register: EventRegister, spec: StreamSpec) -> None:
        self._database = database
        self._bus = bus
        self._register = register
        self._spec = spec
        self._one_look = asyncio.Lock()
        self._numbering: Numbering | None = None
        self._looked_on = 0
        self._looks_begun = 0
        self._went_back = 0
        self.published_again = 0
        """How many events this process has published again."""

    @property
    def generation(self) -> int | None:
        """How often the stream went back; None before the first look."""
        return self._numbering.generation if self._numbering is not None else None

    def condition(self) -> Condition:
        """Degraded from a loss on until the process is restarted: someone has to find out why."""
        if not self._went_back:
            return Condition(State.OK)
        reason = (
            f"the bus lost events {self._went_back} times since the start; "
            f"{self.published_again} that were not acknowledged were published again"
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
        """Look whether the stream goes on, and mend it when it does not; many callers share one look.

        Raises:
            BusUnavailableError: the bus does not answer, or it takes longer than a caller should wait.
        """
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

    async def publish(self, event: OutgoingEvent) -> PublishAck:
        """Put an event into the stream, unless it has it already.

        Raises:
            BusError: as `Bus.publish`; BusUnavailableError also while the bus takes it for a duplicate of a
                message that it no longer has.
            EventReusedError: the stream has another event under its message id.
        """
        ack = await self._bus.publish(
            subject_of(event.event_type),
            event.payload,
            message_id=event.message_id,
            headers={**_HEADERS, FINGERPRINT_HEADER: event.fingerprint},
        )
        if ack.duplicate:
            stored = await self._bus.message(STREAM, ack.sequence)
            if stored is None or stored.headers.get(MESSAGE_ID) != event.message_id:
                raise BusUnavailableError("the bus no longer has what it takes this for a duplicate of")
            if stored.headers.get(FINGERPRINT_HEADER) != event.fingerprint:
                raise EventReusedError(event.message_id)
        return ack

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
                await self.look()
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

    async def _look(self) -> Numbering:
        connection = self._bus.connection_number
        seen = await self._see()
        numbering = seen.numbering
        if seen.state is None or not seen.goes_on or await self._lost(numbering, 1):
            self.suspect()
            numbering = await self._mend()
        elif seen.state.created != numbering.created:
            numbering = await self._note_created(numbering, seen.state.created)
        if connection != self._bus.connection_number:
            raise BusUnavailableError("the connection was lost")
        self._numbering, self._looked_on = numbering, connection
        return numbering

    async def _see(self) -> _Seen:
        """Compare the stream with what is recorded."""
        numbering, newest = await self._recorded()
        state = await self._bus.find_stream(STREAM)
        goes_on = state is not None and await self._goes_on(state, numbering, newest)
        return _Seen(numbering, newest, state, goes_on)

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
            # Dropped in time, as the retention says; or it never was in a stream that was made anew.
            return numbering.created in {"", state.created}
        return message.headers.get(MESSAGE_ID) == message_id

    async def _lost(self, numbering: Numbering, most: int) -> list[KeptEvent]:
        """The first kept events that the stream does not have."""
        lost = numbering.lost()
        if not lost:
            return []
        async with self._database.reading() as session:
            return list(await KeptEventRepository(session).within(lost, most))

    async def _note_created(self, numbering: Numbering, created: str) -> Numbering:
        noted = replace(numbering, created=created)
        async with self._database.transaction() as session:
            repository = NumberingRepository(session)
            if (await repository.read("change")).generation != numbering.generation:
                raise StreamWentBackError("the stream went back")
            await repository.write(noted)
        return noted

    async def _mend(self) -> Numbering:
        """One process at a time finds out where the stream went back to, and publishes what it lacks.

        Raises:
            BusUnavailableError: the bus does not answer, or another process does it now.
        """
        async with self._database.exclusive("event stream") as mine:
            if not mine:
                raise BusUnavailableError("another process mends the stream")
            if await self._bus.find_stream(STREAM) is None:
                await self._make_stream()
            numbering = await self._begin_again_when_it_went_back()
            await self._publish_again(numbering)
        return numbering

    async def _make_stream(self) -> None:
        try:
            await self._bus.ensure_stream(self._spec)
        except BusRefusedError as error:
            raise BusUnavailableError(str(error)) from error

    async def _begin_again_when_it_went_back(self) -> Numbering:
        """The numbering, a new one when two looks, a moment apart, say that the stream went back.

        Raises:
            BusUnavailableError: there is no stream, or the looks do not agree.
        """
        first = await self._see()
        if first.goes_on:
            return first.numbering
        await asyncio.sleep(_BETWEEN_TWO_LOOKS_S)
        seen = await self._see()
        if seen.goes_on:
            return seen.numbering
        if seen.state is None:
            raise BusUnavailableError("there is no stream of events")
        return await self._begin_again(seen.state, seen.numbering, seen.newest)

    async def _begin_again(
        self, state: StreamState, numbering: Numbering, newest: tuple[int, str] | None
    ) -> Numbering:
        through = 0
        if newest is not None:
            last = min(state.last_sequence, numbering.sequence_from(newest[0]))
            through = await self._common_through(numbering, last)
        async with self._database.transaction() as session:
            highest = max(
                await AcceptedEventRepository(session).highest(),
                await AcknowledgementRepository(session).highest(),
                numbering.spans[-1].first_number,
            )
            again = numbering.went_back(through, highest, state.created)
            await NumberingRepository(session).write(again)
            await SubscriptionRepository(session).resume_all()
        self._went_back += 1
        _log.error(
            "the bus lost events: its store was lost or replaced by an older copy",
            stream=STREAM,
            recorded_through=newest[0] if newest is not None else 0,
            present_through=through,
            generation=again.generation,
        )
        return again

    async def _common_through(self, numbering: Numbering, last: int) -> int:
        """The sequence up to which stream and index agree: found by halving, a look at both for each step."""
        low, high = 0, last
        while low < high:
            middle = (low + high + 1) // 2
            if await self._agree(numbering, middle):
                low = middle
            else:
                high = middle - 1
        return low

    async def _agree(self, numbering: Numbering, sequence: int) -> bool:
        """Whether the stream has what is recorded; what either of them does not know contradicts nothing."""
        number = numbering.number_of(sequence)
        async with self._database.reading() as session:
            recorded = (await AcceptedEventRepository(session).at([number])).get(number)
        message = await self._bus.message(STREAM, sequence)
        return recorded is None or message is None or message.headers.get(MESSAGE_ID) == recorded

    async def _publish_again(self, numbering: Numbering) -> None:
        """Publish the kept events that the stream lacks, oldest first; each batch is recorded at once."""
        published = 0
        while batch := await self._lost(numbering, _BATCH):
            stored = [await self._publish_kept(event) for event in batch]
            await self._register.record(numbering, stored)
            published += len(batch)
            self.published_again += len(batch)
        if published:
            _log.warning("events that the bus had lost were published again", events=published)

    async def _publish_kept(self, event: KeptEvent) -> AcceptedMessage:
        content = (event.event_type, event.message_id, event.fingerprint, event.payload)
        ack = await self.publish(OutgoingEvent(*content))
        return AcceptedMessage(ack.sequence, *content)
