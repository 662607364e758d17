"""The journal's promises, on a bus that does what the test says: who waits for what, and under which ids."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING

import pytest

from lienthong.gateway.journal.batches import MAX_BATCH_BYTES, MAX_BATCH_RECORDS, Batch
from lienthong.gateway.journal.beside import Beside
from lienthong.gateway.journal.retained import Retained
from lienthong.gateway.journal.spool import Spool
from lienthong.gateway.journal.writer import AuditUnavailableError, JournalWriter
from lienthong.kit.bus import BusUnavailableError, PublishAck
from lienthong.kit.clock import SystemClock
from lienthong.kit.health import State
from tests.support.waiting import at_rest, eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path


class MemoryBus:
    """A bus in memory: it stores, or it fails, and sometimes it stores and fails."""

    def __init__(self) -> None:
        self.connected = True
        self.stored: list[Batch] = []
        self.attempts = 0
        self.acknowledges = True
        self.stores = True
        self.gate = asyncio.Event()
        self.gate.set()

    async def publish(
        self,
        subject: str,
        payload: bytes,
        *,
        message_id: str,
        headers: Mapping[str, str] | None = None,
        timeout: float = 2.0,  # noqa: ASYNC109  the port's own
    ) -> PublishAck:
        self.attempts += 1
        assert subject == "journal.gateway"
        await self.gate.wait()
        if self.stores:
            self.stored.append(Batch(message_id, int((headers or {})["Lgsp-Count"]), payload))
        if not self.acknowledges:
            raise BusUnavailableError("no answer")
        return PublishAck("JOURNAL", len(self.stored), duplicate=False)

    def records(self) -> list[bytes]:
        return [record for batch in self.stored for record in batch.payload.split(b"\n")]


@pytest.fixture
def bus() -> MemoryBus:
    return MemoryBus()


def new_journal(bus: MemoryBus, folder: Path, *, max_bytes: int = 10_000_000) -> JournalWriter:
    """A journal whose spool and retained files lie in `folder`."""
    numbers = count(len(list(folder.rglob("*.*"))) * 1000)

    def new_id() -> str:
        return f"{next(numbers):036d}"

    spool = Spool(folder / "spool", max_bytes=max_bytes, new_id=new_id)
    retained = Retained(folder / "retained", max_bytes=max_bytes, sealed_for=timedelta(days=1), new_id=new_id)
    clock = SystemClock()
    beside = Beside(retained, clock)
    return JournalWriter(bus, spool, retained, beside, new_id=new_id, publish_timeout=1.0, clock=clock)


@pytest.fixture
async def journal(bus: MemoryBus, tmp_path: Path) -> AsyncIterator[JournalWriter]:
    made = new_journal(bus, tmp_path)
    shipping = asyncio.create_task(made.run())
    yield made
    shipping.cancel()
    await asyncio.gather(shipping, return_exceptions=True)
    await made.close()


async def test_a_record_is_durable_when_the_write_returns(bus: MemoryBus, journal: JournalWriter) -> None:
    bus.gate.clear()
    writing = journal.write(b"a")
    await eventually(lambda: bus.attempts == 1)
    assert not writing.done()
    bus.gate.set()
    await writing
    assert bus.records() == [b"a"]


async def test_records_that_come_together_leave_together(bus: MemoryBus, journal: JournalWriter) -> None:
    await asyncio.gather(*(journal.write(b"%d" % number) for number in range(100)))
    assert bus.attempts == 1
    assert bus.records() == [b"%d" % number for number in range(100)]
    assert bus.stored[0].count == 100


async def test_batches_stay_within_their_limits(bus: MemoryBus, journal: JournalWriter) -> None:
    small, large = [b"s"] * 2000, [b"L" * 60_000] * 40
    await asyncio.gather(*(journal.write(record) for record in small + large))
    assert bus.records() == small + large
    assert all(batch.count <= MAX_BATCH_RECORDS for batch in bus.stored)
    assert all(len(batch.payload) <= MAX_BATCH_BYTES for batch in bus.stored)
    assert len({batch.id for batch in bus.stored}) == len(bus.stored)


async def test_while_a_batch_is_under_way_the_next_one_gathers(
    bus: MemoryBus, journal: JournalWriter
) -> None:
    bus.gate.clear()
    writing = [journal.write(b"0")]
    await eventually(lambda: bus.attempts == 1)
    for number in range(1, 50):
        writing.append(journal.write(b"%d" % number))
        # A turn of the loop for each: one that did not wait would be published by itself.
        await asyncio.sleep(0)
    assert bus.attempts == 1
    bus.gate.set()
    await asyncio.gather(*writing)
    assert bus.attempts == 2
    assert bus.records() == [b"%d" % number for number in range(50)]
    assert len(bus.stored) <= 5


async def test_what_was_stored_without_an_answer_is_shipped_under_the_same_id(
    bus: MemoryBus, journal: JournalWriter
) -> None:
    bus.acknowledges = False
    await journal.write(b"a")
    assert journal.spool_bytes > 0
    bus.acknowledges = True
    await eventually(lambda: journal.spool_bytes == 0)
    assert len({batch.id for batch in bus.stored}) == 1
    assert set(bus.stored) == {bus.stored[0]}


async def test_only_the_first_batch_waits_for_a_bus_that_does_not_answer(
    bus: MemoryBus, journal: JournalWriter
) -> None:
    bus.acknowledges = bus.stores = False
    await journal.write(b"first")
    attempts = bus.attempts
    bus.gate.clear()
    for number in range(20):
        async with asyncio.timeout(5):
            await journal.write(b"%d" % number)
    assert bus.attempts - attempts <= 1, "only the shipping of the spool tries"
    bus.acknowledges = bus.stores = True
    bus.gate.set()
    await eventually(lambda: journal.spool_bytes == 0)
    assert bus.records() == [b"first", *(b"%d" % number for number in range(20))]


async def test_after_the_bus_is_back_records_go_to_it_again(bus: MemoryBus, journal: JournalWriter) -> None:
    bus.acknowledges = bus.stores = False
    await journal.write(b"a")
    bus.acknowledges = bus.stores = True
    await eventually(lambda: journal.spool_bytes == 0)
    await journal.write(b"b")
    assert journal.spool_bytes == 0
    assert bus.records() == [b"a", b"b"]


async def test_a_caller_that_stops_waiting_does_not_take_its_neighbours_along(
    bus: MemoryBus, journal: JournalWriter
) -> None:
    bus.gate.clear()
    leaving, staying = (journal.write(record) for record in (b"a", b"b"))
    await eventually(lambda: bus.attempts == 1)
    leaving.cancel()
    bus.gate.set()
    await staying
    assert leaving.cancelled()
    assert bus.records() == [b"a", b"b"]


async def test_what_neither_takes_is_refused_kept_and_stored_later_once(
    bus: MemoryBus, journal: JournalWriter, tmp_path: Path
) -> None:
    (tmp_path / "spool").write_text("not a folder")
    bus.acknowledges = bus.stores = False
    with pytest.raises(AuditUnavailableError):
        await journal.write(b"a")
    assert not journal.available
    bus.acknowledges = bus.stores = True
    await eventually(lambda: journal.available)
    assert bus.records() == [b"a"]
    await journal.write(b"b")
    assert bus.records() == [b"a", b"b"]


async def test_a_damaged_frame_in_the_spool_costs_no_other_and_is_told(
    bus: MemoryBus, tmp_path: Path
) -> None:
    numbers = count()
    spool = Spool(tmp_path / "spool", max_bytes=10_000_000, new_id=lambda: f"{next(numbers):036d}")
    batches = [Batch(f"{number:036d}", 1, b"%03d" % number) for number in range(400)]
    spool.append(batches)
    spool.close()
    (left,) = (tmp_path / "spool").iterdir()
    content = bytearray(left.read_bytes())
    content[len(content) // 4 + 50] ^= 0x10  # in the frame with the number 100
    left.write_bytes(content)
    journal = new_journal(bus, tmp_path)
    shipping = asyncio.create_task(journal.run())
    await eventually(lambda: len(bus.stored) == 399 and not left.exists())
    assert [batch for batch in batches if batch not in bus.stored] == [batches[100]]
    assert [path.read_bytes() for path in (tmp_path / "spool").iterdir()] == [bytes(content)]
    assert journal.available
    assert (journal.condition().state, "1 damaged file" in str(journal.condition().reason)) == (
        State.DEGRADED,
        True,
    )
    shipping.cancel()
    await asyncio.gather(shipping, return_exceptions=True)
    await journal.close()


async def test_closing_waits_for_what_was_written(bus: MemoryBus, tmp_path: Path) -> None:
    journal = new_journal(bus, tmp_path, max_bytes=1000)
    bus.gate.clear()
    writing = journal.write(b"a")
    await eventually(lambda: bus.attempts == 1)

    async def close() -> None:
        await journal.close()

    closing = asyncio.create_task(close())
    await at_rest(closing)
    assert not closing.done()
    bus.gate.set()
    await asyncio.gather(writing, closing)
    assert bus.records() == [b"a"]


async def test_run_ends_when_it_is_cancelled_at_the_moment_a_batch_is_spooled(
    bus: MemoryBus, tmp_path: Path
) -> None:
    journal = new_journal(bus, tmp_path / "other")
    bus.acknowledges = False
    running = asyncio.create_task(journal.run())
    await eventually(lambda: journal._spooled._waiters, "it waits for what is spooled", every=0.001)
    await journal.write(b"a")
    running.cancel()
    done, _ = await asyncio.wait([running], timeout=5)
    assert done
    await journal.close()
