"""A check of the whole log names exactly what was changed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.tlog import (
    ENTRIES,
    Checkpoint,
    Finding,
    RightEdge,
    TileAddress,
    check_log,
    encode_bundle,
    grow,
    leaf_hash,
)


class StoredLog:
    """A log in two dictionaries, for tampering with."""

    def __init__(self, size: int) -> None:
        self.entries = [f"entry {number}".encode() for number in range(size)]
        edge, self.tiles = grow(RightEdge(), map(leaf_hash, self.entries))
        self.checkpoint = Checkpoint("log", edge.size, edge.root)

    def fetch(self, address: TileAddress) -> bytes:
        if address.level == ENTRIES:
            start = address.index * 256
            return encode_bundle(self.entries[start : start + address.width])
        return self.tiles[address.level, address.index]

    def flip(self, level: int, index: int, position: int) -> None:
        tile = bytearray(self.tiles[level, index])
        tile[position * 32] ^= 1
        self.tiles[level, index] = bytes(tile)

    def found(self) -> list[tuple[str, str]]:
        return [(item.place, item.problem) for item in check_log(self.checkpoint, self.fetch).findings]


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 512, 1000])
def test_an_untouched_log_is_sound(size: int) -> None:
    log = StoredLog(size)
    read: list[int] = []
    report = check_log(log.checkpoint, log.fetch, progress=read.append)
    assert report.sound
    assert report.size == size == (read[-1] if read else 0)


@given(st.integers(1, 1000), st.data())
@settings(max_examples=40)
def test_a_changed_entry_is_named_and_nothing_else(size: int, data: st.DataObject) -> None:
    log = StoredLog(size)
    at = data.draw(st.integers(0, size - 1))
    log.entries[at] = b"entry of another"
    assert log.found() == [(f"entry {at}", "changed")]


@given(st.integers(1, 1000), st.data())
@settings(max_examples=40)
def test_a_changed_tile_is_named_and_nothing_else(size: int, data: st.DataObject) -> None:
    log = StoredLog(size)
    level, index = data.draw(st.sampled_from(sorted(log.tiles)))
    log.flip(level, index, data.draw(st.integers(0, len(log.tiles[level, index]) // 32 - 1)))
    (place, problem) = log.found()[0]
    assert place == TileAddress.of_tree(level, index, size).path
    assert problem == "changed"
    assert len(log.found()) == 1


def test_a_changed_tile_above_full_tiles_is_named() -> None:
    log = StoredLog(256 * 256 + 10)
    log.flip(1, 0, 77)
    assert log.found() == [("tile/1/000", "changed")]
    log = StoredLog(256 * 256 + 10)
    log.flip(0, 77, 3)
    log.entries[5] = b"changed"
    assert log.found() == [("entry 5", "changed"), ("tile/0/077", "changed")]


def test_an_entry_changed_together_with_its_tile_is_found_by_the_tree_above() -> None:
    log = StoredLog(600)
    log.entries[300] = b"changed"
    log.tiles[0, 1] = b"".join(map(leaf_hash, log.entries[256:512]))
    assert log.found() == [("tile/0/001", "changed")]


def test_a_log_rewritten_from_the_ground_does_not_lead_to_the_checkpoint() -> None:
    log = StoredLog(600)
    log.entries[300] = b"changed"
    log.tiles = grow(RightEdge(), map(leaf_hash, log.entries)).tiles
    assert log.found() == [("checkpoint", "doubtful")]


def test_a_changed_entry_under_a_wrong_checkpoint_is_still_pointed_at() -> None:
    log = StoredLog(600)
    log.entries[300] = b"changed"
    log.checkpoint = Checkpoint("log", 600, bytes(32))
    assert log.found() == [("checkpoint", "doubtful"), ("entry 300", "doubtful")]


def test_two_exchanged_entries_are_both_named() -> None:
    log = StoredLog(600)
    log.entries[10], log.entries[20] = log.entries[20], log.entries[10]
    assert log.found() == [("entry 10", "changed"), ("entry 20", "changed")]


def test_what_is_missing_is_named() -> None:
    log = StoredLog(600)
    del log.tiles[0, 1]
    assert log.found() == [("tile/0/001", "missing")]


def test_a_missing_entry_is_named_by_its_bundle() -> None:
    log = StoredLog(600)
    log.entries.pop()
    (finding,) = check_log(log.checkpoint, log.fetch).findings
    assert finding == Finding(599, "tile/entries/002.p/88", "malformed", "it has 87 entries instead of 88")


def test_a_bundle_or_tile_of_broken_format_is_named() -> None:
    log = StoredLog(600)

    def fetch(address: TileAddress) -> bytes:
        whole = log.fetch(address)
        return whole[:-1] if address in {TileAddress(ENTRIES, 0), TileAddress(0, 1)} else whole

    places = [(item.place, item.problem) for item in check_log(log.checkpoint, fetch).findings]
    assert places == [("tile/entries/000", "malformed"), ("tile/0/001", "malformed")]


def test_a_log_that_has_grown_since_its_checkpoint_is_sound() -> None:
    log = StoredLog(600)
    checkpoint = log.checkpoint
    log.entries += [b"later"] * 500
    log.tiles = grow(RightEdge(), map(leaf_hash, log.entries)).tiles
    assert check_log(checkpoint, log.fetch).sound
