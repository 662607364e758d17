"""The consumer of the catalog's messages about systems."""

from typing import Final

import structlog
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from lienthong.identity.events import STREAM, SUBJECT, SystemEvent
from lienthong.identity.service.clients import ClientRegistry
from lienthong.kit.backoff import Backoff
from lienthong.kit.bus import Bus, BusUnavailableError, Delivery

_BATCH: Final = 100
_WAIT: Final = 5.0
_REDELIVER_AFTER_S: Final = 1.0

_log = structlog.get_logger(__name__)


class CatalogConsumer:
    """Applies the catalog's messages to the registry; `run` it in the background.

    The durable consumer's name contains the id of the database: a new database reads the stream from its
    start, replicas on one database share the work, and a restarted process goes on where it stopped.
    """

    def __init__(self, bus: Bus, registry: ClientRegistry) -> None:
        self._bus = bus
        self._registry = registry

    async def run(self) -> None:
        """Consume until cancelled."""
        consumer = await self._bus.consumer(STREAM, await self._durable(), filter_subject=SUBJECT)
        try:
            async for batch in consumer.batches(_BATCH, _WAIT):
                for delivery in batch:
                    await self._take(delivery)
        finally:
            await consumer.close()

    async def _take(self, delivery: Delivery) -> None:
        try:
            await self._settle(delivery)
        except BusUnavailableError as error:
            # It is delivered again; the registry knows it by then.
            _log.debug("catalog event not settled", sequence=delivery.sequence, error=str(error))

    async def _settle(self, delivery: Delivery) -> None:
        """Hand one message to the registry; it is acknowledged only after the change is committed."""
        try:
            event = SystemEvent.model_validate_json(delivery.payload)
        except ValidationError as error:
            # Never the payload itself: content that nobody has checked does not belong in a log.
            wrong = [f"{'/'.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors()]
            _log.error("catalog event refused", sequence=delivery.sequence, wrong=wrong)
            await delivery.term()
            return
        try:
            was_new = await self._registry.follow(event)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            _log.warning("catalog event put off", sequence=delivery.sequence, error=repr(error))
            await delivery.nak(_REDELIVER_AFTER_S)
            return
        await delivery.ack()
        if not was_new:
            _log.debug("catalog event known", client=event.id, version=event.version)

    async def _durable(self) -> str:
        backoff = Backoff()
        while True:
            try:
                return f"identity-{await self._registry.database_id()}"
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                _log.warning("database not readable", error=repr(error))
                await backoff.pause()
