"""Tile paths and entry bundles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.tlog import (
    ENTRIES,
    MalformedTileError,
    TileAddress,
    decode_bundle,
    encode_bundle,
    levels,
    tiles_of_level,
)
from lienthong.tlog.tiles import MAX_INDEX

addresses = st.builds(
    TileAddress,
    st.integers(ENTRIES, 63),
    st.one_of(st.integers(0, 2000), st.integers(0, MAX_INDEX)),
    st.integers(1, 256),
)


@given(addresses)
def test_a_path_leads_back_to_its_address(address: TileAddress) -> None:
    assert TileAddress.parse(address.path) == address


@pytest.mark.parametrize(
    ("address", "path"),
    [
        (TileAddress(0, 1234067), "tile/0/x001/x234/067"),
        (TileAddress(0, 273, 112), "tile/0/273.p/112"),
        (TileAddress(1, 0), "tile/1/000"),
        (TileAddress(63, 1000, 1), "tile/63/x001/000.p/1"),
        (TileAddress(ENTRIES, 999), "tile/entries/999"),
        (TileAddress(ENTRIES, 4, 255), "tile/entries/004.p/255"),
    ],
)
def test_paths_are_spelled_as_the_specification_says(address: TileAddress, path: str) -> None:
    assert address.path == path


@pytest.mark.parametrize(
    "path",
    [
        "", "tile/0/1", "tile/0/0001", "tile/00/001", "tile/64/001", "tile/-1/001", "tile/data/001",
        "tile/0/x000/001", "tile/0/001/001", "tile/0/x001/x002", "tile/0/001.p/0", "tile/0/001.p/256",
        "tile/0/001.p/012", "tile/0/001.p/", "tile/0/001.p", "tile/0/001\n", "/tile/0/001", "tile/0/٠٠١",
        "tile/0/001.p/300", "tile/0/../0/001", "tile/0/001/",
        "tile/0/x018/x014/x398/x509/x481/984", "tile/entries/" + "x999/" * 8 + "999",
        "tile/0/" + "x001/" * 2_000 + "000",
    ],
)  # fmt: skip
def test_any_other_spelling_of_a_path_is_refused(path: str) -> None:
    with pytest.raises(MalformedTileError):
        TileAddress.parse(path)


def test_a_tree_of_70000_has_the_tiles_of_the_specification() -> None:
    by_level = [tiles_of_level(level, 70_000) for level in range(levels(70_000))]
    assert [len(tiles) for tiles in by_level] == [274, 2, 1]
    assert [tiles[-1].width for tiles in by_level] == [112, 17, 1]
    assert all(tile.full for tiles in by_level for tile in tiles[:-1])


def test_a_tree_of_256_has_a_full_tile_and_a_partial_one_above() -> None:
    assert tiles_of_level(0, 256) == [TileAddress(0, 0)]
    assert tiles_of_level(1, 256) == [TileAddress(1, 0, 1)]
    assert levels(256) == 2
    assert levels(255) == 1
    assert levels(0) == 0


def test_a_tile_outside_the_tree_has_no_address() -> None:
    with pytest.raises(MalformedTileError):
        TileAddress.of_tree(0, 1, 256)


def test_a_stored_tile_that_has_grown_still_gives_the_narrower_one() -> None:
    stored = bytes(range(256)) * 2
    assert TileAddress(0, 0, 3).of_bytes(stored) == stored[:96]


@pytest.mark.parametrize("size", [0, 95, 97, 257 * 32])
def test_a_stored_tile_of_the_wrong_size_is_refused(size: int) -> None:
    with pytest.raises(MalformedTileError):
        TileAddress(0, 0, 3).of_bytes(bytes(size))


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_a_bundle_gives_back_its_entries(entries: list[bytes]) -> None:
    assert decode_bundle(encode_bundle(entries)) == entries


def test_a_bundle_has_the_length_before_each_entry() -> None:
    assert encode_bundle([b"", b"ab", bytes(258)]) == b"\0\0" + b"\0\2ab" + b"\1\2" + bytes(258)


def test_an_entry_too_long_for_a_bundle_is_refused() -> None:
    assert decode_bundle(encode_bundle([bytes(65_535)])) == [bytes(65_535)]
    with pytest.raises(MalformedTileError):
        encode_bundle([bytes(65_536)])


@given(st.lists(st.binary(min_size=1, max_size=30), min_size=1, max_size=5), st.data())
def test_a_cut_bundle_is_refused_unless_cut_between_entries(
    entries: list[bytes], data: st.DataObject
) -> None:
    bundle = encode_bundle(entries)
    cut = bundle[: data.draw(st.integers(0, len(bundle) - 1))]
    whole = [entries[:count] for count in range(len(entries)) if encode_bundle(entries[:count]) == cut]
    if whole:
        assert decode_bundle(cut) == whole[0]
    else:
        with pytest.raises(MalformedTileError):
            decode_bundle(cut)
