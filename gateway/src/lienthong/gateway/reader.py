"""A caller while it reads a long answer: for how long it was waited for, and whether that is too long."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lienthong.gateway.http1.incoming import Incoming


class CallerStalledError(Exception):
    """The caller does not take the next part of its answer, or takes all of it too slowly."""


class Reader:
    """A caller that reads its answer.

    It may take `timeout_s` for what was sent last, and for all of it as long as that and the time that
    `bytes_per_s` take.
    """

    __slots__ = ("_began", "_bytes_per_s", "_incoming", "_sent", "_time", "_timeout_s", "_waited")

    def __init__(self, incoming: Incoming, timeout_s: float, bytes_per_s: float) -> None:
        self._incoming = incoming
        self._timeout_s = timeout_s
        self._bytes_per_s = bytes_per_s
        self._time = asyncio.get_running_loop().time
        self._began = self._time()
        self._sent = 0
        self._waited = 0.0

    @property
    def took_most_of_the_time(self) -> bool:
        """Whether the caller was waited for longer than the provider."""
        return self._waited > (self._time() - self._began) / 2

    async def take(self, part: bytes) -> None:
        """Send a part.

        Raises:
            CallerStalledError: the caller has not read what was sent before, or only trickles.
        """
        began = self._time()
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._incoming.write(part)
        except TimeoutError:
            raise CallerStalledError from None
        self._sent += len(part)
        self._waited += self._time() - began
        if self._waited > self._timeout_s + self._sent / self._bytes_per_s:
            raise CallerStalledError
