"""Addresses of tiles and the format of entry bundles: c2sp.org/tlog-tiles."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lienthong.tlog.errors import MalformedTileError
from lienthong.tlog.merkle import HASH_SIZE

if TYPE_CHECKING:
    from collections.abc import Iterable

TILE_WIDTH: Final = 256
ENTRIES: Final = -1
"""The level of entry bundles, which are below the tiles of level 0."""
MAX_LEVEL: Final = 63
MAX_INDEX: Final = 2**54 - 1
"""The last bundle of a log of 2**62 entries; larger entry indexes would not fit a database's bigint."""
MAX_ENTRY_SIZE: Final = 0xFFFF
"""An entry's length is written as a uint16."""

_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)/(?P<index>(?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, order=True)
class TileAddress:
    """The address of a tile or an entry bundle.

    `level` is `ENTRIES` or 0 to 63, `index` counts the tiles of the level from the left, `width` is the
    number of hashes or entries in it, 256 in a full one.
    """

    level: int
    index: int
    width: int = TILE_WIDTH

    def __post_init__(self) -> None:
        if not ENTRIES <= self.level <= MAX_LEVEL:
            raise MalformedTileError(f"a tile's level is {self.level}, not between 0 and {MAX_LEVEL}")
        if not 0 <= self.index <= MAX_INDEX:
            raise MalformedTileError(f"a tile's index is {self.index}, not between 0 and {MAX_INDEX}")
        if not 1 <= self.width <= TILE_WIDTH:
            raise MalformedTileError(f"a tile's width is {self.width}, not between 1 and {TILE_WIDTH}")

    @classmethod
    def of_tree(cls, level: int, index: int, size: int) -> TileAddress:
        """The address of a tile in the tree of `size` leaves: full, or as wide as the tree fills it.

        Raises:
            MalformedTileError: the tree has no such tile.
        """
        return cls(level, index, min(TILE_WIDTH, hashes_of_level(level, size) - index * TILE_WIDTH))

    @classmethod
    def parse(cls, path: str) -> TileAddress:
        """Read `tile/<L>/<N>[.p/<W>]` or `tile/entries/<N>[.p/<W>]`, in its one canonical spelling.

        Raises:
            MalformedTileError: the path is spelled in any other way.
        """
        found = _PATH.fullmatch(path)
        if found is None:
            raise MalformedTileError(f"not the path of a tile: {path!r}")
        level = ENTRIES if found["level"] == "entries" else int(found["level"])
        width = TILE_WIDTH if found["width"] is None else int(found["width"])
        address = cls(level, int(found["index"].replace("x", "").replace("/", "")), width)
        if address.path != path:
            raise MalformedTileError(f"the path of this tile is spelled {address.path!r}, not {path!r}")
        return address

    @property
    def path(self) -> str:
        """The tile's path under the log's prefix, e.g. `tile/0/x001/x234/067.p/112`."""
        level = "entries" if self.level == ENTRIES else str(self.level)
        digits = str(self.index)
        digits = digits.zfill((len(digits) + 2) // 3 * 3)
        groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        index = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
        return f"tile/{level}/{index}" + ("" if self.full else f".p/{self.width}")

    @property
    def full(self) -> bool:
        """Whether the tile can never grow any more."""
        return self.width == TILE_WIDTH

    def of_bytes(self, stored: bytes) -> bytes:
        """The hashes that this address names, cut out of a stored tile that may have grown since.

        Raises:
            MalformedTileError: the stored tile is narrower, or not made of whole hashes.
        """
        if len(stored) % HASH_SIZE or len(stored) > TILE_WIDTH * HASH_SIZE:
            raise MalformedTileError(f"{self.path} has {len(stored)} bytes, which is no number of hashes")
        if len(stored) < self.width * HASH_SIZE:
            raise MalformedTileError(
                f"{self.path} has {len(stored) // HASH_SIZE} hashes instead of {self.width}"
            )
        return stored[: self.width * HASH_SIZE]


def hashes_of_level(level: int, size: int) -> int:
    """How many hashes all tiles of a level hold together when the tree has `size` leaves."""
    return size if level == ENTRIES else size >> (8 * level)


def levels(size: int) -> int:
    """How many levels of tiles the tree of `size` leaves has."""
    return (size.bit_length() + 7) // 8


def tiles_of_level(level: int, size: int) -> list[TileAddress]:
    """Every tile of a level, from the left, for the tree of `size` leaves."""
    count = -(-hashes_of_level(level, size) // TILE_WIDTH)
    return [TileAddress.of_tree(level, index, size) for index in range(count)]


def encode_bundle(entries: Iterable[bytes]) -> bytes:
    """Write entries as a bundle: each with its length as a big-endian uint16 before it.

    Raises:
        MalformedTileError: an entry is longer than 65,535 bytes.
    """
    parts: list[bytes] = []
    for entry in entries:
        if len(entry) > MAX_ENTRY_SIZE:
            raise MalformedTileError(f"an entry of {len(entry)} bytes is too long for a bundle")
        parts += (len(entry).to_bytes(2, "big"), entry)
    return b"".join(parts)


def decode_bundle(bundle: bytes) -> list[bytes]:
    """Read the entries of a bundle.

    Raises:
        MalformedTileError: the bundle ends within an entry.
    """
    entries: list[bytes] = []
    at = 0
    while at < len(bundle):
        start = at + 2
        at = start + int.from_bytes(bundle[at:start], "big")
        if start > len(bundle) or at > len(bundle):
            raise MalformedTileError(f"the bundle ends within its entry {len(entries)}")
        entries.append(bundle[start:at])
    return entries
