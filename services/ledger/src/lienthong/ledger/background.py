"""The consumer of the journal: brings every message to the log, in the order of the stream.

How much of the journal is in the log is stored in the log's own database and changes in the same
transaction. Whenever following begins, the durable consumer is created again from that point. So nothing
that the bus lost, repeated or was not told can change the log: the same journal always gives the same log.
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
from lienthong.ledger.errors import OutOfOrderError
from lienthong.ledger.events import DURABLE, JournalMessage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lienthong.kit.bus import Bus, Delivery
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
        self, bus: Bus, integrator: Integrator, writer_lock: WriterLock, *, batch_messages: int = 32
    ) -> None:
        self._bus = bus
        self._integrator = integrator
        self._writer_lock = writer_lock
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
        self._lag = state.last_sequence - await self._integrator.last_integrated(state.created)
        return self._lag

    async def _follow(self) -> None:
        """Consume from where the log is; returns when the consumer has to be created again."""
        stream = (await self._bus.stream_state(STREAM)).created
        last = await self._integrator.last_integrated(stream)
        await self._bus.delete_consumer(STREAM, DURABLE)
        consumer = await self._bus.consumer(STREAM, DURABLE, deliver_from=last + 1)
        _log.info("following the journal", after=last, stream=stream)
        try:
            while True:
                deliveries = await consumer.fetch(self._batch_messages, _WAIT)
                if not deliveries and (await self._bus.stream_state(STREAM)).created != stream:
                    _log.error("the journal was replaced by another one", stream=stream)
                    return
                if deliveries and not await self._integrate(stream, deliveries):
                    return
        finally:
            await consumer.close()

    async def _integrate(self, stream: str, deliveries: Sequence[Delivery]) -> bool:
        """Integrate a batch, then acknowledge it; False when an earlier message has to come first."""
        messages = sorted(
            (JournalMessage(item.sequence, item.payload) for item in deliveries),
            key=lambda item: item.sequence,
        )
        try:
            done = await self._integrator.integrate(stream, messages)
        except OutOfOrderError as gap:
            if await self._bus.next_sequence(STREAM, gap.expected) != gap.found:
                return False
            # The journal itself has no message between the two.
            done = await self._integrator.integrate(stream, messages, missing_before=gap.found)
        _log.debug("integrated", size=done.head.size, added=done.added, known=done.known)
        # The log knows what it contains: a lost acknowledgement only costs another delivery.
        with contextlib.suppress(BusUnavailableError):
            await asyncio.gather(*(delivery.ack() for delivery in deliveries))
        return True
