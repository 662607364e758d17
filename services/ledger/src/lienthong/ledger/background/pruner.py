"""The pruner of the journal: has the bus let go what has been in the log for long enough.

What may go is decided from the log's own database (`service.pruning`). It goes only from the journal which
has, under the number of the last message in the log, that very message: an older copy of the bus's store
gives the same numbers to others.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from lienthong.kit.bus import BusError
from lienthong.kit.journal import STREAM
from lienthong.ledger.background.messages import message_at
from lienthong.ledger.errors import LedgerMismatchError

if TYPE_CHECKING:
    from lienthong.kit.bus import Bus, StreamState
    from lienthong.ledger.service.pruning import Prunable, Pruning

_EVERY_S: Final = 600.0
_HARDLY_ANY_ROOM: Final = 0.8
"""Of the stream's limit: from here on what is sealed does not stay for long."""

_log = structlog.get_logger(__name__)


class JournalPruner:
    """Prunes the journal; `run` it in the background."""

    def __init__(self, bus: Bus, pruning: Pruning) -> None:
        self._bus = bus
        self._pruning = pruning

    async def run(self) -> None:
        """Prune for ever; returns only by cancellation."""
        while True:
            await self._bus.wait_connected()
            try:
                await self.prune()
            except (BusError, SQLAlchemyError, OSError, TimeoutError, LedgerMismatchError) as error:
                # None is urgent: there is room for days.
                _log.warning("the journal is not pruned", error=str(error))
            await asyncio.sleep(_EVERY_S)

    async def prune(self) -> None:
        """Prune once: what is old, and what is sealed while there is hardly any room.

        Raises:
            BusError: the bus does not do it.
            LedgerMismatchError: the database has no tree head.
        """
        state = await self._bus.stream_state(STREAM)
        old = await self._pruning.long_sealed(state.created)
        if old is not None and old.first > state.first_sequence:
            if not await self._purge(old):
                return
            _log.info("journal pruned of what has long been in the log", first=old.first)
            state = await self._bus.stream_state(STREAM)
        await self._make_room(state)

    async def _make_room(self, state: StreamState) -> None:
        """While the stream is nearly full, let go what is sealed, oldest first."""
        before = first = state.first_sequence
        while _hardly_any_room(state):
            sealed = await self._pruning.next_sealed(state.created, first)
            if sealed is None or sealed.first <= first or not await self._purge(sealed):
                break
            first = sealed.first
            state = await self._bus.stream_state(STREAM)
        if first > before:
            _log.error(
                "the journal is nearly full: what is in the log was pruned before its time",
                first=first,
                bytes=state.bytes,
                limit=state.max_bytes,
            )

    async def _purge(self, prunable: Prunable) -> bool:
        """Purge, unless the journal is not the one that was read."""
        there = await message_at(self._bus, prunable.read)
        if there is None or there.mark != prunable.mark:
            _log.warning("the journal is not pruned: it is not what is in the log", message=prunable.read)
            return False
        await self._bus.purge_before(STREAM, prunable.first)
        return True


def _hardly_any_room(state: StreamState) -> bool:
    return state.max_bytes is not None and state.bytes >= state.max_bytes * _HARDLY_ANY_ROOM
