"""The consumers of the catalog's messages about systems, and about agencies."""

from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

import structlog
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from lienthong.identity.events import STREAM, CatalogEvent
from lienthong.kit.backoff import Backoff
from lienthong.kit.bus import Bus, BusUnavailableError, Delivery

_BATCH: Final = 100
_WAIT: Final = 5.0
_REDELIVER_AFTER_S: Final = 1.0

_log = structlog.get_logger(__name__)

E = TypeVar("E", bound=CatalogEvent)


class CatalogConsumer(Generic[E]):
    """Hands the catalog's messages of a subject to whom they are for; `run` it in the background.

    The durable consumer's name contains the id of the database: a new database reads the stream from its
    start, replicas on one database share the work, and a restarted process goes on where it stopped.
    """

    def __init__(
        self,
        bus: Bus,
        subject: str,
        shape: type[E],
        follow: Callable[[E], Awaitable[bool]],
        durable: Callable[[], Awaitable[str]],
    ) -> None:
        """`follow` takes a message over, and says whether it was new; `durable` names the consumer."""
        self._bus = bus
        self._subject = subject
        self._shape = shape
        self._follow = follow
        self._name = durable

    async def run(self) -> None:
        """Consume until cancelled."""
        consumer = await self._bus.consumer(STREAM, await self._durable(), filter_subject=self._subject)
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
            # It is delivered again, and known by then.
            _log.debug("catalog event not settled", sequence=delivery.sequence, error=str(error))

    async def _settle(self, delivery: Delivery) -> None:
        """Hand one message on; it is acknowledged only after the change is committed."""
        try:
            event = self._shape.model_validate_json(delivery.payload)
        except ValidationError as error:
            # Never the payload itself: content that nobody has checked does not belong in a log.
            wrong = [f"{'/'.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors()]
            _log.error("catalog event refused", sequence=delivery.sequence, wrong=wrong)
            await delivery.term()
            return
        try:
            was_new = await self._follow(event)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            _log.warning("catalog event put off", sequence=delivery.sequence, error=repr(error))
            await delivery.nak(_REDELIVER_AFTER_S)
            return
        await delivery.ack()
        if not was_new:
            _log.debug("catalog event known", id=event.id, version=event.version)

    async def _durable(self) -> str:
        backoff = Backoff()
        while True:
            try:
                return await self._name()
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                _log.warning("database not readable", error=repr(error))
                await backoff.pause()
