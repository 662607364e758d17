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

_decode = msgspec.msgpack.Decoder(dict[bytes, bytes]).decode
_encode = msgspec.msgpack.Encoder().encode


class PackedMap:
    """An immutable map of bytes to bytes. Looking up one entry decodes its block, some 15 of a million."""

    __slots__ = ("_nodes", "secret")

    def __init__(
        self, nodes: Sequence[Sequence[bytes]] = (_NO_BLOCKS,) * _FANOUT, secret: bytes = _SECRET
    ) -> None:
        self._nodes = nodes
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
            high = number // _FANOUT
            node = nodes[high]
            if node is None:
                node = nodes[high] = list(_NO_BLOCKS)
            node[number % _FANOUT] = block
        return cls([_NO_BLOCKS if node is None else node for node in nodes], secret)

    def get(self, key: bytes) -> bytes | None:
        """The value of a key; None where it has none."""
        block = self._block(_number(key, self.secret))
        return _decode(block).get(key) if block else None

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Every entry, in no order that means anything."""
        for _, block in self.blocks():
            yield from _decode(block).items()

    def edit(self) -> PackedDraft:
        """What becomes the next map."""
        return PackedDraft(self)

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

    def _block(self, number: int) -> bytes:
        return self._nodes[number // _FANOUT][number % _FANOUT]

    def _with(self, blocks: Mapping[int, bytes]) -> PackedMap:
        nodes: list[Sequence[bytes]] = list(self._nodes)
        own: dict[int, list[bytes]] = {}
        for number, block in blocks.items():
            high, low = divmod(number, _FANOUT)
            if high not in own:
                own[high] = nodes[high] = list(nodes[high])
            own[high][low] = block
        return PackedMap(nodes, self.secret)


class PackedDraft:
    """Changes of a map; the map itself does not change."""

    __slots__ = ("_base", "_open")

    def __init__(self, base: PackedMap) -> None:
        self._base = base
        self._open: dict[int, dict[bytes, bytes]] = {}

    def get(self, key: bytes) -> bytes | None:
        """The value of a key as it stands in the draft."""
        return self._entries(key).get(key)

    def set(self, key: bytes, value: bytes) -> None:
        """Add an entry, or replace it."""
        self._entries(key)[key] = value

    def pop(self, key: bytes) -> bytes | None:
        """Remove an entry and return its value; None where there was none."""
        return self._entries(key).pop(key, None)

    def finish(self) -> PackedMap:
        """The map with all changes."""
        blocks = {number: _encode(entries) if entries else b"" for number, entries in self._open.items()}
        return self._base._with(blocks)  # noqa: SLF001 - the other half of the same class

    def _entries(self, key: bytes) -> dict[bytes, bytes]:
        number = _number(key, self._base.secret)
        entries = self._open.get(number)
        if entries is None:
            block = self._base._block(number)  # noqa: SLF001
            entries = self._open[number] = _decode(block) if block else {}
        return entries


def _number(key: bytes, secret: bytes) -> int:
    return int.from_bytes(blake2b(key, digest_size=2, key=secret).digest())
