"""Files that are written whole: after a crash there is the old content or the new one, never half of it.

Every function that writes returns only after the content and the folder's entry are on disk (fsync of both).
Folders that are missing are made for their owner alone (mode 0700), and are on disk likewise. Files get mode
0600 unless the caller names another; the process's umask applies. And files that one process locks at a time.
"""

from __future__ import annotations

import fcntl
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
_DRAFT_DIGITS = 16


def replace_file(path: Path, content: bytes | str, *, mode: int = PRIVATE) -> None:
    """Write `content` (text as UTF-8) to `path`, whether or not there is a file.

    Readers see the old file or the new one. Several processes may do this at once: the last one wins.

    Raises:
        OSError: it cannot be written; the old file is untouched.
    """
    with _draft(path, content, mode) as draft:
        draft.replace(path)
    sync_folder(path.parent)


def create_file(path: Path, content: bytes | str, *, mode: int = PRIVATE) -> None:
    """Write `content` (text as UTF-8) to `path`, which must not exist.

    Of several processes that do this at once exactly one succeeds, and no reader sees an unfinished file.

    Raises:
        FileExistsError: there is a file of this name; it is untouched.
        OSError: it cannot be written.
    """
    with _draft(path, content, mode) as draft:
        # A link, unlike a rename, fails when the name is taken.
        path.hardlink_to(draft)
    sync_folder(path.parent)


def make_folder(folder: Path) -> None:
    """Make a folder that is missing, with those above it, and have their names on disk; harmless otherwise.

    A file in a folder that a power failure takes away is gone too, however often it was synced itself.

    Raises:
        OSError: it cannot be made.
    """
    for missing in reversed([one for one in (folder, *folder.parents) if not one.is_dir()]):
        missing.mkdir(mode=0o700, exist_ok=True)
        sync_folder(missing.parent)


def sync_folder(folder: Path) -> None:
    """Make what was created, renamed or deleted in `folder` survive a power failure.

    Raises:
        OSError: the folder cannot be opened or synced.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def lock_file(path: Path) -> int | None:
    """Lock a file, which is made (mode 0600) where it is missing; None when another process has it locked.

    The lock is held by the descriptor that is returned (flock(2)): until it is closed, or the process ends,
    however it does.

    Raises:
        OSError: the file cannot be opened or locked.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


@contextmanager
def locked(path: Path) -> Iterator[bool]:
    """Hold `lock_file` for a block, without waiting; the value says whether it is held.

    Raises:
        OSError: the file cannot be opened or locked.
    """
    descriptor = lock_file(path)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            os.close(descriptor)


@contextmanager
def _draft(path: Path, content: bytes | str, mode: int) -> Iterator[Path]:
    """A finished and synced file beside `path`; gone afterwards, unless it was renamed."""
    make_folder(path.parent)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(_DRAFT_DIGITS // 2)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        yield draft
    finally:
        draft.unlink(missing_ok=True)
