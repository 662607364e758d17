"""The journal as the ledger follows it: every message, in the order of the stream, once.

How far it is in the log stands in the log's own database and changes in the same transaction. The durable
consumer is made anew from there whenever following begins, so nothing that the bus forgot, repeated or was
not told of can change what the log holds: the same journal always gives the same log.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from lienthong.kit.backoff import Backoff
from lienthong.kit.bus import BusError, BusUnavailableError
from lienthong.kit.journal import STREAM, SUBJECTS
from lienthong.ledger import repository
from lienthong.ledger.errors import LedgerMismatchError, OutOfOrderError
from lienthong.ledger.integration import JournalMessage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lienthong.kit.bus import Bus, Delivery
    from lienthong.kit.database import Database
    from lienthong.ledger.integration import Integrator
    from lienthong.ledger.turn import Turn

DURABLE: Final = "ledger"

_WAIT = 5.0
_STANDBY = 1.0

_log = structlog.get_logger(__name__)


class JournalFollower:
    """Brings the journal's messages to the integrator; `run` it in the background."""

    def __init__(
        self, bus: Bus, database: Database, integrator: Integrator, turn: Turn, *, batch_messages: int = 32
    ) -> None:
        self._bus = bus
        self._database = database
        self._integrator = integrator
        self._turn = turn
        self._batch_messages = batch_messages
        self._lag: int | None = None

    async def run(self) -> None:
        """Follow for ever; ends only when what is stored is not the signed log any more.

        Raises:
            LedgerMismatchError: it is not.
        """
        backoff = Backoff(0.05, 2.0)
        while True:
            try:
                async with self._turn() as held:
                    if held:
                        await self._follow()
                        backoff.reset()
                        continue
                await asyncio.sleep(_STANDBY)
            except (BusError, SQLAlchemyError, OSError) as error:
                _log.warning("following the journal was interrupted", error=str(error))
                await backoff.pause()

    async def lag_known(self) -> bool:
        """Whether it is, or once was, known how many messages wait in the journal: a readiness check."""
        with contextlib.suppress(BusError):
            await self.lag()
        return self._lag is not None

    async def lag(self) -> int:
        """How many messages of the journal are not in the log yet.

        Raises:
            BusUnavailableError: the bus does not say.
        """
        stream = await self._stream()
        self._lag = await self._bus.last_sequence(STREAM) - await self._integrated(stream)
        return self._lag

    async def _follow(self) -> None:
        """Read from where the log is; returns when it has to begin again from there."""
        stream = await self._stream()
        after = await self._integrated(stream)
        await self._bus.delete_consumer(STREAM, DURABLE)
        consumer = await self._bus.consumer(STREAM, DURABLE, deliver_from=after + 1)
        _log.info("following the journal", after=after, stream=stream)
        try:
            while True:
                deliveries = await consumer.fetch(self._batch_messages, _WAIT)
                if not deliveries and await self._stream() != stream:
                    _log.error("the journal was replaced by another one", stream=stream)
                    return
                if deliveries and not await self._take(stream, deliveries):
                    return
        finally:
            await consumer.close()

    async def _take(self, stream: str, deliveries: Sequence[Delivery]) -> bool:
        """Integrate a batch, then acknowledge it; False when an earlier message has to come first."""
        messages = sorted(
            (JournalMessage(item.sequence, item.payload) for item in deliveries),
            key=lambda item: item.sequence,
        )
        try:
            done = await self._integrator.integrate(stream, messages)
        except OutOfOrderError as gap:
            if not await self._is_lost(gap):
                return False
            done = await self._integrator.integrate(stream, messages, missing_before=gap.found)
        _log.debug("integrated", size=done.head.size, added=done.added, known=done.known)
        # The log knows what it has: an acknowledgement that gets lost costs one delivery more.
        with contextlib.suppress(BusUnavailableError):
            await asyncio.gather(*(delivery.ack() for delivery in deliveries))
        return True

    async def _is_lost(self, gap: OutOfOrderError) -> bool:
        """Whether the journal itself has no message between the expected and the found one."""
        with self._bus.translated(f"stream {STREAM}"):
            following = await self._bus.jetstream().get_msg(
                STREAM, gap.expected, subject=SUBJECTS[0], next=True
            )
        return following.seq == gap.found

    async def _stream(self) -> str:
        """What tells this stream from another that once had or will have its name: when it was created."""
        with self._bus.translated(f"stream {STREAM}"):
            info = await self._bus.jetstream().stream_info(STREAM)
        return str(info.created)

    async def _integrated(self, stream: str) -> int:
        async with self._database.reading() as session:
            head = await repository.find_head(session)
        if head is None:
            raise LedgerMismatchError("the ledger's database has lost the head of the log")
        return head.after(stream)
