"""What is in the spool is on disk, and nothing that was acknowledged is lost or mixed up."""

from __future__ import annotations

import os
import struct
import time
import zlib
from itertools import count
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.gateway.journal.batches import Batch, Damage, frame, scan
from lienthong.gateway.journal.spool import Spool, SpoolUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

IDS = st.uuids().map(str)
# Records are JSON text: what they hold is UTF-8.
PAYLOADS = st.text(min_size=1, max_size=200).map(str.encode)
BATCHES = st.builds(Batch, IDS, st.integers(1, 512), PAYLOADS)


def batch(number: int, size: int = 10) -> Batch:
    return Batch(f"{number:036d}", 1, bytes([number % 128]) * size)


def old_frame(one: Batch) -> bytes:
    """A frame as version 0.1.0 wrote it."""
    body = struct.pack(">36sH", one.id.encode(), one.count) + one.payload
    return struct.pack(">II", len(body), zlib.crc32(body)) + body


def found_in(content: bytes, reads: int = 1 << 20) -> list[Batch | Damage]:
    """What a file of these bytes holds, when at most `reads` bytes are read at a time."""
    items = [item for _, item in scan(lambda offset, most: content[offset : offset + min(most, reads)])]
    sizes = [len(frame(item)) if isinstance(item, Batch) else item.length for item in items]
    assert sum(sizes) == len(content), "every byte is accounted for"
    return items


def batches_in(content: bytes, reads: int = 1 << 20) -> list[Batch]:
    return [item for item in found_in(content, reads) if isinstance(item, Batch)]


def new_spool(folder: Path, *, max_bytes: int = 1_000_000, segment_bytes: int = 1_000) -> Spool:
    numbers = count(len(list(folder.glob("*"))) * 1000)
    return Spool(
        folder, max_bytes=max_bytes, new_id=lambda: f"{next(numbers):06d}", segment_bytes=segment_bytes
    )


def drain(spool: Spool) -> list[Batch]:
    """Ship everything."""
    shipped: list[Batch] = []
    while (segment := spool.oldest()) is not None:
        shipped.extend(item for _, item in segment.scan() if isinstance(item, Batch))
        spool.shipped(segment).remove()
    return shipped


@given(st.lists(BATCHES, max_size=5), st.integers(40, 300))
def test_frames_are_read_back(batches: list[Batch], reads: int) -> None:
    assert found_in(b"".join(map(frame, batches)), reads) == batches


@given(st.lists(BATCHES, max_size=5))
def test_files_of_the_version_before_are_read(batches: list[Batch]) -> None:
    items = [item for _, item in scan(_reading(b"".join(map(old_frame, batches))))]
    assert items == batches


@given(st.lists(BATCHES, min_size=1, max_size=4), st.data())
def test_a_torn_tail_costs_only_the_frame_that_was_torn(batches: list[Batch], data: st.DataObject) -> None:
    for form in (frame, old_frame):
        frames = list(map(form, batches))
        whole, last = b"".join(frames[:-1]), frames[-1]
        torn = last[: data.draw(st.integers(0, len(last) - 1))]
        items = [item for _, item in scan(_reading(whole + torn))]
        tail = [Damage(len(whole), len(torn), torn=True)] if torn else []
        assert items == [*batches[:-1], *tail]


@given(st.lists(BATCHES, min_size=1, max_size=4), st.integers(40, 300), st.data())
def test_a_damaged_frame_costs_itself_alone_and_is_told(
    batches: list[Batch], reads: int, data: st.DataObject
) -> None:
    frames = list(map(frame, batches))
    hit = data.draw(st.integers(0, len(frames) - 1))
    damaged = bytearray(frames[hit])
    damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= data.draw(st.integers(1, 255))
    before = b"".join(frames[:hit])
    items = found_in(before + bytes(damaged) + b"".join(frames[hit + 1 :]), reads)
    told = Damage(len(before), len(damaged), torn=False)
    assert [item for item in items if isinstance(item, Batch)] == [*batches[:hit], *batches[hit + 1 :]]
    assert told in items or sum(item.length for item in items if isinstance(item, Damage)) == told.length
    assert not any(item.torn for item in items if isinstance(item, Damage))


@given(st.lists(BATCHES, max_size=3), st.binary(min_size=1, max_size=300), st.lists(BATCHES, max_size=3))
def test_bytes_between_frames_cost_no_frame(before: list[Batch], noise: bytes, after: list[Batch]) -> None:
    content = b"".join(map(frame, before)) + noise + b"".join(map(frame, after))
    assert batches_in(content) == [*before, *after]


def test_reading_looks_at_each_byte_a_bounded_number_of_times() -> None:
    magic_only = b"\xff\xfeLT" * 200_000
    asked = 0

    def read(offset: int, most: int) -> bytes:
        nonlocal asked
        part = magic_only[offset : offset + most]
        asked += len(part)
        return part

    began = time.process_time()
    assert all(isinstance(item, Damage) for _, item in scan(read))
    assert asked == len(magic_only)
    assert time.process_time() - began < 10


def _reading(content: bytes) -> Callable[[int, int], bytes]:
    return lambda offset, most: content[offset : offset + most]


def test_batches_come_out_in_the_order_they_went_in_over_many_files(tmp_path: Path) -> None:
    spool = new_spool(tmp_path)
    batches = [batch(number, 300) for number in range(20)]
    for one in batches:
        spool.append([one])
    assert len(list(tmp_path.glob("*.spool"))) > 3
    assert spool.size == sum(len(frame(one)) for one in batches)
    assert drain(spool) == batches
    assert spool.size == 0
    assert list(tmp_path.glob("*")) == []


def test_what_a_process_left_is_adopted_by_the_next_and_by_one_only(tmp_path: Path) -> None:
    first = new_spool(tmp_path)
    first.append([batch(1), batch(2)])
    first.append([batch(3)])
    second, third = new_spool(tmp_path), new_spool(tmp_path)
    assert second.adopt_orphans() == 0, "the first process lives"
    first.close()
    second.append([batch(4)])
    assert second.adopt_orphans() == 1
    assert third.adopt_orphans() == 0
    assert drain(second) == [batch(1), batch(2), batch(3), batch(4)]
    second.close()
    third.close()


def test_a_file_that_was_shipped_is_not_adopted_again(tmp_path: Path) -> None:
    first = new_spool(tmp_path)
    first.append([batch(1)])
    drain(first)
    second = new_spool(tmp_path)
    assert second.adopt_orphans() == 0


def test_the_limit_holds_and_shipping_makes_room(tmp_path: Path) -> None:
    spool = new_spool(tmp_path, max_bytes=500)
    size = len(frame(batch(0, 50)))
    accepted = 500 // size
    for number in range(accepted):
        spool.append([batch(number, 50)])
    with pytest.raises(SpoolUnavailableError, match="limit of 500 bytes"):
        spool.append([batch(9, 50)])
    assert spool.size <= 500
    assert drain(spool) == [batch(number, 50) for number in range(accepted)]
    spool.append([batch(1)])
    assert drain(spool) == [batch(1)]


def test_after_a_failed_write_nothing_is_written_behind_the_torn_tail(tmp_path: Path) -> None:
    spool = new_spool(tmp_path)
    spool.append([batch(1)])
    (path,) = tmp_path.glob("*.spool")
    current = spool._current
    assert current is not None
    readonly = os.open(path, os.O_RDONLY)
    os.dup2(readonly, current._descriptor)
    os.close(readonly)
    with pytest.raises(SpoolUnavailableError):
        spool.append([batch(2)])
    spool.append([batch(3)])
    assert len(list(tmp_path.glob("*.spool"))) == 2
    assert drain(spool) == [batch(1), batch(3)]


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("not a folder")
    spool = new_spool(tmp_path / "spool")
    assert spool.adopt_orphans() == 0
    for _ in range(3):
        with pytest.raises(SpoolUnavailableError):
            spool.append([batch(1)])
    (tmp_path / "spool").unlink()
    spool.append([batch(1)])
    assert drain(spool) == [batch(1)]
