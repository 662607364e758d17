"""Files that are written whole: after a crash there is the old content or the new one, never half of it.

Both functions return only after the content and the folder's entry are on disk. They need nothing of the
platform, so that the SDK can be installed alone.
"""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PRIVATE = 0o600
"""Read and written by the owner only."""
PUBLIC = 0o644
"""Read by everyone."""


def create_file(path: Path, content: bytes, *, mode: int = PRIVATE) -> None:
    """Write a file that must not exist; raises FileExistsError where it does, OSError where writing fails."""
    with _draft(path, content, mode) as draft:
        try:
            os.link(draft, path)
        except FileExistsError:
            raise
        except OSError:
            # A file system without links (a USB stick): look first, then move.
            if path.exists():
                raise FileExistsError(f"{path} exists") from None
            draft.rename(path)
    _sync_folder(path.parent)


def replace_file(path: Path, content: bytes, *, mode: int = PUBLIC) -> None:
    """Write a file, or replace the one that is there; raises OSError and then leaves the old one as it was.

    A link is followed; what is no regular file (`/dev/stdout`, a pipe) is written to.
    """
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return
    path = path.resolve()
    with _draft(path, content, mode) as draft:
        draft.replace(path)
    _sync_folder(path.parent)


@contextmanager
def _draft(path: Path, content: bytes, mode: int) -> Iterator[Path]:
    """A file beside `path` with the content, on disk already; it is gone afterwards."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return  # Windows opens no folders, and writes their entries by itself.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
