"""A replica's copy on disk, so that a process can start while the peer that it follows is away.

The file is one header of 40 bytes and the content, all numbers big-endian:

| offset | bytes | meaning |
|---|---|---|
| 0 | 8 | `LTREPLIC` |
| 8 | 4 | format version, 1 |
| 12 | 8 | when the content was last confirmed, microseconds since 1970-01-01 UTC |
| 20 | 8 | length of the content in bytes |
| 28 | 4 | CRC-32 of the content |
| 32 | 4 | CRC-32 of the 32 bytes before |
| 36 | 4 | zero |

The time is stored inside the file: a backup or `cp` sets the modification time to now, and an old copy must
not look new.
"""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from lienthong.kit.files import remove_drafts, replace_file

if TYPE_CHECKING:
    from pathlib import Path

_OLD_DRAFT_S = 3600.0
_MAGIC = b"LTREPLIC"
_VERSION = 1
_FIELDS = struct.Struct(">8sIQQI")
_HEADER = struct.Struct(f">{_FIELDS.size}sI4x")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class CopyUnreadableError(Exception):
    """The file is not a whole copy of this format; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Identifies a content by its length and CRC-32."""

    length: int
    crc: int

    @classmethod
    def of(cls, content: bytes) -> Fingerprint:
        """The fingerprint of `content`."""
        return cls(len(content), zlib.crc32(content))


@dataclass(frozen=True, slots=True)
class SavedCopy:
    """What the file holds."""

    content: bytes
    fingerprint: Fingerprint
    confirmed: datetime
    """When the peer last confirmed the content."""


class DiskCopy:
    """One file, replaced as a whole. Several processes with the same content may share it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> SavedCopy | None:
        """The copy; None when there is no file.

        Raises:
            CopyUnreadableError: the file is damaged, cut short, or of another format.
            OSError: it cannot be read.
        """
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return None
        written, confirmed = _read_header(data[: _HEADER.size])
        content = data[_HEADER.size :]
        if len(content) != written.length:
            raise CopyUnreadableError(f"{len(content)} bytes of content where {written.length} were written")
        if Fingerprint.of(content) != written:
            raise CopyUnreadableError("the content is not what was written (CRC-32 differs)")
        return SavedCopy(content, written, confirmed)

    def remove_drafts(self, now: datetime) -> None:
        """Delete unfinished copies, left by processes that were killed while they saved.

        Raises:
            OSError: they cannot be deleted.
        """
        remove_drafts(self.path, older_than_s=_OLD_DRAFT_S, now=now.timestamp())

    def save(self, content: bytes, confirmed: datetime) -> Fingerprint:
        """Replace the copy; after a crash there is the old one or the new one.

        Raises:
            OSError: it cannot be written; the old copy is kept.
        """
        fingerprint = Fingerprint.of(content)
        replace_file(self.path, _header(fingerprint, confirmed) + content)
        return fingerprint

    def confirm(self, fingerprint: Fingerprint, confirmed: datetime) -> bool:
        """Note that the content was still right at this time; False when the file holds another content.

        Raises:
            OSError: it cannot be noted.
        """
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            found, _ = _read_header(os.pread(descriptor, _HEADER.size, 0))
            if found != fingerprint:
                return False
            # Within one sector of the disk: it is written or it is not.
            os.pwrite(descriptor, _header(fingerprint, confirmed), 0)
        except CopyUnreadableError:
            return False
        finally:
            os.close(descriptor)
        return True


def _header(fingerprint: Fingerprint, confirmed: datetime) -> bytes:
    # A machine whose clock has not been set may say that it is 1969.
    moment = max(0, (confirmed - _EPOCH) // _MICROSECOND)
    fields = _FIELDS.pack(_MAGIC, _VERSION, moment, fingerprint.length, fingerprint.crc)
    return _HEADER.pack(fields, zlib.crc32(fields))


def _read_header(data: bytes) -> tuple[Fingerprint, datetime]:
    if len(data) < _HEADER.size or not data.startswith(_MAGIC):
        raise CopyUnreadableError("the file does not begin with the header of a copy")
    fields, crc = _HEADER.unpack(data)
    if zlib.crc32(fields) != crc:
        raise CopyUnreadableError("the header is damaged (CRC-32 differs)")
    _, version, moment, length, content_crc = _FIELDS.unpack(fields)
    if version != _VERSION:
        raise CopyUnreadableError(f"the format is version {version}, this program reads {_VERSION}")
    try:
        return Fingerprint(length, content_crc), _EPOCH + moment * _MICROSECOND
    except OverflowError:
        raise CopyUnreadableError("the time of the last confirmation is after the year 9999") from None
