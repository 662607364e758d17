"""What the ledger's tests share: records, an opened ledger, its tiles for a full check."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from lienthong.kit.ids import uuid7
from lienthong.kit.problems import ProblemError
from lienthong.ledger.bootstrap import create_journal_consumer, open_core
from lienthong.ledger.events import JournalMessage
from lienthong.ledger.models import entries, quarantine
from lienthong.tlog import TileAddress, check_log, open_checkpoint
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from lienthong.kit.bus import Bus
    from lienthong.kit.clock import Clock
    from lienthong.ledger.background.consumer import JournalConsumer
    from lienthong.ledger.bootstrap import LedgerCore
    from lienthong.ledger.settings import LedgerSettings
    from lienthong.tlog import Checkpoint, Report

STREAM = "2026-11-23 06:30:00+00:00"


def record(**members: Any) -> bytes:  # noqa: ANN401 - any JSON
    """A call's record with members of its own."""
    call = {
        "v": 1,
        "id": uuid7(),
        "kind": "call",
        "tx": uuid7(),
        "at": "2026-11-23T06:30:00.123456Z",
        "node": "gateway-1",
        "client": "H11.01/one-stop",
        "service": "H11.05/land/parcels-v1",
        "operation": "getParcel",
        "method": "GET",
        "agreement": "one-stop-parcels",
        "purpose": "land-procedure",
        "status": 200,
    }
    return msgspec.json.encode(call | members)


def message(sequence: int, *records: bytes) -> JournalMessage:
    """A journal message of these records."""
    return JournalMessage(sequence, b"\n".join(records))


def messages(count: int, *, each: int = 1, first: int = 1) -> list[JournalMessage]:
    """Journal messages of new records."""
    return [message(number, *(record() for _ in range(each))) for number in range(first, first + count)]


def records_of(batch: Sequence[JournalMessage]) -> list[bytes]:
    """The records in messages, in order."""
    return [data for item in batch for data in item.payload.split(b"\n")]


@asynccontextmanager
async def opened(settings: LedgerSettings, clock: Clock | None = None) -> AsyncIterator[LedgerCore]:
    """The ledger's core, as a start of the process opens it."""
    core = await open_core(settings, clock)
    try:
        yield core
    finally:
        await core.database.close()


async def leaves(core: LedgerCore) -> list[bytes]:
    """The bytes of all entries, in the order of the log."""
    async with core.database.reading() as session:
        return list(await session.scalars(select(entries.c.data).order_by(entries.c.leaf_index)))


async def quarantined(core: LedgerCore) -> list[tuple[int, int, str, bytes]]:
    """Everything in quarantine: sequence, position, reason, bytes."""
    query = select(quarantine).order_by(quarantine.c.id)
    async with core.database.reading() as session:
        return [
            (row.journal_sequence, row.position, row.reason, row.data) for row in await session.execute(query)
        ]


async def checkpoint(core: LedgerCore) -> Checkpoint:
    """The newest checkpoint, verified."""
    return open_checkpoint(await core.log.checkpoint(), core.signer.key.verifier)


async def full_check(core: LedgerCore) -> Report:
    """A full check through the ledger's own reading side."""
    head = await checkpoint(core)
    wanted: list[TileAddress] = []

    def note(address: TileAddress) -> bytes:
        wanted.append(address)
        raise LookupError

    check_log(head, note)
    stored: dict[TileAddress, bytes] = {}
    for address in wanted:
        with contextlib.suppress(ProblemError):
            stored[address] = await core.log.tile(address.path)
    return check_log(head, stored.__getitem__)


async def publish(bus: Bus, batch: Sequence[JournalMessage]) -> None:
    """Put the messages on the journal."""
    for item in batch:
        await bus.publish("journal.gateway", item.payload, message_id=uuid7())


@asynccontextmanager
async def following(settings: LedgerSettings, core: LedgerCore, bus: Bus) -> AsyncIterator[JournalConsumer]:
    """The journal consumer at work."""
    consumer = create_journal_consumer(settings, core, bus)
    task = asyncio.create_task(consumer.run())
    try:
        yield consumer
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def has_at_least(core: LedgerCore, count: int) -> bool:
    """Whether the log has this many entries; not when the database does not answer."""
    with contextlib.suppress(SQLAlchemyError, OSError):
        return (await checkpoint(core)).size >= count
    return False


async def integrated(core: LedgerCore, count: int) -> None:
    """Wait until the log has this many entries."""

    await eventually(lambda: has_at_least(core, count))
