"""Copies on disk, so that a gateway can start while the catalog or identity is away."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class DiskCopy:
    """One file, replaced as a whole; its modification time says when its content was last confirmed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> tuple[bytes, datetime] | None:
        """The content and when it was last confirmed; None when there is no copy."""
        try:
            content = self.path.read_bytes()
            confirmed = self.path.stat().st_mtime
        except FileNotFoundError:
            return None
        return content, datetime.fromtimestamp(confirmed, UTC)

    def save(self, content: bytes, confirmed: datetime) -> None:
        """Replace the copy; after a crash there is the old one or the new one.

        Raises:
            OSError: it cannot be written; the old one stands.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.utime(file.fileno(), (confirmed.timestamp(), confirmed.timestamp()))
            os.fsync(file.fileno())
        draft.replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def confirm(self, confirmed: datetime) -> None:
        """Note that the content was still right at this time.

        Raises:
            OSError: it cannot be noted.
        """
        os.utime(self.path, (confirmed.timestamp(), confirmed.timestamp()))
