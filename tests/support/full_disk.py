"""A disk that is full for one process, and has room again: without a disk of its own, and without any right.

Past the limit of a file's size (RLIMIT_FSIZE, setrlimit(2)) a write fails by EFBIG, where on a full disk it
would by ENOSPC. Files that are there already fail at once; a process that is started later has no limit.
"""

from __future__ import annotations

import resource
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def no_room(*pids: int) -> Iterator[None]:
    """Let no process of these make any file larger than it is, nor write a new one."""
    for pid in pids:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    yield
    for pid in pids:
        room_again(pid)


def room_again(pid: int) -> None:
    """Take the limit away, if the process still lives."""
    try:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    except ProcessLookupError:
        return
