"""What every process shows of itself: memory, descriptors, processor time, and how late its event loop is."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from lienthong.kit.metrics import instruments
from lienthong.kit.metrics.durations import Durations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lienthong.kit.metrics.figures import Figures

LOOK_EVERY_S: Final = 0.1
LAG_BOUNDS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_DESCRIPTORS: Final = Path("/proc/self/fd" if sys.platform == "linux" else "/dev/fd")
_NET: Final = Path("/proc/self/net")
_ESTABLISHED: Final = "01"
_STATM: Final = Path("/proc/self/statm")
_KIB: Final = 1024


def show_process(figures: Figures) -> None:
    """Show what the system knows of this process."""
    started = time.time()
    figures.observe(instruments.START_TIME, lambda: started)
    figures.observe(instruments.MEMORY, resident_memory)
    figures.observe(instruments.DESCRIPTORS, lambda: len(_descriptors()))
    figures.observe(instruments.DESCRIPTOR_LIMIT, lambda: resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    figures.observe_each(
        instruments.CPU_TIME,
        lambda: (
            (os.times().user, {"cpu.mode": "user"}),
            (os.times().system, {"cpu.mode": "system"}),
        ),
    )


def show_disk(figures: Figures, folder: Path) -> None:
    """Show what is free on the disk of a folder, which may not be there yet, and how large that disk is."""
    figures.observe(instruments.DISK_FREE, lambda: _disk(folder, "free"))
    figures.observe(instruments.DISK_SIZE, lambda: _disk(folder, "total"))


def show_connections(figures: Figures, *ports: int) -> None:
    """Show how many connections to `ports` of this process are open."""
    figures.observe(instruments.SERVER_CONNECTIONS, lambda: connections_to(*ports))


async def watch_loop(figures: Figures) -> None:
    """Measure how late the event loop wakes up, until cancelled."""
    lag: Durations[None] = Durations(instruments.LOOP_LAG, lambda _: {}, LAG_BOUNDS)
    figures.add(lag)
    series = lag.series(None)
    # Not the loop's clock: uvloop's has whole milliseconds.
    now = time.monotonic
    while True:
        due = now() + LOOK_EVERY_S
        await asyncio.sleep(LOOK_EVERY_S)
        series.record(max(now() - due, 0.0))


def resident_memory() -> int:
    """Bytes of this process in memory; where the system does not say, the most that there ever were."""
    try:
        return int(_STATM.read_text("ascii").split()[1]) * resource.getpagesize()
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * _KIB


def connections_to(*ports: int) -> int | None:
    """How many TCP connections of this process have one of `ports` as their own end; None but on Linux."""
    tables = [_NET / name for name in ("tcp", "tcp6") if (_NET / name).exists()]
    if not tables:
        return None
    own = set(_own_sockets())
    found = 0
    for table in tables:
        with table.open(encoding="ascii") as lines:
            next(lines, None)
            for line in lines:
                _, local, _, state, _, _, _, _, _, inode, *_ = line.split()
                if state == _ESTABLISHED and int(local.rpartition(":")[2], 16) in ports and inode in own:
                    found += 1
    return found


def _disk(folder: Path, part: Literal["free", "total"]) -> int | None:
    for each in (folder, *folder.parents):
        with contextlib.suppress(FileNotFoundError):
            return int(getattr(shutil.disk_usage(each), part))
    return None


def _own_sockets() -> Iterator[str]:
    """The inodes of this process's sockets. Read from their names: a copy would keep a lock that it has."""
    for descriptor in _descriptors():
        with contextlib.suppress(OSError):
            kind, _, inode = os.readlink(_DESCRIPTORS / str(descriptor)).partition(":")  # noqa: PTH115
            if kind == "socket":
                yield inode.strip("[]")


def _descriptors() -> list[int]:
    return [int(name) for name in os.listdir(_DESCRIPTORS) if name.isdigit()]  # noqa: PTH208 - half the time
