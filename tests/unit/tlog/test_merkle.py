"""The tree of RFC 6962, against published roots and against the definition in the RFC itself."""

from __future__ import annotations

from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.tlog import (
    EMPTY_ROOT,
    TILE_WIDTH,
    MalformedTileError,
    ProofRefusedError,
    RightEdge,
    TileAddress,
    consistency_proof,
    consistency_tiles,
    grow,
    inclusion_proof,
    inclusion_tiles,
    leaf_hash,
    levels,
    node_hash,
    right_edge_of,
    right_edge_tiles,
    subtree_root,
    verify_consistency,
    verify_inclusion,
)

# The eight leaves and the roots of sizes 1 to 8 in the reference tests of Certificate Transparency.
CT_LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LARGEST = 300


def root_by_definition(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(root_by_definition(leaves[:split]), root_by_definition(leaves[split:]))


def path_by_definition(index: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of RFC 6962 section 2.1.1, word for word."""
    if len(leaves) == 1:
        return []
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if index < split:
        return [*path_by_definition(index, leaves[:split]), root_by_definition(leaves[split:])]
    return [*path_by_definition(index - split, leaves[split:]), root_by_definition(leaves[:split])]


def numbered_leaves(count: int) -> list[bytes]:
    return [leaf_hash(str(number).encode()) for number in range(count)]


LEAVES = numbered_leaves(LARGEST)
ROOTS = [root_by_definition(LEAVES[:size]) for size in range(LARGEST + 1)]


class Tiles(dict[TileAddress, bytes]):
    """Every tile of a tree, found under whatever width it is asked for."""

    def __init__(self, leaves: list[bytes]) -> None:
        super().__init__()
        self.edge, tiles = grow(RightEdge(), leaves)
        for (level, index), hashes in tiles.items():
            for width in range(1, len(hashes) // 32 + 1):
                self[TileAddress(level, index, width)] = hashes


TILES = Tiles(LEAVES)


def test_the_roots_are_those_of_the_reference_tests() -> None:
    hashes = [leaf_hash(leaf) for leaf in CT_LEAVES]
    assert [subtree_root(b"".join(hashes[: n + 1])).hex() for n in range(8)] == CT_ROOTS
    assert [grow(RightEdge(), hashes[: n + 1]).edge.root.hex() for n in range(8)] == CT_ROOTS


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert EMPTY_ROOT == sha256(b"").digest() == RightEdge().root == subtree_root(b"")


def test_every_size_has_the_root_of_the_definition() -> None:
    edge = RightEdge()
    for size, leaf in enumerate(LEAVES):
        assert edge.root == ROOTS[size] == subtree_root(b"".join(LEAVES[:size]))
        edge = grow(edge, [leaf]).edge


def test_growing_through_a_whole_tile_level_keeps_the_root_of_the_definition() -> None:
    leaves = numbered_leaves(TILE_WIDTH * TILE_WIDTH + TILE_WIDTH + 3)
    edge = grow(RightEdge(), leaves).edge
    assert edge.root == root_by_definition(leaves)
    assert [len(partial) // 32 for partial in edge.partials] == [3, 1, 1]


@given(st.lists(st.integers(0, 700), max_size=6))
def test_appending_in_portions_gives_the_same_tiles_as_at_once(portions: list[int]) -> None:
    leaves = numbered_leaves(sum(portions))
    edge, stored = RightEdge(), dict[tuple[int, int], bytes]()
    bounds = [0]
    for portion in portions:
        bounds.append(bounds[-1] + portion)
    for start, end in pairwise(bounds):
        edge, tiles = grow(edge, leaves[start:end])
        assert all(len(hashes) > len(stored.get(place, b"")) for place, hashes in tiles.items())
        stored |= tiles
    at_once = grow(RightEdge(), leaves)
    assert (edge, stored) == (at_once.edge, at_once.tiles)
    assert len(edge.partials) == levels(len(leaves))


def test_the_edge_is_found_again_in_stored_tiles() -> None:
    for size in range(LARGEST + 1):
        edge = right_edge_of(size, {address: TILES[address] for address in right_edge_tiles(size)})
        assert edge.root == ROOTS[size]


def test_an_edge_that_does_not_fit_its_size_cannot_be_made() -> None:
    with pytest.raises(MalformedTileError):
        RightEdge(2, (LEAVES[0],))
    with pytest.raises(MalformedTileError):
        RightEdge(1, (LEAVES[0][:-1],))


def test_every_entry_of_every_size_has_an_inclusion_proof_and_it_is_the_one_of_the_rfc() -> None:
    for size in range(1, LARGEST + 1):
        for index in {0, size - 1, size // 2, size // 3, min(size - 1, 255), min(size - 1, 256)}:
            proof = inclusion_proof(index, size, TILES)
            assert list(proof) == path_by_definition(index, LEAVES[:size])
            verify_inclusion(index, size, LEAVES[index], proof, ROOTS[size])


@given(st.data())
def test_any_entry_of_any_size_is_proven_with_only_the_tiles_named(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, LARGEST))
    index = data.draw(st.integers(0, size - 1))
    named = {address: TILES[address] for address in inclusion_tiles(index, size)}
    verify_inclusion(index, size, LEAVES[index], inclusion_proof(index, size, named), ROOTS[size])


def test_every_pair_of_sizes_is_proven_consistent() -> None:
    for new in range(LARGEST + 1):
        for old in {0, 1, 2, 3, 127, 128, 129, 255, 256, 257, new // 2, new - 1, new}:
            if 0 <= old <= new:
                named = {address: TILES[address] for address in consistency_tiles(old, new)}
                proof = consistency_proof(old, new, named)
                verify_consistency(old, ROOTS[old], new, ROOTS[new], proof)


@given(st.data())
def test_a_changed_inclusion_proof_is_refused(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, LARGEST))
    index = data.draw(st.integers(0, size - 1))
    proof = list(inclusion_proof(index, size, TILES))
    at = data.draw(st.integers(0, len(proof) - 1))
    bit = data.draw(st.integers(0, 255))
    broken = int.from_bytes(proof[at], "big") ^ (1 << bit)
    proof[at] = broken.to_bytes(32, "big")
    with pytest.raises(ProofRefusedError):
        verify_inclusion(index, size, LEAVES[index], proof, ROOTS[size])


@given(st.data())
def test_a_proof_for_another_place_leaf_root_or_length_is_refused(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, LARGEST))
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, TILES)
    other = data.draw(st.integers(0, size - 1).filter(lambda number: number != index))
    for claim in (
        (other, size, LEAVES[index], proof, ROOTS[size]),
        (index, size, LEAVES[other], proof, ROOTS[size]),
        (index, size, LEAVES[index], proof, ROOTS[size - 1]),
        (index, size, LEAVES[index], proof[:-1], ROOTS[size]),
        (index, size, LEAVES[index], (*proof, proof[0]), ROOTS[size]),
        (size, size, LEAVES[index], proof, ROOTS[size]),
        (-1, size, LEAVES[index], proof, ROOTS[size]),
        (index, size, LEAVES[index], (*proof[:-1], proof[-1] + b"x"), ROOTS[size]),
    ):
        with pytest.raises(ProofRefusedError):
            verify_inclusion(*claim)


@given(st.data())
def test_a_changed_consistency_proof_is_refused(data: st.DataObject) -> None:
    new = data.draw(st.integers(2, LARGEST))
    old = data.draw(st.integers(1, new - 1))
    proof = consistency_proof(old, new, TILES)
    at = data.draw(st.integers(0, len(proof) - 1))
    changed = (*proof[:at], bytes(reversed(proof[at])), *proof[at + 1 :])
    forked = root_by_definition([*LEAVES[: new - 1], leaf_hash(b"another")])
    for claim in (
        (old, ROOTS[old], new, ROOTS[new], changed),
        (old, ROOTS[old], new, ROOTS[new], proof[:-1]),
        (old, ROOTS[old], new, ROOTS[new], (*proof, proof[0])),
        (old, ROOTS[old - 1], new, ROOTS[new], proof),
        (old, ROOTS[old], new, forked, proof),
        (new, ROOTS[new], old, ROOTS[old], proof),
    ):
        with pytest.raises(ProofRefusedError):
            verify_consistency(*claim)


def test_a_fork_at_the_same_size_is_refused() -> None:
    with pytest.raises(ProofRefusedError, match="forked"):
        verify_consistency(7, ROOTS[7], 7, ROOTS[8], [])


def test_a_log_that_changed_an_old_entry_cannot_prove_consistency() -> None:
    rewritten = [leaf_hash(b"rewritten"), *LEAVES[1:]]
    proof = consistency_proof(100, 200, Tiles(rewritten))
    with pytest.raises(ProofRefusedError):
        verify_consistency(100, ROOTS[100], 200, root_by_definition(rewritten[:200]), proof)


def test_a_missing_tile_is_named() -> None:
    with pytest.raises(MalformedTileError, match=r"tile/0/000\.p/7 is missing"):
        inclusion_proof(3, 7, {})
