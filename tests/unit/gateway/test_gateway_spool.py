"""What is in the spool is on disk, and nothing that was acknowledged is lost or mixed up."""

from __future__ import annotations

import os
from itertools import count
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.gateway.journal.batches import Batch, frame, unframe
from lienthong.gateway.journal.spool import Spool, SpoolUnavailableError

if TYPE_CHECKING:
    from pathlib import Path

IDS = st.uuids().map(str)
BATCHES = st.builds(Batch, IDS, st.integers(1, 512), st.binary(min_size=1, max_size=200))


def batch(number: int, size: int = 10) -> Batch:
    return Batch(f"{number:036d}", 1, bytes([number % 256]) * size)


def new_spool(folder: Path, *, max_bytes: int = 1_000_000, segment_bytes: int = 1_000) -> Spool:
    numbers = count(len(list(folder.glob("*"))) * 1000)
    return Spool(
        folder, max_bytes=max_bytes, new_id=lambda: f"{next(numbers):06d}", segment_bytes=segment_bytes
    )


def drain(spool: Spool) -> list[Batch]:
    """Ship everything."""
    shipped: list[Batch] = []
    while (segment := spool.oldest()) is not None:
        shipped.extend(segment.batches())
        spool.shipped(segment)
    return shipped


@given(st.lists(BATCHES, max_size=5))
def test_frames_are_read_back(batches: list[Batch]) -> None:
    assert list(unframe(b"".join(map(frame, batches)))) == batches


@given(st.lists(BATCHES, min_size=1, max_size=4), st.data())
def test_a_torn_tail_costs_only_the_frame_that_was_torn(batches: list[Batch], data: st.DataObject) -> None:
    frames = list(map(frame, batches))
    whole, last = b"".join(frames[:-1]), frames[-1]
    torn = last[: data.draw(st.integers(0, len(last) - 1))]
    assert list(unframe(whole + torn)) == batches[:-1]


@given(st.lists(BATCHES, min_size=1, max_size=3), st.data())
def test_a_damaged_frame_is_never_taken_for_a_batch(batches: list[Batch], data: st.DataObject) -> None:
    content = bytearray(b"".join(map(frame, batches)))
    position = data.draw(st.integers(0, len(content) - 1))
    content[position] ^= data.draw(st.integers(1, 255))
    read = list(unframe(bytes(content)))
    assert read == batches[: len(read)]
    assert len(read) < len(batches)


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
