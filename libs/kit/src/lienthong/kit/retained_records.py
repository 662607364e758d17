"""Audit records of a service stay in its database until the ledger has sealed them, and a day longer.

The bus acknowledges a record and may lose its store afterwards, or get an older copy of it. So a record that
the outbox has published goes over to another table, and the ledger is asked what of that is in the log. What
was lost on the way is published again, as a gateway does it (ADR 0026).
"""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any, Final

import grpc.aio
import structlog
from sqlalchemy import BigInteger, Column, LargeBinary, String, Table, delete, insert, select, update

from lienthong.contracts.audit.v1 import sealing_pb2
from lienthong.contracts.audit.v1.sealing_pb2_grpc import SealingStub
from lienthong.kit.bulk import execute_many
from lienthong.kit.bus import BusError
from lienthong.kit.clock import SteadyTime
from lienthong.kit.database import BigId, UtcDateTime
from lienthong.kit.health import Condition, State
from lienthong.kit.ids import uuid7
from lienthong.kit.lost_records import LOST_AFTER, ask_every_s, is_lost
from lienthong.kit.metrics.instruments import RECORDS_PUBLISHED_AGAIN

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import MetaData, Row
    from sqlalchemy.ext.asyncio import AsyncSession

    from lienthong.kit.bus import Bus
    from lienthong.kit.clock import Clock
    from lienthong.kit.database import Database
    from lienthong.kit.history import History
    from lienthong.kit.ids import NewId
    from lienthong.kit.metrics.figures import Figures

_RECORDS: Final = "journal."
_TOGETHER: Final = 500
_PATIENCE_S: Final = 10.0
_SEALED_FOR: Final = timedelta(days=1)
"""The ledger's database and the journal may both be replaced by older copies, as far back as this."""
_LATE: Final = timedelta(minutes=15)

_log = structlog.get_logger(__name__)


def retained_table(metadata: MetaData, name: str = "retained_records") -> Table:
    """The table, for a component's models and migrations."""
    return Table(
        name,
        metadata,
        Column("id", BigId, primary_key=True, autoincrement=True),
        Column("record_id", String(64), nullable=False, index=True),
        Column("subject", String(255), nullable=False),
        Column("payload", LargeBinary, nullable=False),
        Column("published_at", UtcDateTime, nullable=False),
        Column("repeats", BigInteger, nullable=False),
        Column("sealed_at", UtcDateTime, nullable=True, index=True),
        sqlite_autoincrement=True,
    )


async def retain(session: AsyncSession, table: Table, rows: Sequence[Row[Any]], now: datetime) -> None:
    """Take over those rows of the outbox that are records, just published."""
    kept = [
        {
            "record_id": row.message_id,
            "subject": row.subject,
            "payload": row.payload,
            "published_at": now,
            "repeats": 0,
            "sealed_at": None,
        }
        for row in rows
        if row.subject.startswith(_RECORDS)
    ]
    await execute_many(session, insert(table), kept)


class RetainedRecords:
    """Asks the ledger, forgets, and publishes again; `run` it in the background.

    Of several replicas on one database one at a time does.
    """

    def __init__(
        self,
        database: Database,
        table: Table,
        bus: Bus,
        ledger: grpc.aio.Channel,
        clock: Clock,
        *,
        node: str,
        new_id: NewId = uuid7,
        history: History | None = None,
        lost_after: timedelta = LOST_AFTER,
    ) -> None:
        """`node` is this service's name, for the ledger's logs. `history` compares before any is deleted.

        `lost_after` is for `kit.lost_records`.
        """
        self._database = database
        self._table = table
        self._bus = bus
        self._ledger = SealingStub(ledger)
        self._clock = clock
        # A clock that is set forward deletes nothing early.
        self._steady = SteadyTime(clock)
        self._node = node
        self._new_id = new_id
        self._history = history
        self._lost_after = lost_after
        self._log_size = 0
        # Through which row all sealed ones were asked about again, None when there is nothing to ask. Whoever
        # starts does not know what the ledger was before.
        self._asked_again_through: int | None = 0
        self._oldest: datetime | None = None
        # Since when records have been missing, by their rows' ids and `Clock.monotonic`.
        self._missing_since: dict[int, float] = {}
        self._different = 0
        self._published_again = 0

    def show(self, figures: Figures) -> None:
        """Show how many records were published again."""
        figures.observe(RECORDS_PUBLISHED_AGAIN, lambda: self._published_again)

    def condition(self) -> Condition:
        """How well records come into the log: never a reason to stop."""
        late = self._clock.now() - self._oldest if self._oldest is not None else timedelta()
        found = (
            (self._different, f"the ledger has something else under the ids of {self._different} records"),
            (late > _LATE, f"records have waited for the ledger for {late.total_seconds():.0f} s"),
        )
        reasons = [str(reason) for holds, reason in found if holds]
        return Condition(State.DEGRADED, "; ".join(reasons)) if reasons else Condition(State.OK)

    async def run(self) -> None:
        """Ask for ever; returns only by cancellation."""
        while True:
            try:
                await self.round()
            except grpc.aio.AioRpcError as error:
                _log.debug("retained records wait for the ledger", error=error.details())
            except BusError as error:
                _log.debug("retained records wait for the bus", error=str(error))
            except Exception:  # noqa: BLE001 - a database that is away comes back; this must be there
                _log.exception("retained records cannot be looked after")
            await asyncio.sleep(ask_every_s(self._lost_after))

    async def round(self) -> None:
        """Ask about all that is not sealed, oldest first; where the log may have lost records, about all.

        Raises:
            AioRpcError: the ledger does not answer.
            BusError: the bus does not take what has to be published again.
        """
        async with self._database.exclusive(f"retain {self._table.name}") as mine:
            if not mine:
                if self._history is not None:
                    await self._history.look()
                return
            await self._compare_log()
            await self._ask_again()
            after = 0
            before, self._missing_since = self._missing_since, {}
            oldest: datetime | None = None
            while rows := await self._page(after, sealed=False):
                after = rows[-1].id
                oldest = min([row.published_at for row in rows if oldest is None] or [oldest])
                self._missing_since |= {row.id: before[row.id] for row in rows if row.id in before}
                await self._ask(rows)
            self._oldest = oldest
            if self._history is not None:
                await self._history.compare()
            await self._forget()

    async def _compare_log(self) -> None:
        """Find out whether the log has lost something: it is shorter, or lacks the newest sealed record.

        It may have grown beyond its old size since, with other records.
        """
        newest = await self._newest_sealed()
        answer = await self._check(newest)
        # The second line of a checkpoint is the size (c2sp.org/tlog-checkpoint).
        size = int(answer.checkpoint.split("\n")[1])
        if size < self._log_size:
            _log.error("the ledger's log is shorter than it was", entries=size, seen=self._log_size)
            self._asked_again_through = 0
        self._log_size = size
        if self._asked_again_through is None and sealing_pb2.BATCH_STATE_MISSING in answer.states:
            _log.error("the ledger's log lacks a record that was sealed", record=newest[0].record_id)
            self._asked_again_through = 0

    async def _ask_again(self) -> None:
        """Ask about the sealed records, in portions; what the log lacks is sealed no longer.

        What it has stays sealed since when it was, or who restarts daily would never delete anything. After a
        failure it goes on where it was.
        """
        if self._asked_again_through == 0:
            # Those that differ are found, and counted, again.
            self._different = 0
        while self._asked_again_through is not None:
            rows = await self._page(self._asked_again_through, sealed=True)
            if not rows:
                self._asked_again_through = None
                break
            states = (await self._check(rows)).states
            self._tell_different([row for row, state in zip(rows, states, strict=True) if _differs(state)])
            missing = [row.id for row, state in zip(rows, states, strict=True) if _is_missing(state)]
            await self._change(missing, sealed_at=None)
            self._asked_again_through = rows[-1].id

    async def _forget(self) -> None:
        """Delete what was sealed a day ago, in portions: after a long stop there may be much."""
        long_ago = self._steady.now() - _SEALED_FOR
        some = select(self._table.c.id).where(self._table.c.sealed_at < long_ago).limit(_TOGETHER)
        while True:
            async with self._database.transaction() as session:
                ids = list(await session.scalars(some))
                await session.execute(delete(self._table).where(self._table.c.id.in_(ids)))
            if len(ids) < _TOGETHER:
                return

    async def _newest_sealed(self) -> Sequence[Row[Any]]:
        query = (
            select(self._table)
            .where(self._table.c.sealed_at.is_not(None))
            .order_by(self._table.c.id.desc())
            .limit(1)
        )
        async with self._database.reading() as session:
            return list(await session.execute(query))

    async def _page(self, after: int, *, sealed: bool) -> Sequence[Row[Any]]:
        sealed_at = self._table.c.sealed_at
        query = (
            select(self._table)
            .where(sealed_at.is_not(None) if sealed else sealed_at.is_(None), self._table.c.id > after)
            .order_by(self._table.c.id)
            .limit(_TOGETHER)
        )
        async with self._database.reading() as session:
            return list(await session.execute(query))

    async def _check(self, rows: Sequence[Row[Any]]) -> sealing_pb2.CheckResponse:
        batches = [
            sealing_pb2.Batch(
                first_record_id=row.record_id, records=1, payload_sha256=hashlib.sha256(row.payload).digest()
            )
            for row in rows
        ]
        request = sealing_pb2.CheckRequest(node=self._node, batches=batches)
        return await self._ledger.Check(request, timeout=_PATIENCE_S)

    async def _ask(self, rows: Sequence[Row[Any]]) -> None:
        answer = await self._check(rows)
        read_through = (
            answer.journal_read_through.ToDatetime(UTC) if answer.HasField("journal_read_through") else None
        )
        states = dict(zip((row.id for row in rows), answer.states, strict=True))
        sealed = [key for key, state in states.items() if state == sealing_pb2.BATCH_STATE_SEALED]
        await self._change(sealed, sealed_at=self._steady.now())
        missing = [row for row in rows if _is_missing(states[row.id])]
        different = [row for row in rows if _differs(states[row.id])]
        # Nothing mends these: the log is as it is. They are told, and go the way of those that are sealed.
        self._tell_different(different)
        await self._change([row.id for row in different], sealed_at=self._steady.now())
        lost = [row for row in missing if self._is_lost(row, read_through)]
        for row in lost:
            # Another id: the bus may hold the old one for a duplicate of what it no longer has.
            await self._bus.publish(row.subject, row.payload, message_id=self._new_id())
            await self._change([row.id], published_at=self._clock.now(), repeats=row.repeats + 1)
            self._missing_since[row.id] = self._clock.monotonic()
            self._published_again += 1
        if lost:
            _log.warning("records that the bus acknowledged are not in the ledger", published_again=len(lost))

    def _is_lost(self, row: Row[Any], read_through: datetime | None) -> bool:
        now = self._clock.monotonic()
        missing_for = now - self._missing_since.setdefault(row.id, now)
        # A clock that was ahead, and set back, would have it wait for as long as it was ahead.
        published = min(row.published_at, self._clock.now())
        return is_lost(published, row.repeats, read_through, missing_for, self._lost_after)

    def _tell_different(self, rows: Sequence[Row[Any]]) -> None:
        for row in rows:
            _log.error("the ledger has something else under the id of a record", record=row.record_id)
        self._different += len(rows)

    async def _change(self, ids: Sequence[int], **values: object) -> None:
        if ids:
            async with self._database.transaction() as session:
                await session.execute(update(self._table).where(self._table.c.id.in_(ids)).values(**values))


def _is_missing(state: sealing_pb2.BatchState.ValueType) -> bool:
    return state == sealing_pb2.BATCH_STATE_MISSING


def _differs(state: sealing_pb2.BatchState.ValueType) -> bool:
    return state == sealing_pb2.BATCH_STATE_DIFFERENT
