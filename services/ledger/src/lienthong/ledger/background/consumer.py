"""The consumer of the journal: brings every message to the log, in the order of the stream.

How much of the journal is in the log is stored in the log's own database and changes in the same
transaction. Whenever following begins, the durable consumer is created again from that point. So nothing
that the bus lost, repeated or was not told can change the log: the same journal always gives the same log.
A journal that is not any more what it was is read from its first message: numbers alone prove nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.exc import SQLAlchemyError

from lienthong.kit.backoff import Backoff
from lienthong.kit.bus import BusError, BusUnavailableError
from lienthong.kit.journal import STREAM
from lienthong.kit.metrics.instruments import LEDGER_LAG
from lienthong.ledger.background.messages import message_at, message_of
from lienthong.ledger.domain.journal_place import JournalPlace, PlaceState
from lienthong.ledger.errors import JournalChangedError, OutOfOrderError
from lienthong.ledger.events import DURABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lienthong.kit.bus import Bus, Delivery, StreamSpec, StreamState
    from lienthong.kit.clock import Clock
    from lienthong.kit.metrics.figures import Figures
    from lienthong.kit.metrics.instruments import Instrument
    from lienthong.ledger.service.integrator import Integrator
    from lienthong.ledger.service.writer_lock import WriterLock

_WAIT = 5.0
_STANDBY = 1.0

_log = structlog.get_logger(__name__)


class JournalConsumer:
    """Brings the journal's messages to the integrator; `run` it in the background."""

    def __init__(
        self,
        bus: Bus,
        integrator: Integrator,
        writer_lock: WriterLock,
        clock: Clock,
        journal: StreamSpec,
        *,
        batch_messages: int = 32,
    ) -> None:
        self._bus = bus
        self._integrator = integrator
        self._writer_lock = writer_lock
        self._clock = clock
        self._journal = journal
        self._batch_messages = batch_messages
        self._lag: int | None = None

    async def run(self) -> None:
        """Consume until cancelled.

        Raises:
            LedgerMismatchError: the database does not hold the signed log any more.
        """
        backoff = Backoff(0.05, 2.0)
        while True:
            try:
                async with self._writer_lock() as held:
                    if held:
                        await self._follow()
                        backoff.reset()
                        continue
                await asyncio.sleep(_STANDBY)
            except (BusError, SQLAlchemyError, OSError) as error:
                _log.warning("following the journal was interrupted", error=str(error))
                await backoff.pause()

    def show(self, figures: Figures) -> None:
        """Show how far the log is behind the journal."""

        async def measure() -> dict[Instrument, float | None]:
            return {LEDGER_LAG: await self.lag()}

        figures.ask(LEDGER_LAG, about=measure)

    async def lag_known(self) -> bool:
        """Whether it is known, or was once, how many messages wait in the journal: a readiness check."""
        with contextlib.suppress(BusError):
            await self.lag()
        return self._lag is not None

    async def lag(self) -> int:
        """How many messages of the journal are not in the log yet.

        Raises:
            BusUnavailableError: the bus does not answer.
        """
        state = await self._bus.stream_state(STREAM)
        last = (await self._integrator.position()).last_sequence_of(state.created)
        # Below zero it has gone back to an earlier state: `_follow` will see.
        self._lag = max(state.last_sequence - last, 0)
        return self._lag

    async def place(self) -> JournalPlace:
        """Compare the ledger's place in the journal with the journal, without changing anything.

        Raises:
            LedgerMismatchError: the database has no tree head.
        """
        head = await self._integrator.position()
        stream, sequence = head.journal_stream, head.journal_sequence
        if not stream:
            return JournalPlace(PlaceState.EMPTY, stream, sequence)
        try:
            state = await self._bus.stream_state(STREAM)
            there = await message_at(self._bus, sequence) if sequence else None
        except BusError as error:
            _log.info("the journal cannot be looked at", error=str(error))
            return JournalPlace(PlaceState.UNKNOWN, stream, sequence)
        if state.created != stream:
            said = PlaceState.REPLACED
        elif state.last_sequence < sequence:
            said = PlaceState.SHORTER
        elif there is None or head.journal_mark is None:
            said = PlaceState.AGED_OUT
        else:
            integrated = await self._integrator.has(there)
            said = (
                PlaceState.OTHER_MESSAGE
                if there.mark != head.journal_mark
                else PlaceState.AGREES
                if integrated
                else PlaceState.NOT_INTEGRATED
            )
        return JournalPlace(said, stream, sequence, state.created, state.last_sequence)

    async def _follow(self) -> None:
        """Consume from where the log is; returns when the consumer has to be created again."""
        if await self._bus.find_stream(STREAM) is None:
            # Deleted on a server that runs on: no new connection makes it again.
            _log.error("there is no journal: it is made")
            await self._bus.ensure_stream(self._journal)
        state = await self._bus.stream_state(STREAM)
        stream = state.created
        await self._compare(state)
        last = (await self._integrator.position()).last_sequence_of(stream)
        await self._bus.delete_consumer(STREAM, DURABLE)
        consumer = await self._bus.consumer(STREAM, DURABLE, deliver_from=last + 1)
        _log.info("following the journal", after=last, stream=stream)
        try:
            while True:
                deliveries = await consumer.fetch(self._batch_messages, _WAIT)
                if not deliveries and not await self._still(stream):
                    return
                if deliveries and not await self._integrate(stream, deliveries):
                    return
        except JournalChangedError as error:
            await self._integrator.begin_again(str(error))
        finally:
            await consumer.close()

    async def _still(self, stream: str) -> bool:
        """Whether the journal, which has nothing new, is the one that was followed."""
        began = self._clock.now()
        state = await self._bus.stream_state(STREAM)
        if state.created != stream:
            _log.error("the journal was replaced by another one", stream=stream)
            return False
        if not await self._compare(state):
            return False
        head = await self._integrator.position()
        if state.last_sequence <= head.last_sequence_of(stream):
            await self._integrator.note_read_through(head, began)
        return True

    async def _compare(self, state: StreamState) -> bool:
        """Whether the journal still has what is in the log; if not it will be read from its first message.

        A journal that was rolled back, or cut off, gives numbers again that it has given already.
        """
        head = await self._integrator.position()
        if head.last_sequence_of(state.created) == 0:
            return True
        if state.last_sequence < head.journal_sequence:
            why = f"its last message is {state.last_sequence}, and {head.journal_sequence} is in the log"
            await self._integrator.begin_again(why)
            return False
        there = await message_at(self._bus, head.journal_sequence)
        # Messages that aged out are gone: that is no other history.
        if there is None or head.journal_mark is None:
            return True
        if there.mark != head.journal_mark:
            await self._integrator.begin_again(f"its message {head.journal_sequence} is another one")
            return False
        return True

    async def _integrate(self, stream: str, deliveries: Sequence[Delivery]) -> bool:
        """Integrate a batch, then acknowledge it; False when an earlier message has to come first."""
        messages = sorted(
            (message_of(item.sequence, item) for item in deliveries), key=lambda item: item.sequence
        )
        read_through = max(item.stored_at for item in deliveries)
        missing_before: set[int] = set()
        while True:
            try:
                done = await self._integrator.integrate(
                    stream, messages, missing_before=missing_before, read_through=read_through
                )
                break
            except OutOfOrderError as gap:
                if await self._bus.next_sequence(STREAM, gap.expected) != gap.found:
                    return False
                # The journal itself has no message between the two.
                missing_before.add(gap.found)
        _log.debug("integrated", size=done.head.size, added=done.added, known=done.known)
        # The log knows what it contains: a lost acknowledgement only costs another delivery.
        with contextlib.suppress(BusUnavailableError):
            await asyncio.gather(*(delivery.ack() for delivery in deliveries))
        return True
