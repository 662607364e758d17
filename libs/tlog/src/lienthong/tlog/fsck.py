"""Compute a whole log again from its entries and report what does not match its signed checkpoint.

Trust comes from the checkpoint and goes downwards: a tile is genuine when its root is the hash that the
genuine tile above it holds, an entry when its hash is in the genuine tile of level 0. So it is known which
side of a mismatch was changed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Literal

from lienthong.tlog.errors import MalformedTileError
from lienthong.tlog.merkle import HASH_SIZE, leaf_hash, subtree_root
from lienthong.tlog.tiles import ENTRIES, TILE_WIDTH, TileAddress, decode_bundle, levels, tiles_of_level
from lienthong.tlog.tree import RightEdge

if TYPE_CHECKING:
    from collections.abc import Callable

    from lienthong.tlog.checkpoint import Checkpoint

_Problem = Literal["changed", "missing", "malformed", "doubtful"]


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong with a log.

    `place` is `entry <index>`, the path of a tile or bundle, or `checkpoint`. `entry` is the index of the
    (first) entry concerned.
    """

    entry: int
    place: str
    problem: _Problem
    detail: str

    def __str__(self) -> str:
        return f"{self.place}: {self.problem}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of a check of `size` entries; a log without findings is what its checkpoint says."""

    size: int
    findings: tuple[Finding, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def check_log(
    checkpoint: Checkpoint,
    fetch: Callable[[TileAddress], bytes],
    *,
    progress: Callable[[int], None] | None = None,
) -> Report:
    """Check every entry and every tile of the log that the (verified) checkpoint describes.

    `fetch` returns a tile or bundle and raises LookupError where there is none; it may return wider ones.
    `progress` is called with the number of entries read so far.
    """
    check = _Check(checkpoint, fetch)
    check.read(progress or (lambda _entries: None))
    check.judge()
    return Report(checkpoint.size, tuple(sorted(check.findings)))


@dataclass(slots=True)
class _Tile:
    """A tile's hashes as stored and as computed from what is below it; None where that is missing."""

    address: TileAddress
    candidates: list[bytes | None]
    genuine: bytes | None = None

    @property
    def stored(self) -> bytes | None:
        return self.candidates[0]

    @property
    def first_entry(self) -> int:
        return _first_entry(self.address)


@dataclass(slots=True)
class _Check:
    checkpoint: Checkpoint
    fetch: Callable[[TileAddress], bytes]
    findings: set[Finding] = field(default_factory=set)
    tiles: dict[tuple[int, int], _Tile] = field(default_factory=dict)
    agreed: dict[int, bytes] = field(default_factory=dict)
    """The roots of the full tiles of level 0 that are exactly what their entries give: nearly all of them."""

    def read(self, progress: Callable[[int], None]) -> None:
        """Fetch everything; keep the tiles above the leaves, and those of level 0 that could matter."""
        size = self.checkpoint.size
        stored_roots: list[bytes | None] = []
        derived_roots: list[bytes | None] = []
        for address in tiles_of_level(0, size):
            stored, derived = self._hashes(address), self._leaf_hashes(address)
            stored_roots.append(_root(stored))
            derived_roots.append(_root(derived))
            if stored is not None and stored == derived and address.full:
                self.agreed[address.index] = subtree_root(stored)
            else:
                self.tiles[0, address.index] = _Tile(address, [stored, derived])
            progress(min(size, (address.index + 1) * TILE_WIDTH))
        for level in range(1, levels(size)):
            below = [stored_roots, derived_roots]
            stored_roots, derived_roots = [], []
            for address in tiles_of_level(level, size):
                stored = self._hashes(address)
                from_tiles, from_entries = (_joined(roots, address) for roots in below)
                self.tiles[level, address.index] = _Tile(address, [stored, from_tiles, from_entries])
                stored_roots.append(_root(stored))
                derived_roots.append(_root(from_entries))

    def judge(self) -> None:
        """Find the genuine tiles from the checkpoint downwards, then name what differs from them."""
        self._judge_edge()
        for _place, tile in sorted(self.tiles.items(), reverse=True):
            if tile.address.full:
                self._judge_full(tile)
            self._report(tile)
        for index, root in self.agreed.items():
            address = TileAddress(0, index)
            if self._expected(address) not in {None, root}:
                self._found_apart(address)

    def _judge_edge(self) -> None:
        """Partial tiles have nothing above them: together they must give the root of the checkpoint."""
        edge = [tile for tile in self.tiles.values() if not tile.address.full]
        choices = [list(dict.fromkeys(c for c in tile.candidates if c is not None)) for tile in edge]
        for chosen in product(*choices):
            partials = [b""] * levels(self.checkpoint.size)
            for tile, hashes in zip(edge, chosen, strict=True):
                partials[tile.address.level] = hashes
            if RightEdge(self.checkpoint.size, tuple(partials)).root == self.checkpoint.root:
                for tile, hashes in zip(edge, chosen, strict=True):
                    tile.genuine = hashes
                return
        self._found(0, "checkpoint", "doubtful", "the log does not lead to the root hash of the checkpoint")

    def _judge_full(self, tile: _Tile) -> None:
        expected = self._expected(tile.address)
        if expected is None:
            return
        fitting = [hashes for hashes in tile.candidates if _root(hashes) == expected]
        if fitting:
            tile.genuine = fitting[0]
        elif tile.stored is not None:
            self._found_apart(tile.address)

    def _expected(self, address: TileAddress) -> bytes | None:
        """The root that a full tile must have, where the tile above is known to be genuine."""
        parent = self.tiles.get((address.level + 1, address.index // TILE_WIDTH))
        if parent is None or parent.genuine is None:
            return None
        at = address.index % TILE_WIDTH * HASH_SIZE
        return parent.genuine[at : at + HASH_SIZE]

    def _found_apart(self, address: TileAddress) -> None:
        first, last = _first_entry(address), _first_entry(address) + (1 << 8 * (address.level + 1)) - 1
        detail = (
            f"it does not fit the genuine tree above it: entries {first} to {last} cannot be told from it"
        )
        self._found(first, address.path, "changed", detail)

    def _report(self, tile: _Tile) -> None:
        if tile.genuine is not None:
            self._report_against(tile, tile.genuine)
        elif tile.stored is not None:
            self._report_disagreement(tile, tile.stored, tile.candidates[1])

    def _report_against(self, tile: _Tile, genuine: bytes) -> None:
        if tile.stored is not None and tile.stored != genuine:
            positions = ", ".join(map(str, _differing(tile.stored, genuine)))
            detail = f"not what the checkpoint commits to (hashes {positions} of the tile)"
            self._found(tile.first_entry, tile.address.path, "changed", detail)
        if tile.address.level == 0 and tile.candidates[1] is not None:
            for position in _differing(tile.candidates[1], genuine):
                entry = tile.first_entry + position
                self._found(entry, f"entry {entry}", "changed", "not the entry the checkpoint commits to")

    def _report_disagreement(self, tile: _Tile, stored: bytes, derived: bytes | None) -> None:
        """Neither is known to be genuine: only report that the two do not match."""
        if derived is None:
            return
        for position in _differing(stored, derived):
            if tile.address.level == 0:
                entry = tile.first_entry + position
                self._found(entry, f"entry {entry}", "doubtful", f"does not fit {tile.address.path}")
            else:
                below = TileAddress(tile.address.level - 1, tile.address.index * TILE_WIDTH + position)
                first = below.index << 8 * (below.level + 1)
                self._found(first, below.path, "doubtful", f"does not fit {tile.address.path}")

    def _hashes(self, address: TileAddress) -> bytes | None:
        fetched = self._fetched(address)
        if fetched is None:
            return None
        try:
            return address.of_bytes(fetched)
        except MalformedTileError as error:
            self._found(_first_entry(address), address.path, "malformed", str(error))
            return None

    def _leaf_hashes(self, tile: TileAddress) -> bytes | None:
        address = TileAddress(ENTRIES, tile.index, tile.width)
        bundle = self._fetched(address)
        if bundle is None:
            return None
        try:
            entries = decode_bundle(bundle)
        except MalformedTileError as error:
            self._found(_first_entry(address), address.path, "malformed", str(error))
            return None
        if len(entries) < tile.width or len(entries) > TILE_WIDTH:
            detail = f"it has {len(entries)} entries instead of {tile.width}"
            self._found(_first_entry(address) + len(entries), address.path, "malformed", detail)
            return None
        return b"".join(map(leaf_hash, entries[: tile.width]))

    def _fetched(self, address: TileAddress) -> bytes | None:
        try:
            return self.fetch(address)
        except LookupError:
            self._found(_first_entry(address), address.path, "missing", "the log does not have it")
            return None

    def _found(self, entry: int, place: str, problem: _Problem, detail: str) -> None:
        self.findings.add(Finding(entry, place, problem, detail))


def _first_entry(address: TileAddress) -> int:
    return address.index << 8 * (max(address.level, 0) + 1)


def _root(hashes: bytes | None) -> bytes | None:
    return None if hashes is None else subtree_root(hashes)


def _joined(roots: list[bytes | None], address: TileAddress) -> bytes | None:
    first = address.index * TILE_WIDTH
    parts = [root for root in roots[first : first + address.width] if root is not None]
    return b"".join(parts) if len(parts) == address.width else None


def _differing(left: bytes, right: bytes) -> list[int]:
    return [
        at // HASH_SIZE
        for at in range(0, len(left), HASH_SIZE)
        if left[at : at + HASH_SIZE] != right[at : at + HASH_SIZE]
    ]
