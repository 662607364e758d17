"""A disk that is full for one process, and has room again: without a disk of its own, and without any right.

For some files alone `strace` has the calls fail that write them, by ENOSPC. For all files of a process: past
the limit of a file's size (RLIMIT_FSIZE, setrlimit(2)) a write fails by EFBIG, where on a full disk it would
by ENOSPC. Files that are there already fail at once; a process that is started later has no limit.
"""

from __future__ import annotations

import os
import re
import resource
import signal
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.syscalls import demand_strace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@contextmanager
def no_room(*pids: int) -> Iterator[None]:
    """Let no process of these make any file larger than it is, nor write a new one."""
    for pid in pids:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    yield
    for pid in pids:
        room_again(pid)


def no_room_in(files: Iterable[Path]) -> list[str]:
    """The words before a command that has its writes to these files fail, until `room_in_files_again`.

    Without strace, or the right to trace, the test is skipped and says so; on CI it fails.
    """
    demand_strace()
    paths = [word for path in files for word in ("-P", str(path))]
    calls = "pwrite64,pwritev,pwritev2,fallocate"
    # -D: the process id is the command's own. -I2: it can be asked to let go. Not --seccomp-bpf: without
    # strace such calls would fail for ever.
    options = ["-D", "-f", "-I2", "-qq", "-o", os.devnull, "-e", f"trace={calls}"]
    return ["strace", *options, "-e", f"inject={calls}:error=ENOSPC", *paths]


def room_in_files_again(pid: int) -> None:
    """Let a command that was begun with `no_room_in` write all files again."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    (tracer,) = re.findall(r"^TracerPid:\t(\d+)$", status, re.MULTILINE)
    assert int(tracer), "it is not traced"
    os.kill(int(tracer), signal.SIGTERM)


def room_again(pid: int) -> None:
    """Take the limit away, if the process still lives."""
    try:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    except ProcessLookupError:
        return
