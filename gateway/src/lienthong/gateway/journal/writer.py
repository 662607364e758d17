"""Group commit: every call waits until its record is durable, and many records become durable together.

Records that come while a batch is being stored are collected for the next one: two batches at once would be
half as large, and cost more than they save. A batch is one acknowledged publish on the bus, and is written to
this machine's disk meanwhile (`beside`). Without an acknowledgement it goes, under the same ids, to the
spool, and is published from there later. As long as the bus is known to be away, batches go to the spool at
once, so that no call waits for a time-out. What neither takes stays in memory and is tried again, and until
it is stored `available` is False.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Protocol

import structlog

from lienthong.gateway.journal.batches import MAX_BATCH_BYTES, MAX_BATCH_RECORDS, Batch
from lienthong.gateway.journal.segments import DAMAGED
from lienthong.gateway.journal.spool import SpoolUnavailableError
from lienthong.kit.backoff import Backoff
from lienthong.kit.bus import BusError
from lienthong.kit.health import Condition, State
from lienthong.kit.metrics.durations import Durations
from lienthong.kit.metrics.instruments import JOURNAL_DURATION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from lienthong.gateway.journal.beside import Beside
    from lienthong.gateway.journal.retained import Retained
    from lienthong.gateway.journal.segments import Segment
    from lienthong.gateway.journal.spool import Spool
    from lienthong.kit.bus import PublishAck
    from lienthong.kit.clock import Clock
    from lienthong.kit.ids import NewId

SUBJECT = "journal.gateway"
COUNT_HEADER = "Lgsp-Count"
BUS, SPOOL = "bus", "spool"
_ADOPT_EVERY_S = 5.0
_RETRY_EVERY_S = 0.1
_READ_TOGETHER = 8
"""Batches of a spool file that are in memory at a time."""

_log = structlog.get_logger(__name__)


class JournalBus(Protocol):
    """The part of `lienthong.kit.bus.Bus` that records are published with."""

    @property
    def connected(self) -> bool:
        """Whether there is a connection to a server now."""
        ...

    async def publish(
        self,
        subject: str,
        payload: bytes,
        *,
        message_id: str,
        headers: Mapping[str, str] | None = None,
        timeout: float = 2.0,  # noqa: ASYNC109  as the bus has it
    ) -> PublishAck:
        """Publish and wait for the acknowledgement.

        Raises:
            BusError: there was none.
        """
        ...


class AuditUnavailableError(Exception):
    """The record could not be made durable, neither on the bus nor in the spool."""


class JournalWriter:
    """Makes records durable, in batches.

    `run` publishes what is in the spool and has to run beside `write`; `close` makes everything durable that
    was written. `publish_timeout` is in seconds.
    """

    def __init__(
        self,
        bus: JournalBus,
        spool: Spool,
        retained: Retained,
        beside: Beside,
        *,
        new_id: NewId,
        publish_timeout: float,
        clock: Clock,
    ) -> None:
        # To ask which one is running is a system call: Python looks whether the process was forked.
        self._loop = asyncio.get_running_loop()
        self._bus = bus
        self._spool = spool
        self._retained = retained
        self._clock = clock
        self._beside = beside
        self._new_id = new_id
        self._publish_timeout = publish_timeout
        # One thread: the spool is used by one task at a time.
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="spool")
        self._records: list[bytes] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._in_flight: asyncio.Task[None] | None = None
        self._scheduled = False
        self._bus_works = True
        self._spooled = asyncio.Event()
        self._unstored: list[Batch] = []
        self._retrying: asyncio.Task[None] | None = None
        self._being_stored = 0
        self.written = {BUS: 0, SPOOL: 0}
        """How many records became durable, by what took them first."""
        self.durations: Durations[str] = Durations(
            JOURNAL_DURATION, lambda where: {"lienthong.destination": where}
        )
        """How long batches took to become durable."""
        self._took = {where: self.durations.series(where) for where in self.written}

    @property
    def waiting(self) -> int:
        """How many records are not durable yet."""
        return len(self._records) + self._being_stored + sum(batch.count for batch in list(self._unstored))

    @property
    def available(self) -> bool:
        """False while records wait that neither the bus nor the spool takes."""
        return not self._unstored

    def condition(self) -> Condition:
        """How well records are made durable, for the readiness check."""
        if not self.available:
            return Condition(State.FAILED, "records wait that neither the bus nor the spool takes")
        if (damaged := self._spool.damaged) > 0:
            return Condition(
                State.DEGRADED,
                f"{damaged} damaged files of the spool are kept aside (*{DAMAGED}): records in them may be"
                " missing in the ledger",
            )
        return Condition(State.OK)

    @property
    def spool_bytes(self) -> int:
        """Size of the spool in bytes."""
        return self._spool.size

    def write(self, record: bytes) -> asyncio.Future[None]:
        """Take a record; the future is done when it is durable.

        Raises:
            AuditUnavailableError: (the future) it is not durable. It is kept, and stored if the bus or the
                spool comes back while this process lives.
        """
        durable: asyncio.Future[None] = self._loop.create_future()
        self._records.append(record)
        self._waiting.append(durable)
        if self._in_flight is None and not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._send_next)
        return durable

    async def run(self) -> None:
        """Publish what is in the spool, oldest first, until cancelled."""
        backoff = Backoff()
        while True:
            self._spooled.clear()
            await self._on_disk(self._spool.adopt_orphans)
            while (segment := await self._on_disk(self._spool.oldest)) is not None:
                try:
                    await self._ship(segment)
                except (BusError, OSError) as error:
                    _log.debug("spool not published", error=str(error), bytes=self._spool.size)
                    await backoff.pause()
                else:
                    backoff.reset()
            # Not wait_for: before Python 3.12 it swallows a cancellation that comes as the event is set.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_ADOPT_EVERY_S):
                    await self._spooled.wait()

    async def close(self) -> None:
        """Wait until everything written is stored, or cannot be; `run` must have ended before."""
        while self._in_flight is not None or self._records:
            await (asyncio.sleep(0) if self._in_flight is None else asyncio.wait([self._in_flight]))
        if self._retrying is not None:
            self._retrying.cancel()
            await asyncio.gather(self._retrying, return_exceptions=True)
            _log.error("audit records are lost", batches=[batch.id for batch in self._unstored])
        await self._on_disk(self._spool.close)
        self._disk.shutdown()
        await asyncio.to_thread(self._beside.close)

    def _send_next(self) -> None:
        self._scheduled = False
        self._in_flight = asyncio.create_task(self._store(*self._next_batch()))
        self._in_flight.add_done_callback(self._sent)

    def _sent(self, _: asyncio.Task[None]) -> None:
        self._in_flight = None
        if self._records:
            self._send_next()

    def _next_batch(self) -> tuple[Batch, list[asyncio.Future[None]]]:
        records, waiting = self._records, self._waiting
        count = _fitting(records)
        if count == len(records):
            self._records, self._waiting = [], []
        else:
            self._records, self._waiting = records[count:], waiting[count:]
            records, waiting = records[:count], waiting[:count]
        return Batch(self._new_id(), count, b"\n".join(records)), waiting

    async def _store(self, batch: Batch, waiting: list[asyncio.Future[None]]) -> None:
        problem, where = None, BUS
        began, self._being_stored = time.monotonic(), batch.count
        ticket = self._beside.put(batch) if self._bus_works else None
        if self._bus_works and await self._publish(batch):
            await self._beside.written(ticket)
        else:
            problem, where = await self._put_in_spool(batch), SPOOL
        self._being_stored = 0
        if problem is None:
            self.written[where] += batch.count
            self._took[where].record(time.monotonic() - began)
        else:
            _log.error("audit records are not durable", error=str(problem), records=batch.count)
            self._unstored.append(batch)
            if self._retrying is None:
                self._retrying = asyncio.create_task(self._retry_unstored())
        for durable in waiting:
            if not durable.done():
                if problem is None:
                    durable.set_result(None)
                else:
                    durable.set_exception(AuditUnavailableError(str(problem)))

    async def _publish(self, batch: Batch) -> bool:
        try:
            await self._publish_or_raise(batch)
        except BusError as error:
            if self._bus_works:
                self._bus_works = False
                _log.warning("bus does not take audit records, spooling", error=str(error))
            return False
        return True

    async def publish_again(self, batch: Batch) -> None:
        """Publish a batch that was lost on the way, under a new id: the bus may take it for a duplicate.

        Raises:
            BusError: the bus does not take it.
        """
        await self._publish_or_raise(batch, self._new_id())

    async def _publish_or_raise(self, batch: Batch, message_id: str | None = None) -> None:
        await self._bus.publish(
            SUBJECT,
            batch.payload,
            message_id=message_id or batch.id,
            headers={COUNT_HEADER: str(batch.count)},
            timeout=self._publish_timeout,
        )

    async def _put_in_spool(self, batch: Batch) -> SpoolUnavailableError | None:
        try:
            await self._on_disk(lambda: self._spool.append([batch]))
        except SpoolUnavailableError as error:
            return error
        self._spooled.set()
        return None

    async def _ship(self, segment: Segment) -> None:
        found = segment.scan()
        while part := await self._on_disk(lambda: list(islice(found, _READ_TOGETHER))):
            for _, item in part:
                if isinstance(item, Batch):
                    await self._publish_or_raise(item)
                    self._bus_is_back()
                else:
                    await self._on_disk(partial(self._spool.note_damage, segment, item))
        await self._on_disk(lambda: self._retain(self._spool.shipped(segment)))

    def _retain(self, segment: Segment) -> None:
        """Keep a file of the spool, whose batches the bus has acknowledged, until the ledger has them."""
        try:
            self._retained.take(segment, self._clock.now())
        except OSError as error:
            _log.error("records from the spool are not retained", file=segment.path.name, error=str(error))
            segment.remove()

    def _bus_is_back(self) -> None:
        if not self._bus_works:
            self._bus_works = True
            _log.info("bus takes audit records again")

    async def _retry_unstored(self) -> None:
        while self._unstored:
            await asyncio.sleep(_RETRY_EVERY_S)
            batch, where = self._unstored[0], BUS
            if self._bus.connected and await self._publish(batch):
                await self._beside.written(self._beside.put(batch))
                self._bus_is_back()
            elif await self._put_in_spool(batch) is None:
                where = SPOOL
            else:
                continue
            self._unstored.pop(0)
            self.written[where] += batch.count
        self._retrying = None
        _log.info("audit records are durable again")

    async def _on_disk(self, work: Callable[[], Any]) -> Any:  # noqa: ANN401  whatever the work returns
        return await asyncio.get_running_loop().run_in_executor(self._disk, work)


def _fitting(records: list[bytes]) -> int:
    """How many of the first records fit into one batch; at least one."""
    if len(records) <= MAX_BATCH_RECORDS and sum(map(len, records)) + len(records) <= MAX_BATCH_BYTES:
        return len(records)
    size = 0
    for count, record in enumerate(records[:MAX_BATCH_RECORDS]):
        size += len(record) + 1
        if size > MAX_BATCH_BYTES and count:
            return count
    return min(len(records), MAX_BATCH_RECORDS)
