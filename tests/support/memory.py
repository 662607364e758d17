"""Where tests write: into memory where the machine has room, since thousands of syncs to a disk take minutes.

What tests kill are processes, never the machine: what a process had synced is there after it, also in memory.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a file system in memory; the folders below are the user's own
_ROOM_BYTES: Final = 4 * 1024**3
_MOST_RUNS: Final = 16
"""Runs at one time that write into memory, and folders that are looked for."""


@dataclass(frozen=True, slots=True)
class Written:
    """Where a run writes; `lock` is held while it lasts, None where the folder is not this process's own."""

    told: str
    folder: Path | None = None
    lock: int | None = None

    def give_back(self) -> None:
        """Remove the folder, if it is the own one."""
        if self.folder is not None and self.lock is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
            os.close(self.lock)


def write_into_memory(memory: Path = MEMORY, room_bytes: int = _ROOM_BYTES) -> Written:
    """Make a folder in memory the temporary folder of this process and its children.

    What runs that were killed have left there is removed first: it would take the room of this one, and of
    the machine. Nothing else happens where TMPDIR is set, or where there is no such file system with
    `room_bytes` to spare and twice as much memory.
    """
    if (chosen := os.environ.get("TMPDIR")) is not None:
        return Written(f"in {chosen}, as TMPDIR says")
    try:
        taken = _take_folder(memory)
        free, available = shutil.disk_usage(memory).free, _available()
    except OSError as error:
        return Written(f"to disk, which takes longer: {error}")
    if taken is None:
        return Written(f"to disk, which takes longer: no folder of its own is to be had in {memory}")
    if free < room_bytes or available < 2 * room_bytes:
        taken.give_back()
        return Written(
            f"to disk, which takes longer: {memory} has {_gib(free)} of the {_gib(room_bytes)} wanted, "
            f"memory {_gib(available)} of {_gib(2 * room_bytes)}"
        )
    os.environ["TMPDIR"] = tempfile.tempdir = str(taken.folder)
    return taken


def _take_folder(memory: Path) -> Written | None:
    """The first folder that no run holds, empty; others that none holds are removed."""
    taken = None
    for number in range(_MOST_RUNS):
        # Short: addresses of Unix sockets below it have at most 107 bytes. Open to the user of PostgreSQL.
        folder = memory / f"lt-{os.getuid()}-{number}"
        if taken is None:
            folder.mkdir(mode=0o711, exist_ok=True)
        if (lock := _lock(folder)) is None:
            continue
        if taken is None:
            _empty(folder)
            folder.chmod(0o711)
            taken = Written(f"in {folder}", folder, lock)
        else:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)
    return taken


def _lock(folder: Path) -> int | None:
    """A lock on a folder of our own that is there; None where there is none, or another run holds it.

    Processes that a run has forked hold it too, until they end.
    """
    try:
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        held, there = os.fstat(opened), folder.lstat()
        if held.st_uid == os.getuid() and (held.st_dev, held.st_ino) == (there.st_dev, there.st_ino):
            return opened
    except OSError:
        pass
    os.close(opened)
    return None


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        if stat.S_ISDIR(entry.lstat().st_mode):
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)


def _available() -> int:
    """Bytes of memory that the machine can give (proc(5), MemAvailable)."""
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0


def _gib(size: int) -> str:
    return f"{size / 1024**3:.1f} GiB"
