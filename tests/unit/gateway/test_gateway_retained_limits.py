"""What bounds the retained files: memory, room, time, and clocks that are wrong."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lienthong.gateway.journal import retained as retained_module
from lienthong.gateway.journal import segments
from lienthong.gateway.journal.batches import Batch
from lienthong.gateway.journal.claims import LedgerUnavailableError
from lienthong.gateway.journal.retained import Retained
from lienthong.gateway.journal.segments import Segment
from lienthong.gateway.journal.spool import Spool
from tests.support.waiting import eventually
from tests.unit.gateway.retaining import MemoryLedger, Node, later

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from lienthong.kit.clock import ManualClock


def waiting(node: Node) -> int:
    return sum(len(kept.pending) for kept in node.retained.kept)


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


async def sealed(node: Node) -> None:
    """All that was written is in the log, and its files are sealed."""
    node.ledger.read(node.bus, later(node, timedelta(minutes=11)))
    await node.release.round()
    assert node.files(".kept") == []


async def test_all_files_together_take_bounded_memory_while_the_ledger_is_away(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retained_module, "_MOST_PENDING", 30)
    node.ledger.away = True
    for _ in range(3):
        await node.write(30)
        later(node, timedelta(minutes=1))
        with pytest.raises(LedgerUnavailableError):
            await node.release.round()
    assert len(node.retained.kept) > 5
    assert waiting(node) == 30
    assert node.release.age() == timedelta(minutes=3)
    node.ledger.away = False
    await sealed(node)
    assert waiting(node) == 0
    assert node.release.republished == 0


async def test_few_files_are_open_when_little_is_written(node: Node) -> None:
    node.retained._segment_bytes = 100_000
    node.ledger.away = True
    for _ in range(12):
        await node.write(1)
        later(node, timedelta(minutes=11))
        with pytest.raises(LedgerUnavailableError):
            await node.release.round()
    assert len(node.retained.kept) <= 3


async def test_not_more_files_are_taken_over_than_may_be_open(
    node: Node, tmp_path: Path, ledger: MemoryLedger, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await node.write(80)
    node.die()
    assert len(node.files(".kept")) > 5
    monkeypatch.setattr(retained_module, "_MOST_FILES", 3)
    second = Node(tmp_path, ledger, clock, node.bus)
    oldest = node.files(".kept")[:3]
    ledger.away = True
    for _ in range(2):
        with pytest.raises(LedgerUnavailableError):
            await second.release.round()
        assert [kept.segment.path for kept in second.retained.kept] == oldest
    ledger.away = False
    ledger.read(node.bus, clock.now())
    for _ in range(4):
        await second.release.round()
    assert node.files(".kept") == []
    await second.journal.close()


async def test_a_day_longer_begins_when_the_ledger_has_sealed(node: Node) -> None:
    await node.write(40)
    later(node, timedelta(hours=30))
    await sealed(node)
    count = len(node.files(".sealed"))
    assert count > 2
    node.retained.make_room(node.clock.now())
    assert len(node.files(".sealed")) == count
    node.retained.make_room(later(node, timedelta(hours=25)))
    assert node.files(".sealed") == []


async def test_a_clock_that_is_set_forward_deletes_nothing(node: Node) -> None:
    await node.write(5)
    await sealed(node)
    node.clock.jump(timedelta(days=400))
    looked = asyncio.Event()
    make_room = node.retained.make_room

    def watched(now: datetime) -> None:
        make_room(now)
        loop.call_soon_threadsafe(looked.set)

    loop = asyncio.get_running_loop()
    node.retained.make_room = watched  # type: ignore[method-assign]
    running = asyncio.create_task(node.release.run())
    async with asyncio.timeout(10):
        await looked.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert len(node.files(".sealed")) == 1


async def test_without_a_checkpoint_file_what_was_sealed_is_asked_about_again(
    node: Node, tmp_path: Path, ledger: MemoryLedger, clock: ManualClock
) -> None:
    ids = await node.write(10)
    await sealed(node)
    # The disks of ledger and bus go back, and the file is gone.
    ledger.cut(4)
    node.seen.path.unlink()
    second = Node(tmp_path, ledger, clock, node.bus)
    for _ in range(3):
        await second.release.round()
        ledger.read(node.bus, later(second, timedelta(seconds=40)))
    assert set(ledger.ids) == set(ids)
    assert second.release.republished == 6
    await second.journal.close()


async def test_a_file_that_is_deleted_meanwhile_has_everything_asked_about_again(node: Node) -> None:
    ids = await node.write(6)
    node.ledger.read(node.bus, node.clock.now())
    await node.release.round()
    assert waiting(node) == 0
    node.ledger.cut(2)
    node.seen.path.unlink()
    for _ in range(3):
        await node.release.round()
        node.ledger.read(node.bus, later(node, timedelta(seconds=40)))
    assert set(node.ledger.ids) == set(ids)


async def test_one_batch_that_waits_holds_up_nothing_behind_it(node: Node) -> None:
    node.bus.forgets = True
    await node.write(1)
    node.bus.forgets = False
    await node.write(60)
    node.ledger.read(node.bus, None)
    # A second ledger on the same database never says how far the journal was read.
    for _ in range(2):
        later(node, timedelta(minutes=11))
        await node.release.round()
    assert waiting(node) == 1
    assert len(node.files(".kept")) == 1
    assert len(node.files(".sealed")) > 3


async def test_a_clock_that_was_ahead_for_a_while_holds_up_no_batch(node: Node) -> None:
    node.bus.forgets = True
    node.clock.jump(timedelta(days=365))
    lost = await node.write(2)
    node.clock.jump(timedelta(days=-365))
    node.bus.forgets = False
    for _ in range(3):
        await node.release.round()
        node.ledger.read(node.bus, later(node, timedelta(seconds=40)))
    assert set(node.ledger.ids) == set(lost)


async def test_a_bus_whose_clock_is_hours_ahead_gets_nothing_again_too_soon(node: Node) -> None:
    await node.write(1)
    node.bus.forgets = True
    for _ in range(60):
        node.ledger.read_through = later(node, timedelta(seconds=10)) + timedelta(hours=3)
        await node.release.round()
    # After half a minute, one, two and four.
    assert 3 <= node.release.republished <= 5


async def test_workers_share_the_room(tmp_path: Path, node: Node) -> None:
    shared = Retained(
        tmp_path / "shared", max_bytes=1_000, sealed_for=timedelta(1), new_id=node.new_id, workers=4
    )
    batches = [Batch(node.new_id(), 1, b"x" * 20) for _ in range(10)]
    for batch in batches:
        shared.write([batch], node.clock.now())
    assert len(shared.kept) == 10, "an eighth of what one of four workers may have is less than a batch"
    lock = os.open(tmp_path / "shared" / "room.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    shared.make_room(node.clock.now())
    assert shared.dropped == 0, "another worker makes room now"
    os.close(lock)
    shared.make_room(node.clock.now())
    assert shared.dropped > 0
    assert shared.size <= 1_000
    shared.close()


async def test_a_new_file_whose_folder_cannot_be_synced_is_not_left_open(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(folder: Path) -> None:
        raise OSError(errno.EIO, "Input/output error")

    await node.write(1)
    node.retained._end_current()
    before = open_files()
    with monkeypatch.context() as patched:
        patched.setattr(segments, "sync_folder", broken)
        for _ in range(5):
            await node.write(1)
            later(node, timedelta(seconds=2))
    assert node.beside.missed == 5
    assert len(node.files("")) == 1
    assert open_files() == before


async def test_files_before_one_that_cannot_be_opened_are_taken_over(
    node: Node, tmp_path: Path, ledger: MemoryLedger, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await node.write(40)
    node.die()
    files = node.files(".kept")
    adopt = Segment.adopt

    def some(path: Path) -> Segment | None:
        if path.name == files[2].name:
            raise OSError(errno.EMFILE, "Too many open files")
        return adopt(path)

    monkeypatch.setattr(Segment, "adopt", some)
    second = Node(tmp_path, ledger, clock, node.bus)
    with pytest.raises(OSError, match="Too many"):
        second.retained.adopt_orphans(clock.now())
    assert [kept.segment.path for kept in second.retained.kept] == files[:2]
    spool_folder = tmp_path / "orphans"
    spool_folder.mkdir()
    for file in files:
        (spool_folder / file.with_suffix(".spool").name).write_bytes(b"")
    files[2] = files[2].with_suffix(".spool")
    spool = Spool(spool_folder, max_bytes=1000, new_id=node.new_id)
    assert spool.adopt_orphans() == 2
    spool.close()
    await second.journal.close()


async def test_a_copy_that_was_damaged_after_it_was_looked_at_is_told_and_kept(node: Node) -> None:
    node.bus.forgets = True
    await node.write(3)
    await node.release.round()
    (file,) = node.files(".kept")
    with file.open("r+b") as content:
        content.seek(-5, os.SEEK_END)
        content.write(b"\0")
    node.ledger.read_through = later(node, timedelta(seconds=40))
    await node.release.round()
    assert node.release.republished == 2
    assert len(node.files(".damaged")) == 1
    assert "damaged files" in str(node.release.condition().reason)


async def test_one_batch_is_read_to_publish_it_again_and_not_what_follows(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    node.bus.forgets = True
    await node.write(5)
    await node.release.round()
    (file,) = node.files(".kept")
    read: list[int] = []
    pread = os.pread

    def counted(descriptor: int, most: int, offset: int, /) -> bytes:
        found = pread(descriptor, most, offset)
        read.append(len(found))
        return found

    node.ledger.read_through = later(node, timedelta(seconds=40))
    with monkeypatch.context() as patched:
        patched.setattr(os, "pread", counted)
        await node.release.round()
    assert node.release.republished == 5
    assert sum(read) == file.stat().st_size


async def test_a_slow_disk_is_waited_for_once(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    write = node.retained.write

    def slow(batches: Sequence[Batch], now: datetime) -> None:
        write(batches, now)
        node.clock.advance(0.3)

    await node.write(1)
    node.beside._hangs = True
    node.beside._tell("the disk hangs")
    ticket: Any = node.beside.put(Batch(node.new_id(), 1, b"{}"))
    with monkeypatch.context() as patched:
        patched.setattr(node.retained, "write", slow)
        await eventually(ticket.is_done)
        second: Any = node.beside.put(Batch(node.new_id(), 1, b"{}"))
        await eventually(second.is_done)
        assert node.beside._hangs
        assert node.beside.failure == "the disk hangs"
    for _ in range(2):
        await node.write(1)
    await eventually(lambda: not node.beside._hangs)
    assert node.beside.failure is None
