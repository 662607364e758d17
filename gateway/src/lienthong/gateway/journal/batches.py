"""Batches of records, and the frames in which the spool stores them."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BATCH_RECORDS = 512
MAX_BATCH_BYTES = 512 * 1024

_HEAD = struct.Struct(">II")  # length of the body, CRC-32 of the body
_BODY = struct.Struct(">36sH")  # batch id, number of records; the payload follows
_MAX_BODY_BYTES = _BODY.size + MAX_BATCH_BYTES + MAX_BATCH_RECORDS


@dataclass(frozen=True, slots=True)
class Batch:
    """The content of one message: `count` records joined by newlines, and the id (a UUID) of the batch."""

    id: str
    count: int
    payload: bytes


def frame(batch: Batch) -> bytes:
    """The batch as a spool file has it: length and CRC-32 (big-endian), id, count, payload."""
    body = _BODY.pack(batch.id.encode(), batch.count) + batch.payload
    return _HEAD.pack(len(body), zlib.crc32(body)) + body


def unframe(data: bytes) -> Iterator[Batch]:
    """The batches of a spool file, up to its end or the first frame that is incomplete or damaged.

    A torn or damaged tail was never acknowledged to anyone: that happens only after a frame is on disk.
    """
    position = 0
    while position + _HEAD.size <= len(data):
        length, checksum = _HEAD.unpack_from(data, position)
        start, end = position + _HEAD.size, position + _HEAD.size + length
        if not _BODY.size <= length <= _MAX_BODY_BYTES or end > len(data):
            return
        body = data[start:end]
        if zlib.crc32(body) != checksum:
            return
        batch_id, count = _BODY.unpack_from(body)
        yield Batch(batch_id.decode(), count, body[_BODY.size :])
        position = end
