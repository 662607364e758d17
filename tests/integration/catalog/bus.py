"""What a catalog publishes, read from its NATS."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lienthong.catalog import events
from lienthong.kit.bus import Bus, Delivery
from lienthong.kit.ids import uuid7
from lienthong.kit.journal import journal_stream
from lienthong.kit.settings import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@dataclass
class Published:
    """The catalog's messages in the order in which the stream has them."""

    bus: Bus

    async def events(self, count: int, subject: str = "catalog.>") -> list[dict[str, Any]]:
        """The first `count` events, once they are there, and none that comes within a moment after them."""
        return await self._read("CATALOG", subject, count)

    async def records(self, count: int) -> list[dict[str, Any]]:
        """The first `count` audit records."""
        return await self._read("JOURNAL", "journal.catalog", count)

    async def _read(self, stream: str, subject: str, count: int) -> list[dict[str, Any]]:
        consumer = await self.bus.consumer(stream, uuid7(), filter_subject=subject)
        taken: list[Delivery] = []
        async with asyncio.timeout(30):
            while len(taken) < count:
                taken += await consumer.fetch(500, 1.0)
        taken += await consumer.fetch(500, 0.3)
        await consumer.close()
        return [json.loads(delivery.payload) for delivery in taken]


@asynccontextmanager
async def listening(nats_url: str) -> AsyncIterator[Published]:
    """Read what was published; makes the stream of the journal, which in production the ledger does."""
    streams = [journal_stream(Settings()), events.stream(Settings())]
    bus = await Bus.connect(nats_url, "test", wait=True, streams=streams)
    try:
        yield Published(bus)
    finally:
        await bus.close()
