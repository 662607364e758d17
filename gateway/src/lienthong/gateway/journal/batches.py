"""Batches of records, and the frames in which they lie on disk.

A frame begins with four bytes that are in no UTF-8 text, and so in no record: a reader finds the next whole
frame behind a damaged one, and looks at each byte of a file once.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_BATCH_RECORDS = 512
MAX_BATCH_BYTES = 512 * 1024

_MAGIC: Final = b"\xff\xfeLT"
_MEASURES: Final = struct.Struct(">8s4s36s64s")
"""Length of the payload and number of records (in hex), batch id, SHA-256 of the payload (in hex)."""
_HEAD_BYTES: Final = len(_MAGIC) + _MEASURES.size + 8
_MAX_PAYLOAD_BYTES: Final = MAX_BATCH_BYTES + MAX_BATCH_RECORDS
_OLD_HEAD = struct.Struct(">II")  # of files written before the magic: length and CRC-32 of the body
_OLD_BODY = struct.Struct(">36sH")  # batch id, number of records; the payload follows
_WINDOW: Final = 2 * (_HEAD_BYTES + _MAX_PAYLOAD_BYTES)


@dataclass(frozen=True)
class Batch:
    """The content of one message: `count` records joined by newlines, and the id (a UUID) of the batch."""

    id: str
    count: int
    payload: bytes

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the payload, in hex."""
        return sha256(self.payload).hexdigest()


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes of a file that are no whole frame.

    `torn` says that they are the beginning of a frame at the file's end, as a write leaves it that was cut
    off: it was acknowledged to nobody.
    """

    offset: int
    length: int
    torn: bool


def head(batch: Batch) -> bytes:
    """What stands before the payload in a file: magic, measures, CRC-32 of the measures (in hex).

    But for the magic nothing of it has the byte 0xFF.
    """
    text = f"{len(batch.payload):08x}{batch.count:04x}{batch.id}{batch.sha256}"
    measures = text.encode()
    return b"%b%b%08x" % (_MAGIC, measures, zlib.crc32(measures))


def frame(batch: Batch) -> bytes:
    """The batch as a file has it."""
    return head(batch) + batch.payload


def scan(read: Callable[[int, int], bytes], start: int = 0) -> Iterator[tuple[int, Batch | Damage]]:
    """The batches of a file from `start` on and what is damaged between them, each with the offset behind it.

    `read` gives bytes of the file by offset and number; at most about two megabytes are in memory.
    """
    window = _Window(read, start)
    old_format = True
    while window.fill():
        offset, head = window.offset, window.view(len(_MAGIC))
        if head == _MAGIC[: len(head)]:
            old_format = False
            length, batch = _frame(window)
        else:
            length, batch = _old_frame(window) if old_format else (0, None)
        if batch is not None:
            window.skip(length)
            yield window.offset, batch
        else:
            old_format = False
            skipped = window.skip_damage()
            yield window.offset, Damage(offset, skipped, torn=length > 0)


class _Window:
    """The part of a file that is in memory: what follows `offset`, at least as much as one frame can have."""

    def __init__(self, read: Callable[[int, int], bytes], start: int) -> None:
        self._read = read
        self._bytes = b""
        self._at = 0
        self.offset = start
        self.ended = False

    @property
    def left(self) -> int:
        """How many bytes are in memory."""
        return len(self._bytes) - self._at

    def fill(self) -> int:
        """Have enough bytes for a frame, or all that there are; returns how many."""
        while self.left < _WINDOW // 2 and not self.ended:
            more = self._read(self.offset + self.left, _WINDOW)
            self.ended = not more
            self._bytes, self._at = self._bytes[self._at :] + more, 0
        return self.left

    def view(self, most: int) -> bytes:
        """The next bytes."""
        return self._bytes[self._at : self._at + most]

    def next_magic(self) -> int:
        """How far the next frame's magic is away, behind the one here; without one all that is in memory."""
        found = self._bytes.find(_MAGIC, self._at + 1)
        return (found if found >= 0 else len(self._bytes)) - self._at

    def skip(self, length: int) -> None:
        """Go on behind so many bytes."""
        self._at += length
        self.offset += length

    def skip_damage(self) -> int:
        """Go on at the next magic, or at the end; returns how many bytes are passed over."""
        began = self.offset
        while left := self.fill():
            length = self.next_magic()
            if length < left or self.ended:
                self.skip(length)
                break
            # The magic may lie across the edge of what is in memory.
            self.skip(left - len(_MAGIC) + 1)
            if self.view(len(_MAGIC)) == _MAGIC:
                break
        return self.offset - began


def _frame(window: _Window) -> tuple[int, Batch | None]:
    """The frame here and its length; without a batch the length is 0, but for a torn frame."""
    room = window.next_magic()
    last = window.ended and room == window.left
    head = window.view(_HEAD_BYTES)
    if len(head) < _HEAD_BYTES:
        return (len(head) if last else 0), None
    measures = head[len(_MAGIC) : -8]
    if b"%08x" % zlib.crc32(measures) != head[-8:]:
        return 0, None
    length_text, count_text, batch_id, digest = _MEASURES.unpack(measures)
    length = int(length_text, 16)
    if length > _MAX_PAYLOAD_BYTES:
        return 0, None
    if _HEAD_BYTES + length > room:
        return (room if last else 0), None
    batch = Batch(batch_id.decode(), int(count_text, 16), window.view(_HEAD_BYTES + length)[_HEAD_BYTES:])
    return (_HEAD_BYTES + length, batch) if batch.sha256.encode() == digest else (0, None)


def _old_frame(window: _Window) -> tuple[int, Batch | None]:
    """As `_frame`, of a file that was written without magic: nothing tells where the next frame begins."""
    head = window.view(_OLD_HEAD.size)
    if len(head) < _OLD_HEAD.size:
        return len(head), None
    length, checksum = _OLD_HEAD.unpack(head)
    if not _OLD_BODY.size <= length <= _OLD_BODY.size + _MAX_PAYLOAD_BYTES:
        return 0, None
    body = window.view(_OLD_HEAD.size + length)[_OLD_HEAD.size :]
    if len(body) < length:
        return window.left, None
    if zlib.crc32(body) != checksum:
        return 0, None
    batch_id, count = _OLD_BODY.unpack_from(body)
    return _OLD_HEAD.size + length, Batch(batch_id.decode(), count, body[_OLD_BODY.size :])
