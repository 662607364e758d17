"""Tells the processes of all gateways which proofs were used, over the bus and beside the calls."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

import structlog

from lienthong.gateway.proofs.messages import MOST_TOLD, SUBJECT, decode, encode, message
from lienthong.kit.messages import BusError

if TYPE_CHECKING:
    from lienthong.gateway.proofs.seen import SeenProofs
    from lienthong.kit.bus import Bus

LOOKS_EVERY_S: Final = 0.5
"""How often it is looked whether the bus is connected anew, where there is nothing to tell."""

_log = structlog.get_logger(__name__)


class BusMessage(Protocol):
    """What comes over the bus."""

    @property
    def data(self) -> bytes:
        """Its content."""
        ...


class ProofExchange:
    """Tells what is used here the moment it is, and hears what is used elsewhere.

    A call goes on without waiting. What is told leaves before the call's record does, over the same
    connection: whoever has seen the answer comes too late with the proof elsewhere.
    """

    def __init__(self, bus: Bus, seen: SeenProofs, seat: str) -> None:
        self._bus = bus
        self._seen = seen
        self._seat = seat
        self._changed = asyncio.Event()
        self._connection = 0
        seen.changed = self._changed.set

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            try:
                await self._round()
            except BusError as error:
                # Calls go on by what is known; with the next connection it begins anew.
                _log.debug("used proofs not told", error=str(error))
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOKS_EVERY_S):
                    await self._changed.wait()
            self._changed.clear()

    async def _round(self) -> None:
        if not self._bus.connected:
            return
        if self._bus.connection_number != self._connection:
            await self._bus.subscribe(SUBJECT, self._hear)
            self._connection = self._bus.connection_number
            self._seen.begin_anew()
        while used := self._seen.untold(MOST_TOLD):
            await self._bus.send(SUBJECT, encode(message(self._seat, used)))

    async def _hear(self, told: BusMessage) -> None:
        try:
            heard = decode(told.data)
        except ValueError as error:
            _log.warning("a message on used proofs cannot be read", error=str(error))
            return
        if heard.seat != self._seat:
            for of_second in heard.used:
                self._seen.hear(of_second.nonce_from, of_second.each())
