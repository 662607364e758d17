"""Processes that stand still for a while: SIGSTOP, then SIGCONT."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator


def family(pid: int) -> list[int]:
    """A process and all that come from it."""
    return [pid, *(each for child in _children(pid) for each in family(child))]


@contextmanager
def standing_still(*pids: int) -> Iterator[None]:
    """Let these processes, and all that come from them, stand still during the block."""
    stopped = [each for pid in pids for each in _stop(pid)]
    try:
        wait_until(lambda: all(_stands_still(pid) for pid in stopped), "they do not stand still")
        yield
    finally:
        for pid in reversed(stopped):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def _stop(pid: int) -> list[int]:
    """Stop a process before its children are looked for: what stands still starts nobody else."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
    return [pid, *(each for child in _children(pid) for each in _stop(child))]


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]
    except FileNotFoundError:
        return []


def _stands_still(pid: int) -> bool:
    """Whether all threads have stopped, or the process is gone."""
    try:
        states = [stat.read_text(encoding="ascii") for stat in Path(f"/proc/{pid}/task").glob("*/stat")]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return all(stat.rpartition(")")[2].split()[0] in {"T", "t", "Z", "X"} for stat in states)
