"""Taking events: checked, then in the stream and on disk, then answered."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lienthong.exchange import errors, permissions
from lienthong.exchange.events import FINGERPRINT_HEADER, STREAM, subject_of
from lienthong.exchange.parcels import MAX_EVENT_BYTES, prepare
from lienthong.exchange.repository import AcceptedEventRepository
from lienthong.kit.bus import BusRefusedError, BusUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lienthong.exchange.catalog_view import CatalogView
    from lienthong.exchange.parcels import Parcel
    from lienthong.exchange.register import Register
    from lienthong.exchange.repository import Accepted
    from lienthong.kit.bus import Bus
    from lienthong.kit.database import Database

_STRUCTURED = {"content-type": "application/cloudevents+json"}
# Reading and checking is work for the processor: more at once would only make all of them slower.
_READERS = 4


@dataclass(frozen=True, slots=True)
class Receipt:
    """An event that is in the stream, under `sequence`; `duplicate` when it was there before."""

    id: str
    sequence: int
    duplicate: bool


class Publisher:
    """Puts events into the stream, in the order they were given, each once."""

    def __init__(
        self, database: Database, bus: Bus, register: Register, view: Callable[[], CatalogView]
    ) -> None:
        self._database = database
        self._bus = bus
        self._register = register
        self._view = view
        self._readers = asyncio.Semaphore(_READERS)

    def check(self, client_id: str, event_type_id: str) -> None:
        """Nothing, when this client may publish this event type now.

        Raises:
            Problem: it may not; see `permissions.publishable`.
        """
        permissions.publishable(self._view(), client_id, event_type_id)

    async def publish(
        self, client_id: str, event_type_id: str, headers: Sequence[tuple[str, str]], body: bytes
    ) -> list[Receipt]:
        """Take all events of a request, or, when one of them is wrong, none.

        What is returned is on disk. When the bus fails half-way the request is refused as a whole, and
        sending it again takes up where it broke off: what was taken before is told as a duplicate.

        Raises:
            Problem: everything in `errors` that speaks of publishing.
        """
        event_type = permissions.publishable(self._view(), client_id, event_type_id)
        async with self._readers:
            parcels = await asyncio.to_thread(prepare, event_type, headers, body)
        known = await self._known(parcels)
        subject = subject_of(event_type_id)
        receipts: list[Receipt] = []
        for parcel in parcels:
            # The right may have ended while earlier events of a long batch were on their way.
            self.check(client_id, event_type_id)
            before = known.get(parcel.message_id)
            if before is not None:
                receipts.append(Receipt(parcel.event_id, before.sequence, duplicate=True))
                continue
            try:
                receipts.append(await self._send(subject, parcel))
            except BusUnavailableError:
                raise errors.bus_unavailable(_listed(receipts)) from None
            except BusRefusedError:
                raise errors.event_too_large(f"The event {parcel.event_id!r}", MAX_EVENT_BYTES) from None
        return receipts

    async def _known(self, parcels: Sequence[Parcel]) -> dict[str, Accepted]:
        """Events accepted before, by message id.

        Raises:
            Problem: `event-id-reused`, or `bus-unavailable` while the register is too far behind to say.
        """
        if not self._register.current:
            raise errors.bus_unavailable()
        async with self._database.reading() as session:
            register = AcceptedEventRepository(session)
            known = await register.among({parcel.message_id for parcel in parcels})
        for parcel in parcels:
            before = known.get(parcel.message_id)
            if before is not None and before.fingerprint != parcel.fingerprint:
                raise errors.event_id_reused(parcel.event_id)
        return known

    async def _send(self, subject: str, parcel: Parcel) -> Receipt:
        headers = {**_STRUCTURED, FINGERPRINT_HEADER: parcel.fingerprint}
        ack = await self._bus.publish(subject, parcel.payload, message_id=parcel.message_id, headers=headers)
        if ack.duplicate:
            # The register is a moment behind the stream; the stream itself says what it has.
            stored = await self._bus.message_headers(STREAM, ack.sequence)
            if stored is not None and stored.get(FINGERPRINT_HEADER) != parcel.fingerprint:
                raise errors.event_id_reused(parcel.event_id)
        return Receipt(parcel.event_id, ack.sequence, ack.duplicate)


def _listed(receipts: Sequence[Receipt]) -> list[dict[str, object]]:
    return [
        {"id": receipt.id, "sequence": receipt.sequence, "duplicate": receipt.duplicate}
        for receipt in receipts
    ]
