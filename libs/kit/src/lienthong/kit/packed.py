"""Large maps that cost little memory, are copied in no time, and lie on disk as they lie in memory.

A `PackedMap` holds bytes under bytes keys. Its entries are spread over 65,536 blocks by a hash of the key
(BLAKE2b, RFC 7693, with a secret, for tenants choose keys: without it they could put all of theirs in one
block); a block is the MessagePack map of its entries, so that a million entries are 65,536 objects and not
three million. It never changes: a draft replaces the blocks that it touches and shares all others, and two
maps that come from one another are compared by looking at which blocks are the same object.
"""

from __future__ import annotations

import os
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_FANOUT = 256
"""Nodes in the map, and blocks in a node."""
SECRET_BYTES: Final = 16
_SECRET: Final = os.urandom(SECRET_BYTES)
"""Of the maps that are made in this process."""
_NO_BLOCKS: Sequence[bytes] = (b"",) * _FANOUT
_FIXMAP, _FULL_FIXMAP, _MAP_16, _FULL_MAP_16 = 0x80, 0x8F, 0xDE, 0xFFFF
"""How a MessagePack map begins that is empty, one of 15 entries, and one of up to 65,535."""
_HEADS: Sequence[bytes] = [bytes((begin + 1,)) for begin in range(_FIXMAP, _FULL_FIXMAP)]
"""How one begins that has an entry more than the map that begins with `_FIXMAP` and this number."""

_decode = msgspec.msgpack.Decoder(dict[bytes, bytes]).decode
_encode = msgspec.msgpack.Encoder().encode


class PackedMap:
    """An immutable map of bytes to bytes. Looking up one entry decodes its block, some 15 of a million."""

    __slots__ = ("_keyed", "_nodes", "secret")

    def __init__(
        self, nodes: Sequence[Sequence[bytes]] = (_NO_BLOCKS,) * _FANOUT, secret: bytes = _SECRET
    ) -> None:
        self._nodes = nodes
        # Copying it takes half the time of making a new one with the secret, for each key.
        self._keyed = blake2b(digest_size=2, key=secret)
        self.secret = secret
        """What the blocks are numbered with; of the maps that come from this one too."""

    @classmethod
    def of(cls, entries: Mapping[bytes, bytes]) -> PackedMap:
        """A map with these entries."""
        draft = PackedMap().edit()
        for key, value in entries.items():
            draft.set(key, value)
        return draft.finish()

    @classmethod
    def of_blocks(cls, blocks: Iterable[tuple[int, bytes]], secret: bytes) -> PackedMap:
        """The map that `blocks()` and its secret describe.

        Raises:
            IndexError: there is no block of a number.
        """
        nodes: list[list[bytes] | None] = [None] * _FANOUT
        for number, block in blocks:
            high, low = divmod(number, _FANOUT)
            node = nodes[high]
            if node is None:
                node = nodes[high] = list(_NO_BLOCKS)
            node[low] = block
        return cls([_NO_BLOCKS if node is None else node for node in nodes], secret)

    def get(self, key: bytes) -> bytes | None:
        """The value of a key; None where it has none."""
        keyed = self._keyed.copy()
        keyed.update(key)
        high, low = keyed.digest()
        block = self._nodes[high][low]
        return _decode(block).get(key) if block else None

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Every entry, in no order that means anything."""
        for _, block in self.blocks():
            yield from _decode(block).items()

    def edit(self) -> PackedDraft:
        """What becomes the next map."""
        return PackedDraft(self._nodes, self._keyed, self.secret)

    def blocks(self) -> Iterator[tuple[int, bytes]]:
        """The number and content of each block that is not empty."""
        for number, _, block in self.changed_blocks(PackedMap()):
            yield number, block

    def changed_blocks(self, before: PackedMap) -> Iterator[tuple[int, bytes, bytes]]:
        """Number, earlier and present content of each block that differs from `before`; empty is none."""
        for high, (old, new) in enumerate(zip(before._nodes, self._nodes, strict=True)):
            if old is not new:
                for low, (was, now) in enumerate(zip(old, new, strict=True)):
                    if was is not now:
                        yield high * _FANOUT + low, was, now


class PackedDraft:
    """Changes of a map; the map itself does not change."""

    __slots__ = ("_keyed", "_nodes", "_own", "_secret")

    def __init__(self, nodes: Iterable[Sequence[bytes]], keyed: blake2b, secret: bytes) -> None:
        self._nodes = list(nodes)
        self._keyed = keyed
        self._secret = secret
        self._own: dict[int, list[bytes]] = {}
        """Nodes that no map has: they are changed in place."""

    def get(self, key: bytes) -> bytes | None:
        """The value of a key as it stands in the draft."""
        node, low = self._opened(key)
        return _decode(node[low]).get(key) if node[low] else None

    def set(self, key: bytes, value: bytes) -> bytes | None:
        """Add an entry, or replace it and return the value that it had; None for one that is new."""
        node, low = self._opened(key)
        block = node[low]
        # Most that are set are new: bytes that are nowhere in a block are no key of it.
        if key not in block:
            # The tuple begins with one byte too, and takes less time than a map.
            node[low] = _with_entry(block, _encode((key, value))[1:])
            return None
        entries = _decode(block) if block else {}
        before = entries.get(key)
        entries[key] = value
        node[low] = _encode(entries)
        return before

    def pop(self, key: bytes) -> bytes | None:
        """Remove an entry and return its value; None where there was none."""
        node, low = self._opened(key)
        block = node[low]
        entries = _decode(block) if block and key in block else {}
        before = entries.pop(key, None)
        if before is not None:
            node[low] = _encode(entries) if entries else b""
        return before

    def finish(self) -> PackedMap:
        """The map with all changes; it takes what the draft has, which cannot be used any more."""
        nodes, self._nodes, self._own = self._nodes, [], {}
        return PackedMap(nodes, self._secret)

    def _opened(self, key: bytes) -> tuple[list[bytes], int]:
        """The node of a key, to be changed, and where in it the key's block is."""
        keyed = self._keyed.copy()
        keyed.update(key)
        high, low = keyed.digest()
        node = self._own.get(high)
        if node is None:
            node = self._nodes[high] = self._own[high] = list(self._nodes[high])
        return node, low


def _with_entry(block: bytes, entry: bytes) -> bytes:
    """A block with one entry more, the MessagePack of a key that it does not have and of its value."""
    begin = block[0] if block else _FIXMAP
    if begin < _FULL_FIXMAP:
        return b"".join((_HEADS[begin - _FIXMAP], block[1:], entry))
    if begin == _MAP_16 and (count := int.from_bytes(block[1:3])) < _FULL_MAP_16:
        return b"".join((block[:1], (count + 1).to_bytes(2), block[3:], entry))
    return _encode(_decode(block) | _decode(b"\x81" + entry))
