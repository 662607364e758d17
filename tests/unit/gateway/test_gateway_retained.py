"""What a gateway acknowledged is kept until the ledger has sealed it, and comes again when it was lost."""

from __future__ import annotations

import asyncio
import errno
import struct
import threading
import zlib
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from lienthong.gateway.journal.batches import Batch
from lienthong.gateway.journal.claims import LedgerUnavailableError
from lienthong.gateway.journal.release import Release
from lienthong.gateway.journal.segments import Segment
from lienthong.kit.health import State as Health
from lienthong.tlog import SigningKey
from tests.support.waiting import eventually
from tests.unit.gateway.retaining import ORIGIN, MemoryLedger, Node, later

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from lienthong.kit.clock import ManualClock


async def test_a_copy_lies_on_disk_when_the_write_returns(node: Node) -> None:
    await node.write(3)
    (file,) = node.files(".kept")
    assert file.read_bytes().count(b'"kind":"call"') == 3


async def test_sealed_files_are_released_and_deleted_after_a_day(node: Node) -> None:
    await node.write(40)
    node.ledger.read(node.bus, node.clock.now())
    later(node, timedelta(minutes=11))
    await node.release.round()
    assert node.files(".kept") == []
    assert len(node.files(".sealed")) > 2
    assert node.release.condition().state is Health.OK
    node.retained.make_room(later(node, timedelta(hours=23)))
    assert len(node.files(".sealed")) > 2
    node.retained.make_room(later(node, timedelta(hours=2)))
    assert node.files("") == []
    assert len(node.bus.messages) == 40


async def test_what_the_journal_lost_comes_again_under_another_id_once(node: Node) -> None:
    before = await node.write(5)
    node.bus.forgets = True
    lost = await node.write(5)
    node.bus.forgets = False
    after = await node.write(5)
    node.ledger.read(node.bus, node.clock.now())
    assert set(node.ledger.ids) == {*before, *after}
    await node.release.round()
    assert len(node.bus.messages) == 10, "perhaps it is still on its way"
    node.ledger.read(node.bus, later(node, timedelta(seconds=31)))
    await node.release.round()
    assert node.release.republished == 5
    node.ledger.read(node.bus, node.clock.now())
    assert set(node.ledger.ids) == {*before, *lost, *after}
    assert len({message_id for message_id, _ in node.bus.messages}) == 15
    node.ledger.read(node.bus, later(node, timedelta(minutes=20)))
    await node.release.round()
    assert node.release.republished == 5
    assert node.files(".kept") == []


async def test_the_operator_says_after_how_long_a_record_counts_as_lost(node: Node) -> None:
    release = Release(
        node.retained,
        node.beside,
        node.ledger,
        node.seen,
        publish=node.journal.publish_again,
        clock=node.clock,
        lost_after=timedelta(seconds=3),
    )
    node.bus.forgets = True
    lost = await node.write(5)
    node.bus.forgets = False
    for seconds, expected in ((2, 0), (1, 0), (2, 5)):
        node.ledger.read(node.bus, later(node, timedelta(seconds=seconds)))
        await release.round()
        assert release.republished == expected
    node.ledger.read(node.bus, node.clock.now())
    assert set(lost) <= set(node.ledger.ids)


async def test_while_the_ledger_is_behind_or_does_not_know_nothing_comes_again(node: Node) -> None:
    await node.write(5)
    behind = node.clock.now()
    for read_through in (None, behind):
        node.ledger.read_through = read_through
        later(node, timedelta(hours=1))
        await node.release.round()
    assert node.release.republished == 0
    condition = node.release.condition()
    assert (condition.state, "waited for the ledger for 7200 s" in str(condition.reason)) == (
        Health.DEGRADED,
        True,
    )
    node.ledger.away = True
    with pytest.raises(LedgerUnavailableError):
        await node.release.round()
    assert len(node.files(".kept")) == 1


async def test_what_is_lost_again_and_again_comes_less_and_less_often(node: Node) -> None:
    node.bus.forgets = True
    await node.write(1)
    for _ in range(24 * 6):
        node.ledger.read(node.bus, later(node, timedelta(minutes=10)))
        await node.release.round()
    assert 20 < node.release.republished < 40


async def test_an_older_ledger_releases_nothing_and_gets_everything_again(node: Node) -> None:
    ids = await node.write(40)
    node.ledger.read(node.bus, node.clock.now())
    later(node, timedelta(minutes=11))
    await node.release.round()
    assert node.files(".kept") == []
    # Both disks go back.
    node.ledger.cut(10)
    ids += await node.write(1)
    node.ledger.read(node.bus, later(node, timedelta(seconds=31)))
    await node.release.round()
    condition = node.release.condition()
    assert condition.state is Health.DEGRADED
    assert "a log of 11 entries, and 40 have been seen" in str(condition.reason)
    assert not node.release.continues()
    for _ in range(3):
        node.ledger.read(node.bus, later(node, timedelta(minutes=2)))
        await node.release.round()
    assert set(node.ledger.ids) == set(ids)
    # It has as many entries again, but they are in another order: that is another log.
    assert node.files(".sealed") == []
    assert not node.release.continues()
    node.seen.path.unlink()
    node.ledger.read(node.bus, later(node, timedelta(minutes=11)))
    await node.release.round()
    assert node.release.condition().state is Health.OK
    assert node.files(".kept") == []


async def test_an_older_ledger_that_reads_the_same_journal_again_is_the_same_log(node: Node) -> None:
    await node.write(10)
    node.ledger.read(node.bus, node.clock.now())
    await node.release.round()
    node.ledger.cut(4)
    await node.release.round()
    assert not node.release.continues()
    node.ledger._read = 0
    node.ledger.read(node.bus, later(node, timedelta(minutes=11)))
    await node.release.round()
    assert node.release.continues()
    assert node.release.republished == 0
    assert node.files(".kept") == []


async def test_another_key_and_another_history_are_refused(node: Node) -> None:
    await node.write(4)
    node.ledger.read(node.bus, node.clock.now())
    await node.release.round()
    genuine = node.ledger.key
    node.ledger.key = SigningKey(ORIGIN, b"\2" * 32)
    await node.release.round()
    assert "none of the known keys" in str(node.release.condition().reason)
    node.ledger.key = genuine
    await node.write(1)
    node.ledger.read(node.bus, node.clock.now())
    node.ledger.leaves[0] = b"forged"
    await node.release.round()
    assert "the consistency proof does not lead" in str(node.release.condition().reason)
    node.ledger.leaves[0] = node.bus.messages[0][1]
    await node.release.round()
    assert node.release.continues()


async def test_what_lies_in_the_ledger_in_its_place_is_told(node: Node) -> None:
    await node.write(2)
    node.ledger.read(node.bus, node.clock.now())
    node.ledger.leaves[1] = b"flipped"
    await node.release.round()
    node.ledger.read_through = later(node, timedelta(seconds=31))
    await node.release.round()
    assert "something else in the place of 1 batches" in str(node.release.condition().reason)
    assert node.release.republished == 1
    node.ledger.read_through = later(node, timedelta(days=1))
    await node.release.round()
    assert node.release.republished == 1, "it would be refused each time"


async def test_what_a_dead_process_left_is_taken_up(
    node: Node, tmp_path: Path, ledger: MemoryLedger, clock: ManualClock
) -> None:
    node.bus.forgets = True
    lost = await node.write(3)
    node.die()
    node.bus.forgets = False
    second = Node(tmp_path, ledger, clock, node.bus)
    await second.release.round()
    ledger.read(node.bus, later(second, timedelta(seconds=31)))
    await second.release.round()
    ledger.read(node.bus, clock.now())
    assert set(ledger.ids) == set(lost)
    await second.journal.close()


async def test_a_damaged_file_costs_only_what_is_damaged(
    node: Node, tmp_path: Path, ledger: MemoryLedger, clock: ManualClock
) -> None:
    node.bus.forgets = True
    lost = await node.write(6)
    node.bus.forgets = False
    node.die()
    (file,) = node.files(".kept")
    content = bytearray(file.read_bytes())
    content[len(content) // 2 + 40] ^= 1
    file.write_bytes(content)
    second = Node(tmp_path, ledger, clock, node.bus)
    await second.release.round()
    ledger.read(node.bus, later(second, timedelta(seconds=31)))
    await second.release.round()
    ledger.read(node.bus, clock.now())
    assert set(ledger.ids) == {*lost[:3], *lost[4:]}
    await second.release.round()
    assert len(node.files(".sealed")) == 1
    assert [aside.read_bytes() for aside in node.files(".damaged")] == [bytes(content)]
    assert "1 damaged files of retained records" in str(second.release.condition().reason)
    await second.journal.close()


async def test_a_full_or_broken_disk_refuses_no_call_and_is_told(node: Node) -> None:
    node.folder.write_text("not a folder")
    await node.write(3)
    assert len(node.bus.messages) == 3
    assert node.beside.missed == 3
    assert "not retained on disk" in str(node.release.condition().reason)
    node.folder.unlink()
    later(node, timedelta(seconds=2))
    await node.write(1)
    assert len(node.files(".kept")) == 1
    assert node.release.condition().state is Health.OK


async def test_a_disk_that_stays_full_is_left_no_empty_files(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Segment, parts: Sequence[bytes]) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Segment, "write", full)
        for _ in range(5):
            await node.write(1)
            later(node, timedelta(seconds=2))
    assert (node.beside.missed, node.files(""), node.retained.kept) == (5, [], [])
    await node.write(1)
    assert len(node.files(".kept")) == 1


async def test_a_disk_that_hangs_holds_up_one_batch_and_is_told(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on, write = threading.Event(), node.retained.write

    def hanging(batches: Sequence[Batch], now: datetime) -> None:
        goes_on.wait(60)
        write(batches, now)

    monkeypatch.setattr(node.retained, "write", hanging)
    async with asyncio.timeout(20):
        await node.write(20)
    assert "the disk hangs" in str(node.release.condition().reason)
    goes_on.set()
    await eventually(lambda: node.release.condition().state is Health.OK)
    written = b"".join(file.read_bytes() for file in node.files(".kept"))
    assert written.count(b'"kind":"call"') == 20


async def test_without_room_sealed_files_go_first_and_calls_go_on(node: Node) -> None:
    await node.write(60)
    node.ledger.read(node.bus, node.clock.now())
    await node.release.round()
    sealed = node.files(".sealed")
    assert len(sealed) > 2
    node.ledger.away = True
    await node.write(50)
    node.retained.make_room(node.clock.now())
    assert node.files(".sealed") == sealed[-len(node.files(".sealed")) :] != sealed
    assert (node.retained.dropped, node.retained.size <= node.retained.max_bytes) == (0, True)
    unsealed = node.files(".kept")
    await node.write(90)
    node.retained.make_room(node.clock.now())
    assert node.files(".sealed") == []
    assert node.retained.dropped > 0
    assert node.retained.size <= node.retained.max_bytes
    assert unsealed[0] not in node.files(".kept"), "the oldest"
    assert "deleted unsealed: no room" in str(node.release.condition().reason)
    assert len(node.bus.messages) == 200


async def test_a_checkpoint_file_that_is_damaged_accepts_nothing_until_it_is_deleted(node: Node) -> None:
    await node.write(2)
    node.ledger.read(node.bus, later(node, timedelta(minutes=11)))
    for content in ("", "nonsense\n", "\xff"):
        node.seen.path.write_text(content, encoding="latin-1")
        await node.release.round()
        assert "cannot be used (ledger.checkpoint)" in str(node.release.condition().reason)
        assert not node.release.continues()
        assert node.seen.path.read_text(encoding="latin-1") == content
        assert (len(node.files(".kept")), len(node.files(".sealed"))) == (1, 0)
    node.seen.path.unlink()
    await node.release.round()
    seen = node.seen.load()
    assert seen is not None
    assert seen.size == 2
    assert node.release.continues()
    assert (len(node.files(".kept")), len(node.files(".sealed"))) == (0, 1)


async def test_files_that_are_not_ours_stop_nothing(node: Node) -> None:
    await node.write(1)
    for name in ("x.kept", "x.sealed", "x.damaged"):
        (node.folder / name).write_bytes(b"\xff\xfe not ours")
    node.ledger.read(node.bus, node.clock.now())
    node.retained.make_room(node.clock.now())
    later(node, timedelta(minutes=11))
    await node.release.round()
    assert node.files(".kept") == []
    assert "damaged files" in str(node.release.condition().reason)


async def test_what_the_version_before_left_in_the_spool_is_published_and_retained(
    node: Node, tmp_path: Path
) -> None:
    folder = tmp_path / "spool"
    folder.mkdir()
    batches = [Batch(node.new_id(), 1, b'{"v":1,"id":"%d"}' % number) for number in range(3)]
    bodies = [struct.pack(">36sH", one.id.encode(), one.count) + one.payload for one in batches]
    old = [struct.pack(">II", len(body), zlib.crc32(body)) + body for body in bodies]
    (folder / f"{node.new_id()}.spool").write_bytes(b"".join(old))
    shipping = asyncio.create_task(node.journal.run())
    await eventually(lambda: len(node.files(".kept")) == 1)
    shipping.cancel()
    await asyncio.gather(shipping, return_exceptions=True)
    assert node.bus.messages == [(one.id, one.payload) for one in batches]
    node.bus.messages.clear()
    await node.release.round()
    node.ledger.read(node.bus, later(node, timedelta(seconds=31)))
    await node.release.round()
    node.ledger.read(node.bus, node.clock.now())
    assert set(node.ledger.ids) == {"0", "1", "2"}
    await node.release.round()
    assert node.files(".kept") == []
