"""The version of the catalog as this process knows it, and those who wait for a higher one.

A new version is noticed in three ways: at once when this process commits it, by a hint from the bus when
another replica did, and by reading the database twice a second in case hints get lost. A hint only makes the
database be read at once.

Whether there is no newer one, only the database can tell: what it said last holds for some seconds.
"""

from __future__ import annotations

import asyncio
import math
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

POLL_SECONDS = 0.5
TOLD_WITHIN_S = 0.25
"""For so long the answer to a change waits for the watches of this process, so that one which dies right
after its answer has told them. A watch that takes nothing holds nobody up for longer."""
CERTAIN_SECONDS = 5.0
"""For so long nobody doubts what was read last: ten readings may fail or one may take its time."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class _Waiting:
    """Someone who waits until these watches were sent a version."""

    version: int
    behind: set[object]
    told: asyncio.Event

    def note(self) -> None:
        """Wake it when nobody is behind any more."""
        if not self.behind:
            self.told.set()


class VersionMonitor:
    """Wakes those who wait for a version above the one that they have.

    `epoch` counts how often the version went back, which happens when the database is restored or a standby
    that had not received everything takes over. What watches have sent until then is no longer valid: they
    start again with a snapshot.
    """

    def __init__(
        self,
        read_version: Callable[[], Awaitable[int]],
        *,
        poll_seconds: float = POLL_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.epoch = 0
        self._read_version = read_version
        self._poll_seconds = poll_seconds
        self._monotonic = monotonic
        self._certain_until = -math.inf
        self._version = -1
        self._moved = asyncio.Event()
        self._sent: dict[object, int] = {}
        self._waiting: list[_Waiting] = []
        self._hinted = asyncio.Event()

    @property
    def version(self) -> int | None:
        """The newest version that is known; None before the first one was read."""
        return self._version if self._version >= 0 else None

    @property
    def certain(self) -> bool:
        """Whether the version was read so lately that those who have it may be told that it is the newest."""
        return self._monotonic() <= self._certain_until

    def announce(self, version: int) -> None:
        """Report a version that was committed or read from the database."""
        if version > self._version:
            self._move(version)

    def hint(self) -> None:
        """Have the database read now: another replica may have committed."""
        self._hinted.set()

    async def wait_beyond(self, version: int, epoch: int, seconds: float) -> bool:
        """Wait until there is a higher version or another epoch; False when that takes longer."""
        try:
            async with asyncio.timeout(seconds):
                while self._version <= version and self.epoch == epoch:
                    await self._moved.wait()
        except TimeoutError:
            return False
        return True

    @contextmanager
    def watching(self) -> Iterator[Callable[[int], None]]:
        """Count a watch, for the length of a block, once the function says which version it was sent."""
        watch = object()

        def sent(version: int) -> None:
            self._sent[watch] = version
            for waiting in self._waiting:
                if version >= waiting.version:
                    waiting.behind.discard(watch)
                    waiting.note()

        try:
            yield sent
        finally:
            self._sent.pop(watch, None)
            for waiting in self._waiting:
                waiting.behind.discard(watch)
                waiting.note()

    async def wait_told(self, version: int, seconds: float = TOLD_WITHIN_S) -> bool:
        """Wait until each watch that is up to date has been sent a version; False when that takes longer."""
        behind = {watch for watch, sent in self._sent.items() if sent < version}
        if not behind:
            return True
        waiting = _Waiting(version, behind, asyncio.Event())
        self._waiting.append(waiting)
        try:
            async with asyncio.timeout(seconds):
                await waiting.told.wait()
        except TimeoutError:
            return False
        finally:
            self._waiting.remove(waiting)
        return True

    async def run(self) -> None:
        """Read the database for versions that other replicas committed, until cancelled."""
        while True:
            self._hinted.clear()
            before, began = self._version, self._monotonic()
            try:
                found = await self._read_version()
            except Exception:  # noqa: BLE001 - whatever it is, the next attempt follows in a moment
                _log.exception("catalog version not readable")
            else:
                self._compare(before, found)
                # What was committed while it was read, it may lack.
                self._certain_until = began + CERTAIN_SECONDS
            try:
                async with asyncio.timeout(self._poll_seconds):
                    await self._hinted.wait()
            except TimeoutError:
                continue

    def _compare(self, before: int, found: int) -> None:
        if found > self._version:
            self._move(found)
        elif found < self._version == before:
            # Had this process committed while the database was read, `before` would not be the version now.
            _log.warning("catalog version went back", known=before, found=found)
            self.epoch += 1
            self._move(found)

    def _move(self, version: int) -> None:
        self._version = version
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()
