"""A ledger in memory: entries, tiles, a signed checkpoint and receipts, made by the mathematics of `tlog`."""

from __future__ import annotations

from lienthong.tlog import (
    ENTRIES,
    Checkpoint,
    Receipt,
    RightEdge,
    SigningKey,
    TileAddress,
    encode_bundle,
    grow,
    inclusion_proof,
    inclusion_tiles,
    leaf_hash,
)

ORIGIN = "lgsp/VN-TEST/ledger"


class AuditLog:
    """Grows by `append`; `entries` may be tampered with afterwards, as a thief would."""

    def __init__(self, entries: list[bytes] | None = None, *, seed: bytes = bytes(32)) -> None:
        self.key = SigningKey(ORIGIN, seed)
        self.entries: list[bytes] = []
        self.tiles: dict[tuple[int, int], bytes] = {}
        self._edge = RightEdge()
        for entry in entries or []:
            self.append(entry)

    @property
    def vkey(self) -> str:
        """The public key as text."""
        return str(self.key.verifier)

    @property
    def checkpoint(self) -> str:
        """The signed head."""
        return Checkpoint(ORIGIN, self._edge.size, self._edge.root).signed(self.key)

    def append(self, entry: bytes) -> int:
        """Append an entry; returns its index."""
        self.entries.append(entry)
        self._edge, tiles = grow(self._edge, [leaf_hash(entry)])
        self.tiles |= tiles
        return self._edge.size - 1

    def stored(self, address: TileAddress) -> bytes | None:
        """The bytes of a tile or bundle in the width that is stored, none where there is none."""
        if address.level == ENTRIES:
            start = address.index * 256
            found = self.entries[start : start + address.width]
            return encode_bundle(found) if len(found) == address.width else None
        tile = self.tiles.get((address.level, address.index))
        return tile if tile is not None and len(tile) == address.width * 32 else None

    def receipt(self, index: int, *, with_entry: bool = True) -> str:
        """The receipt of an entry under the present checkpoint."""
        needed = {address: self.tiles[address.level, address.index] for address in self._tiles(index)}
        proof = inclusion_proof(index, self._edge.size, needed)
        return str(Receipt(index, proof, self.checkpoint, self.entries[index] if with_entry else None))

    def _tiles(self, index: int) -> list[TileAddress]:
        return inclusion_tiles(index, self._edge.size)
