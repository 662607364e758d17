"""Signs of life of the workers, in a file that all of them and their parent have in memory.

A place for each seat: the process that has it, a number that grows while its event loop moves, and how often
a worker was replaced there, by reason. One writer for each number: the worker, or the parent.
"""

from __future__ import annotations

import asyncio
import mmap
import os
import struct
from contextlib import suppress
from enum import Enum
from typing import TYPE_CHECKING, Final

from lienthong.gateway.workers import MOST

if TYPE_CHECKING:
    from pathlib import Path

    from lienthong.gateway.workers import Seat

BEAT_EVERY_S: Final = 0.5
_PLACE: Final = struct.Struct("=QQQQ")
_NUMBER: Final = struct.Struct("=Q")
_NAME: Final = "beats"


class Reason(Enum):
    """Why a worker was replaced; the value is its column in a place."""

    ENDED = 2
    STUCK = 3


class Beats:
    """The places of all seats."""

    def __init__(self, folder: Path) -> None:
        descriptor = os.open(folder / _NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            size = MOST * _PLACE.size
            if os.fstat(descriptor).st_size < size:
                # Written, not only made so long: a page for which the disk has no room would end us (SIGBUS).
                os.pwrite(descriptor, bytes(size), 0)
            self._places = mmap.mmap(descriptor, size)
        finally:
            os.close(descriptor)

    def of_processes(self) -> dict[int, int]:
        """The number that grows, by process id; also of processes that have just ended."""
        found = (_PLACE.unpack_from(self._places, seat * _PLACE.size) for seat in range(MOST))
        return {process: beat for process, beat, _, _ in found if process}

    def seat_of(self, process: int) -> int | None:
        """The seat that a process has, or had when it ended."""
        for seat in range(MOST):
            if self._read(seat, 0) == process:
                return seat
        return None

    def beat(self, seat: int, process: int) -> None:
        """Give a sign of life of the process that has the seat."""
        self._write(seat, 1, self._read(seat, 1) + 1)
        self._write(seat, 0, process)

    def forget(self, seat: int) -> None:
        """The process of the seat has ended: another one may get its process id."""
        self._write(seat, 0, 0)

    def count(self, seat: int, reason: Reason) -> None:
        """Count a worker that is replaced."""
        self._write(seat, reason.value, self._read(seat, reason.value) + 1)

    def counted(self, seat: int) -> dict[Reason, int]:
        """How many workers were replaced at this seat."""
        return {reason: self._read(seat, reason.value) for reason in Reason}

    def _read(self, seat: int, column: int) -> int:
        (number,) = _NUMBER.unpack_from(self._places, seat * _PLACE.size + column * _NUMBER.size)
        return int(number)

    def _write(self, seat: int, column: int, number: int) -> None:
        _NUMBER.pack_into(self._places, seat * _PLACE.size + column * _NUMBER.size, number)


class Heart:
    """Has a worker's event loop give signs of life; without a seat nobody looks at them."""

    def __init__(self, seat: Seat | None) -> None:
        self._seat = seat
        self._beats = Beats(seat.socket.parent) if seat is not None else None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, when the worker has started: from now on it is replaced when its event loop stands still."""
        if self._seat is not None and self._beats is not None:
            self._task = asyncio.create_task(self._run(self._seat.number, self._beats), name="heartbeat")

    async def stop(self) -> None:
        """Stop, as the last thing that a worker does."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def replaced(self) -> list[tuple[int, dict[str, str]]]:
        """How many workers were replaced at this worker's seat, by reason."""
        if self._seat is None or self._beats is None:
            return []
        counted = self._beats.counted(self._seat.number)
        return [(number, {"lienthong.reason": reason.name.lower()}) for reason, number in counted.items()]

    async def _run(self, seat: int, beats: Beats) -> None:
        process = os.getpid()
        while True:
            beats.beat(seat, process)
            await asyncio.sleep(BEAT_EVERY_S)
