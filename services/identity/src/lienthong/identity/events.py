"""Hears of systems from the catalog: the durable consumer of `catalog.system`."""

import asyncio
from typing import Final

import structlog
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from lienthong.identity import repository
from lienthong.identity.registry import ClientRegistry
from lienthong.identity.schemas import SystemEvent
from lienthong.kit.bus import Bus, BusUnavailableError, Delivery
from lienthong.kit.database import Database

STREAM: Final = "CATALOG"
SUBJECT: Final = "catalog.system"

_BATCH: Final = 100
_WAIT: Final = 5.0
_RETRY: Final = 1.0

_log = structlog.get_logger(__name__)


class CatalogEvents:
    """Brings the events of the catalog to the registry, for ever.

    The consumer's name holds the database's own: a new database reads the stream from its start, replicas on
    one database share the work, and a restart goes on where the last run ended.
    """

    def __init__(self, bus: Bus, database: Database, registry: ClientRegistry) -> None:
        self._bus = bus
        self._database = database
        self._registry = registry

    async def run(self) -> None:
        """Follow the catalog until cancelled."""
        consumer = await self._bus.consumer(STREAM, await self._durable(), filter_subject=SUBJECT)
        try:
            async for batch in consumer.batches(_BATCH, _WAIT):
                for delivery in batch:
                    await self.take(delivery)
        finally:
            await consumer.close()

    async def take(self, delivery: Delivery) -> None:
        """Bring one event to the registry and settle it: acknowledged only when the change is committed."""
        try:
            await self._follow(delivery)
        except BusUnavailableError as error:
            # It comes again; the registry knows it then.
            _log.debug("catalog event not settled", sequence=delivery.sequence, error=str(error))

    async def _follow(self, delivery: Delivery) -> None:
        try:
            event = SystemEvent.model_validate_json(delivery.payload)
        except ValidationError as error:
            # Never the payload itself: the log is no place for what nobody has checked.
            wrong = [f"{'/'.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors()]
            _log.error("catalog event refused", sequence=delivery.sequence, wrong=wrong)
            await delivery.term()
            return
        try:
            news = await self._registry.follow(event)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            _log.warning("catalog event put off", sequence=delivery.sequence, error=repr(error))
            await delivery.nak(_RETRY)
            return
        await delivery.ack()
        if not news:
            _log.debug("catalog event known", client=event.id, version=event.version)

    async def _durable(self) -> str:
        while True:
            try:
                async with self._database.reading() as session:
                    return f"identity-{await repository.database_id(session)}"
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                _log.warning("database not readable", error=repr(error))
                await asyncio.sleep(_RETRY)
