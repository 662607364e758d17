"""Where tests write: into memory where the machine has room, since thousands of syncs to a disk take minutes.

What tests kill are processes, never the machine: what a process had synced is there after it, also in memory.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

_MEMORY = Path("/dev/shm")  # noqa: S108 - a file system in memory; the folder below is the user's own
_ROOM_BYTES = 4 * 1024**3


def write_into_memory() -> None:
    """Make a folder in memory the temporary folder of this process and its children.

    Nothing happens where TMPDIR is set, or where there is no such file system with 4 GiB to spare.
    """
    if "TMPDIR" in os.environ or not _has_room():
        return
    # Short: addresses of Unix sockets below it have at most 107 bytes. Open to the user of PostgreSQL.
    folder = _MEMORY / f"lt-{os.getuid()}"
    folder.mkdir(mode=0o711, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        return
    folder.chmod(0o711)
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)


def _has_room() -> bool:
    try:
        return shutil.disk_usage(_MEMORY).free >= _ROOM_BYTES and _available() >= 2 * _ROOM_BYTES
    except OSError:
        return False


def _available() -> int:
    """Bytes of memory that the machine can give (proc(5), MemAvailable)."""
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0
