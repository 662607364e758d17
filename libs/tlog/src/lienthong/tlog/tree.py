"""A tree that is stored in tiles: how it grows, its root, and the proofs made from it.

Nothing here does I/O: a function says which tiles it needs, and the caller fetches them. Stored tiles may
be wider than what is asked for, because the log has grown since.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from lienthong.tlog.errors import MalformedTileError, ProofRefusedError
from lienthong.tlog.merkle import EMPTY_ROOT, HASH_SIZE, node_hash, subtree_root
from lienthong.tlog.tiles import TILE_WIDTH, TileAddress, levels

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_TILE_BYTES = TILE_WIDTH * HASH_SIZE


@dataclass(frozen=True, slots=True)
class RightEdge:
    """The right edge of a tree: all that is needed to append to it and to know its root.

    `partials[L]` holds the hashes of the partial tile of level L, none where the last tile of the level is
    full.
    """

    size: int = 0
    partials: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        widths = tuple(len(partial) / HASH_SIZE for partial in self.partials)
        if widths != tuple((self.size >> 8 * level) % TILE_WIDTH for level in range(levels(self.size))):
            raise MalformedTileError(
                f"these partial tiles are not the right edge of a tree of {self.size} entries"
            )

    @property
    def root(self) -> bytes:
        """The Merkle tree hash of RFC 6962 section 2.1."""
        root: bytes | None = None
        for partial in self.partials:
            end = width = len(partial) // HASH_SIZE
            for height in range(8):
                if width >> height & 1:
                    start = end - (1 << height)
                    left = subtree_root(partial[start * HASH_SIZE : end * HASH_SIZE])
                    root = left if root is None else node_hash(left, root)
                    end = start
        return EMPTY_ROOT if root is None else root


class Growth(NamedTuple):
    """The result of appending: the new edge, and the hashes of every tile that is new or has become wider."""

    edge: RightEdge
    tiles: dict[tuple[int, int], bytes]


def grow(edge: RightEdge, leaves: Iterable[bytes]) -> Growth:
    """Append leaves, given by their hashes. The keys of the tiles are (level, index)."""
    arriving = b"".join(leaves)
    size = edge.size + len(arriving) // HASH_SIZE
    tiles: dict[tuple[int, int], bytes] = {}
    partials: list[bytes] = []
    for level in range(levels(size)):
        hashes = (edge.partials[level] if level < len(edge.partials) else b"") + arriving
        index = edge.size >> 8 * (level + 1)
        full_bytes = len(hashes) // _TILE_BYTES * _TILE_BYTES
        roots: list[bytes] = []
        for at in range(0, full_bytes, _TILE_BYTES):
            tile = hashes[at : at + _TILE_BYTES]
            tiles[level, index] = tile
            roots.append(subtree_root(tile))
            index += 1
        partial = hashes[full_bytes:]
        if arriving and partial:
            tiles[level, index] = partial
        partials.append(partial)
        arriving = b"".join(roots)
    return Growth(RightEdge(size, tuple(partials)), tiles)


def right_edge_tiles(size: int) -> list[TileAddress]:
    """The tiles that make up the edge of the tree of `size` leaves."""
    return [
        TileAddress.of_tree(level, size >> 8 * (level + 1), size)
        for level in range(levels(size))
        if (size >> 8 * level) % TILE_WIDTH
    ]


def right_edge_of(size: int, tiles: Mapping[TileAddress, bytes]) -> RightEdge:
    """The edge of the tree of `size` leaves, from the tiles that `right_edge_tiles` names.

    Raises:
        MalformedTileError: a tile is missing or too narrow.
    """
    partials = [b""] * levels(size)
    for address in right_edge_tiles(size):
        partials[address.level] = _stored(tiles, address)
    return RightEdge(size, tuple(partials))


def inclusion_tiles(index: int, size: int) -> list[TileAddress]:
    """The tiles that `inclusion_proof` needs."""
    return _tiles_under(_inclusion_spans(index, size), size)


def inclusion_proof(index: int, size: int, tiles: Mapping[TileAddress, bytes]) -> tuple[bytes, ...]:
    """The audit path of entry `index` in the tree of `size` leaves (RFC 6962 section 2.1.1), leaf first.

    Raises:
        ProofRefusedError: there is no such entry.
        MalformedTileError: a tile is missing or too narrow.
    """
    return _span_roots(_inclusion_spans(index, size), size, tiles)


def consistency_tiles(old_size: int, new_size: int) -> list[TileAddress]:
    """The tiles that `consistency_proof` needs."""
    return _tiles_under(_consistency_spans(old_size, new_size), new_size)


def consistency_proof(old_size: int, new_size: int, tiles: Mapping[TileAddress, bytes]) -> tuple[bytes, ...]:
    """The proof that the tree of `new_size` leaves grew out of the one of `old_size` (RFC 6962 2.1.2).

    Raises:
        ProofRefusedError: the old tree is the bigger one.
        MalformedTileError: a tile is missing or too narrow.
    """
    return _span_roots(_consistency_spans(old_size, new_size), new_size, tiles)


class _Span(NamedTuple):
    """The leaves from `start` up to `end`, which is not included."""

    start: int
    end: int


def _inclusion_spans(index: int, size: int) -> list[_Span]:
    if not 0 <= index < size:
        raise ProofRefusedError(f"entry {index} cannot be in a tree of {size} entries")
    spans: list[_Span] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            spans.append(_Span(middle, end))
            end = middle
        else:
            spans.append(_Span(start, middle))
            start = middle
    return spans[::-1]


def _consistency_spans(old_size: int, new_size: int) -> list[_Span]:
    if not 0 <= old_size <= new_size:
        raise ProofRefusedError(f"a tree of {new_size} entries cannot have grown from one of {old_size}")
    if old_size == 0:
        return []
    spans: list[_Span] = []
    start, end = 0, new_size
    while end != old_size:
        middle = start + _split(end - start)
        if old_size <= middle:
            spans.append(_Span(middle, end))
            end = middle
        else:
            spans.append(_Span(start, middle))
            start = middle
    if start > 0:
        spans.append(_Span(start, end))
    return spans[::-1]


def _split(width: int) -> int:
    """The largest power of two smaller than `width`."""
    return 1 << ((width - 1).bit_length() - 1)


def _perfect_subtrees(span: _Span) -> list[tuple[int, int]]:
    """The complete subtrees, as (height, index at that height), that cover a span from left to right."""
    found: list[tuple[int, int]] = []
    start = span.start
    while start < span.end:
        height = (span.end - start).bit_length() - 1
        if start:
            height = min(height, (start & -start).bit_length() - 1)
        found.append((height, start >> height))
        start += 1 << height
    return found


def _tile_of(height: int, index: int, size: int) -> TileAddress:
    level, above = divmod(height, 8)
    return TileAddress.of_tree(level, (index << above) // TILE_WIDTH, size)


def _tiles_under(spans: Sequence[_Span], size: int) -> list[TileAddress]:
    return sorted(
        {_tile_of(height, index, size) for span in spans for height, index in _perfect_subtrees(span)}
    )


def _span_roots(spans: Sequence[_Span], size: int, tiles: Mapping[TileAddress, bytes]) -> tuple[bytes, ...]:
    roots: list[bytes] = []
    for span in spans:
        parts: list[bytes] = []
        for height, index in _perfect_subtrees(span):
            hashes = _stored(tiles, _tile_of(height, index, size))
            above = height % 8
            first = (index << above) % TILE_WIDTH
            parts.append(subtree_root(hashes[first * HASH_SIZE : (first + (1 << above)) * HASH_SIZE]))
        root = parts.pop()
        while parts:
            root = node_hash(parts.pop(), root)
        roots.append(root)
    return tuple(roots)


def _stored(tiles: Mapping[TileAddress, bytes], address: TileAddress) -> bytes:
    if address not in tiles:
        raise MalformedTileError(f"{address.path} is missing")
    return address.of_bytes(tiles[address])
