"""Makes the durable consumers on the bus match the subscriptions in the database, once a minute."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from lienthong.kit.bus import BusError

if TYPE_CHECKING:
    from lienthong.exchange.service.consumers import SubscriptionConsumers
    from lienthong.kit.bus import Bus

_INTERVAL_SECONDS = 60.0

_log = structlog.get_logger(__name__)


class ConsumerUpkeep:
    """The timer of the reconciliation."""

    def __init__(self, bus: Bus, consumers: SubscriptionConsumers) -> None:
        self._bus = bus
        self._consumers = consumers

    async def run(self) -> None:
        """Reconcile until cancelled; `SubscriptionConsumers.reconcile` says what that is."""
        while True:
            await self._bus.wait_connected()
            try:
                await self._consumers.reconcile()
            except BusError as error:
                _log.info("upkeep waits for the bus", error=str(error))
            except Exception:  # noqa: BLE001 - a database that is away comes back
                _log.exception("upkeep failed")
            await asyncio.sleep(_INTERVAL_SECONDS)
