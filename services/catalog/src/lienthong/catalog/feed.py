"""The version of the catalog as this process knows it, and those who wait for it to move.

Three ways lead to the same news: this process's own commits (at once), a hint from the bus when another
replica committed, and a look into the database twice a second in case hints get lost. Only the database is
believed.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

POLL_SECONDS = 0.5

_log = structlog.get_logger(__name__)


class Feed:
    """Wakes whoever waits for a version above the one it has.

    `epoch` counts how often the version went back, which happens when the database is restored or a standby
    that had not received everything takes over: what watchers have is then worth nothing, and they start
    anew.
    """

    def __init__(
        self, read_version: Callable[[], Awaitable[int]], *, poll_seconds: float = POLL_SECONDS
    ) -> None:
        self.epoch = 0
        self._read_version = read_version
        self._poll_seconds = poll_seconds
        self._version = -1
        self._moved = asyncio.Event()
        self._hinted = asyncio.Event()

    def announce(self, version: int) -> None:
        """Say that a version was committed, or was read from the database."""
        if version > self._version:
            self._move(version)

    def hint(self) -> None:
        """Say that there may be news; the database is looked at now instead of a little later."""
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

    async def run(self) -> None:
        """Look for versions that others committed, until cancelled."""
        while True:
            self._hinted.clear()
            before = self._version
            try:
                found = await self._read_version()
            except Exception:  # noqa: BLE001 - whatever it is, there is another look in a moment
                _log.exception("catalog version not readable")
            else:
                self._compare(before, found)
            try:
                async with asyncio.timeout(self._poll_seconds):
                    await self._hinted.wait()
            except TimeoutError:
                continue

    def _compare(self, before: int, found: int) -> None:
        if found > self._version:
            self._move(found)
        elif found < self._version == before:
            # Had this process committed while the look was under way, `before` would not be the version now.
            _log.warning("catalog version went back", known=before, found=found)
            self.epoch += 1
            self._move(found)

    def _move(self, version: int) -> None:
        self._version = version
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()
