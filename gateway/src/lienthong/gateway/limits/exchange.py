"""The exchange of use between the processes of all gateways, over the bus and beside the calls."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

import structlog

from lienthong.gateway.limits.messages import SUBJECT, decode, encode
from lienthong.kit.messages import BusError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lienthong.gateway.limits.conversation import Conversation
    from lienthong.gateway.limits.limiter import Limiter
    from lienthong.gateway.limits.messages import Message
    from lienthong.kit.bus import Bus

EVERY_S: Final = 0.2
"""How often this process tells what has changed."""
SOONEST_S: Final = 0.02
"""How often at most, where the others should hear soon."""

_log = structlog.get_logger(__name__)


class BusMessage(Protocol):
    """What comes over the bus."""

    @property
    def data(self) -> bytes:
        """Its content."""
        ...


class UseExchange:
    """Carries the conversation about the use of agreements, for as long as there is a bus."""

    def __init__(self, bus: Bus, limiter: Limiter, conversation: Conversation) -> None:
        self._bus = bus
        self._now = limiter.monotonic
        self._conversation = conversation
        self._soon = asyncio.Event()
        self._hurries = False
        self._connection = 0
        limiter.hurry = self._hurry

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY_S):
                    await self._soon.wait()
            self._soon.clear()
            try:
                await self._round()
            except BusError as error:
                # Calls go on by what is known; with the next connection all is told again.
                _log.debug("use of agreements not told", error=str(error))
            await asyncio.sleep(SOONEST_S)

    async def leave(self) -> None:
        """Tell the rest, and that nothing more comes."""
        with suppress(BusError):
            if self._bus.connected and self._connection:
                await self._send(self._conversation.last(self._now()))

    async def _round(self) -> None:
        if not self._bus.connected:
            self._conversation.cut_off()
            return
        anew = self._bus.connection_number != self._connection
        if anew:
            self._conversation.cut_off()
            await self._bus.subscribe(SUBJECT, self._hear)
            self._connection = self._bus.connection_number
        hurries, self._hurries = self._hurries, False
        await self._send(self._conversation.round(self._now(), connected_anew=anew, hurries=hurries))

    async def _send(self, messages: Iterable[Message]) -> None:
        for message in messages:
            await self._bus.send(SUBJECT, encode(message))

    async def _hear(self, message: BusMessage) -> None:
        try:
            heard = decode(message.data)
        except ValueError as error:
            _log.warning("a message on the use of agreements cannot be read", error=str(error))
            return
        if self._conversation.hear(heard, self._now()):
            self._soon.set()

    def _hurry(self) -> None:
        self._hurries = True
        self._soon.set()
