"""The transactional outbox: every message of a committed transaction is published, each stream's in order.

A change and its message are written in one transaction; a relay publishes the rows in the order of their
ids and deletes each only after the bus has acknowledged it. After a crash between the two the message is
published again under the same id, which the stream knows as a duplicate.

One outbox serves several streams, which the first word of a subject tells apart. A stream that takes no more,
because it is full or not there yet, holds back its own messages only.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import Column, LargeBinary, String, Table, delete, event, func, insert, select, text

from lienthong.kit.backoff import Backoff
from lienthong.kit.bulk import execute_many
from lienthong.kit.bus import BusError
from lienthong.kit.clock import SystemClock
from lienthong.kit.database import BigId, Json, UtcDateTime
from lienthong.kit.ids import uuid7
from lienthong.kit.messages import OutboxMessage
from lienthong.kit.metrics.instruments import OUTBOX_AGE, OUTBOX_MESSAGES
from lienthong.kit.retained_records import retain

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from sqlalchemy import ColumnElement, MetaData, Row
    from sqlalchemy.ext.asyncio import AsyncSession

    from lienthong.kit.bus import Bus
    from lienthong.kit.clock import Clock
    from lienthong.kit.database import Database
    from lienthong.kit.ids import NewId
    from lienthong.kit.metrics.figures import Figures
    from lienthong.kit.metrics.instruments import Instrument

__all__ = ["MAX_PAYLOAD", "Outbox", "OutboxMessage", "OutboxRelay", "outbox_table"]

MAX_PAYLOAD = 1_000_000
"""Bytes; NATS takes 1 MiB with its headers. A larger message would block all others, so `add` refuses it."""

_BATCH = 100
_MOST_COUNTED = 10_000
_POLL_SECONDS = 1.0
_TRY_AGAIN_SECONDS = 1.0

_log = structlog.get_logger(__name__)


def outbox_table(metadata: MetaData, name: str = "outbox") -> Table:
    """The table of an outbox, for a component's models and migrations."""
    return Table(
        name,
        metadata,
        Column("id", BigId, primary_key=True, autoincrement=True),
        Column("message_id", String(64), nullable=False),
        Column("subject", String(255), nullable=False),
        Column("payload", LargeBinary, nullable=False),
        Column("headers", Json, nullable=True),
        Column("created_at", UtcDateTime, nullable=False),
        # Without this SQLite reuses the id of a deleted last row.
        sqlite_autoincrement=True,
    )


class Outbox:
    """Stores the messages of a unit of work. `on_commit` is called after commits that stored any."""

    def __init__(
        self,
        table: Table,
        *,
        on_commit: Callable[[], None] | None = None,
        clock: Clock | None = None,
        new_id: NewId = uuid7,
    ) -> None:
        self._table = table
        self._on_commit = on_commit
        self._clock = clock or SystemClock()
        self._new_id = new_id

    async def add(
        self,
        session: AsyncSession,
        subject: str,
        payload: bytes,
        *,
        message_id: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> str:
        """Store a message, to be published after `session` commits; returns its message id.

        Raises:
            ValueError: the payload is larger than the bus takes.
        """
        [message_id] = await self.add_all(session, [OutboxMessage(subject, payload, message_id, headers)])
        return message_id

    async def add_all(self, session: AsyncSession, messages: Sequence[OutboxMessage]) -> list[str]:
        """Store messages, to be published after `session` commits; returns their message ids.

        Those of a stream are published in this order, and in the order of their commits: on PostgreSQL units
        of work that store messages wait for each other from this call on; else a lower id could become
        visible after a higher one.

        Raises:
            ValueError: a payload is larger than the bus takes.
        """
        for message in messages:
            if (size := len(message.payload)) > MAX_PAYLOAD:
                raise ValueError(f"a message of {size} bytes is too large: at most {MAX_PAYLOAD}")
        if not messages:
            return []
        if session.get_bind().dialect.name == "postgresql":
            await session.execute(
                text("SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || :name, 0))"),
                {"name": f".{self._table.name}"},
            )
        now = self._clock.now()
        rows = [
            {
                "message_id": message.message_id or self._new_id(),
                "subject": message.subject,
                "payload": message.payload,
                "headers": dict(message.headers) if message.headers else None,
                "created_at": now,
            }
            for message in messages
        ]
        await execute_many(session, insert(self._table), rows)
        if self._on_commit is not None:
            wake = self._on_commit
            event.listen(session.sync_session, "after_commit", lambda _: wake(), once=True)
        return [str(row["message_id"]) for row in rows]

    async def oldest(self, session: AsyncSession, subject: str) -> bytes | None:
        """The message under a subject that is published next; None when none waits."""
        table = self._table
        query = select(table.c.payload).where(table.c.subject == subject).order_by(table.c.id).limit(1)
        payload: bytes | None = (await session.execute(query)).scalar_one_or_none()
        return payload


class OutboxRelay:
    """Publishes what outboxes hold. Of several replicas on one database one at a time does.

    `_held` has the streams that take no more, each with the id of its oldest row; all rows up to `_passed`
    are theirs, so that nobody looks at them again. Another replica may have published some meanwhile, which
    shows when its oldest is gone; none can come before that, since ids only grow.
    """

    def __init__(
        self,
        db: Database,
        table: Table,
        bus: Bus,
        clock: Clock | None = None,
        *,
        retained: Table | None = None,
        on_connection: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        """Audit records go over to the table `retained` (`kit.retained_records`) when they are published.

        On each new connection `on_connection` is awaited before anything is published: the bus may have
        another store than before. It may raise BusError, and is then called again.
        """
        self._db = db
        self._retained = retained
        self._table = table
        self._bus = bus
        self._clock = clock or SystemClock()
        self._on_connection = on_connection
        self._looked_on = 0
        self._woken = asyncio.Event()
        self._held: dict[str, int] = {}
        self._passed = 0
        self._try_again_at = 0.0

    async def waiting(self) -> dict[Instrument, float | None]:
        """How many messages wait, counted up to 10,000, and for how long the oldest has."""
        created = self._table.c.created_at
        most = select(self._table.c.id).limit(_MOST_COUNTED).subquery()
        async with self._db.reading() as session:
            number = (await session.execute(select(func.count()).select_from(most))).scalar_one()
            oldest = (
                await session.execute(select(created).order_by(self._table.c.id).limit(1))
            ).scalar_one_or_none()
        age = (self._clock.now() - oldest).total_seconds() if oldest is not None else 0.0
        return {OUTBOX_MESSAGES: number, OUTBOX_AGE: max(age, 0.0)}

    def show(self, figures: Figures) -> None:
        """Show what waits."""
        figures.ask(OUTBOX_MESSAGES, OUTBOX_AGE, about=self.waiting)

    def wake(self) -> None:
        """There is something to publish; without this it is found within a second."""
        self._woken.set()

    async def run(self) -> None:
        """Publish for ever; returns only by cancellation."""
        backoff = Backoff()
        while True:
            self._woken.clear()
            try:
                more = await self._relay_batch()
            except BusError as error:
                _log.warning("outbox waits for the bus", table=self._table.name, error=str(error))
            except Exception:  # noqa: BLE001 - a database that is away comes back; the relay must be there
                _log.exception("outbox relay failed", table=self._table.name)
            else:
                backoff.reset()
                if not more:
                    await self._idle()
                continue
            # What was published and could not be deleted is looked at again.
            self._held.clear()
            await self._bus.wait_connected()
            await backoff.pause()

    async def _idle(self) -> None:
        try:
            async with asyncio.timeout(_POLL_SECONDS):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _relay_batch(self) -> bool:
        """Publish one batch; returns whether there may be more.

        Raises:
            BusError: there is no connection.
        """
        async with self._db.exclusive(f"relay {self._table.name}") as mine:
            if not mine:
                return False
            await self._look()
            if not self._held:
                self._passed = 0
            rows = await self._read(self._table.c.id > self._passed)
            published: list[Row[Any]] = []
            try:
                for row in rows:
                    if await self._publish_unless_held(row):
                        published.append(row)
                    self._passed = row.id
            finally:
                if published:
                    await self._forget(published)
            return await self._try_held() or len(rows) == _BATCH

    async def _look(self) -> None:
        number = self._bus.connection_number
        if self._on_connection is not None and number != self._looked_on:
            await self._on_connection()
            self._looked_on = number

    async def _read(self, which: ColumnElement[bool]) -> list[Row[Any]]:
        """Read the oldest rows of those."""
        query = select(self._table).where(which).order_by(self._table.c.id).limit(_BATCH)
        async with self._db.reading() as session:
            return list(await session.execute(query))

    async def _publish_unless_held(self, row: Row[Any]) -> bool:
        """Publish a row unless earlier ones of its stream wait; returns whether it was.

        Raises:
            BusError: there is no connection.
        """
        stream = row.subject.partition(".")[0]
        if stream in self._held:
            return False
        try:
            await self._publish(row)
        except BusError as error:
            if not self._bus.connected:
                raise
            self._held[stream] = row.id
            _log.warning("outbox waits for a stream", table=self._table.name, stream=stream, error=str(error))
            return False
        return True

    async def _try_held(self) -> bool:
        """Try again, once a second, with the oldest row of each stream that took no more.

        Returns whether one takes messages again.

        Raises:
            BusError: there is no connection.
        """
        time = asyncio.get_running_loop().time
        if not self._held or time() < self._try_again_at:
            return False
        waited = dict(self._held)
        for stream, oldest in waited.items():
            if await self._is_taken(oldest):
                del self._held[stream]
                self._passed = min(self._passed, oldest)
                _log.info("outbox goes on", table=self._table.name, stream=stream)
        self._try_again_at = time() + _TRY_AGAIN_SECONDS
        return len(self._held) < len(waited)

    async def _is_taken(self, oldest: int) -> bool:
        """Try to publish a row; returns whether its stream has it now, from here or from another replica.

        Raises:
            BusError: there is no connection.
        """
        for row in await self._read(self._table.c.id == oldest):
            try:
                await self._publish(row)
            except BusError:
                if not self._bus.connected:
                    raise
                return False
            await self._forget([row])
        return True

    async def _publish(self, row: Row[Any]) -> None:
        ack = await self._bus.publish(
            row.subject, row.payload, message_id=row.message_id, headers=row.headers
        )
        _log.debug(
            "published",
            subject=row.subject,
            sequence=ack.sequence,
            waited=(self._clock.now() - row.created_at).total_seconds(),
        )

    async def _forget(self, published: Sequence[Row[Any]]) -> None:
        async with self._db.transaction() as session:
            if self._retained is not None:
                await retain(session, self._retained, published, self._clock.now())
            ids = [row.id for row in published]
            await session.execute(delete(self._table).where(self._table.c.id.in_(ids)))
