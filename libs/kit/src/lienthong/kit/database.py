"""The database of a process: SQLite when embedded, PostgreSQL in production, one way of working with both.

`Database.transaction()` is the unit of work and the only place that commits; `Database.reading()` never
writes.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar, cast

from sqlalchemy import JSON, BigInteger, DateTime, Integer, MetaData, TypeDecorator, event, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession
from sqlalchemy.orm import DeclarativeBase

from lienthong.kit.cancellation import cancelled_first
from lienthong.kit.engines import MOST_CONNECTIONS, advisory_key, create_engine, says_damaged
from lienthong.kit.metrics import instruments
from lienthong.kit.migrations import migrate
from lienthong.kit.one_turn import OfPostgresql, in_one_turn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from sqlalchemy.engine import Dialect, ExceptionContext
    from sqlalchemy.pool import QueuePool

    from lienthong.kit.metrics.figures import Figures
    from lienthong.kit.one_turn import Statements
    from lienthong.kit.sqlite_turns import Connection as TurnsConnection

T = TypeVar("T")

__all__ = ["Base", "BigId", "Database", "Json", "UtcDateTime", "migrate", "new_metadata"]

_NAMES = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
"""JSON; JSONB on PostgreSQL. `None` is SQL's NULL."""

BigId = BigInteger().with_variant(Integer, "sqlite")
"""A 64-bit key; SQLite counts up by itself only in a column that is exactly INTEGER."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, kept and given back in UTC with microseconds. Naive ones are refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC; SQLite, which has no time zones, gets a naive datetime (its text sorts by time)."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a datetime without time zone cannot be stored: say which zone it is in")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return an aware datetime in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def new_metadata() -> MetaData:
    """Metadata whose constraints have predictable names, so that migrations can name them."""
    return MetaData(naming_convention=_NAMES)


class Base(DeclarativeBase):
    """The root of a component's mapped classes.

    Each component derives its own once, so that tables of two components never meet:

        class Base(kit.database.Base):
            __abstract__ = True
            metadata = new_metadata()
    """

    metadata = new_metadata()
    type_annotation_map = {datetime: UtcDateTime(), dict[str, Any]: Json, list[Any]: Json}  # noqa: RUF012


class Database:
    """A pool of connections to one database and, on PostgreSQL, one schema in it."""

    def __init__(self, engine: AsyncEngine, *, schema: str) -> None:
        self._engine = engine
        self._schema = schema
        self._sqlite = engine.dialect.name == "sqlite"
        self._writing = engine.execution_options(sqlite_begin="BEGIN IMMEDIATE")
        # A read transaction of SQLite sees one snapshot anyway; PostgreSQL's only at this isolation level.
        one_moment = {} if self._sqlite else {"isolation_level": "REPEATABLE READ"}
        self._reading = engine.execution_options(sqlite_begin="BEGIN", postgresql_readonly=True, **one_moment)
        # SQLite has one writer: waiting here is fair and costs nothing, polling its lock is neither.
        self._write_lock = asyncio.Lock()
        self._exclusive: dict[str, asyncio.Lock] = {}
        # For `write` and `read`: a pool gives a connection out, and takes it back, in turns of their own.
        self._kept: dict[str, tuple[AsyncConnection, TurnsConnection]] = {}
        self._keeping = asyncio.Lock()
        self._told_of_damage: list[Callable[[object], None]] = []

    @classmethod
    def open(cls, url: str, *, schema: str) -> Database:
        """Open `sqlite+aiosqlite:///path` or `postgresql+asyncpg://…`; connects when first used.

        `schema` is where a PostgreSQL process finds its tables (`search_path`); SQLite has one file for each.
        """
        return cls(create_engine(url, schema=schema), schema=schema)

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._engine.dialect.name

    def on_damage(self, told: Callable[[object], None]) -> None:
        """Have `told` called with what SQLite says, whenever it finds its file damaged."""
        self._told_of_damage.append(told)

        @event.listens_for(self._engine.sync_engine, "handle_error")
        def on_error(context: ExceptionContext) -> None:
            if says_damaged(context.original_exception):
                told(context.original_exception)

    def show(self, figures: Figures) -> None:
        """Show how the pool of connections is used."""
        pool = cast("QueuePool", self._engine.pool)
        name = {"db.client.connection.pool.name": self._schema}

        def used() -> list[tuple[int, dict[str, str]]]:
            return [
                (pool.checkedout(), {**name, "db.client.connection.state": "used"}),
                (pool.checkedin(), {**name, "db.client.connection.state": "idle"}),
            ]

        figures.observe_each(instruments.POOL_CONNECTIONS, used)
        figures.observe_each(instruments.POOL_LIMIT, lambda: [(MOST_CONNECTIONS, name)])

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A unit of work: commits at the end of the block, rolls back when it raises. Does not nest.

        On SQLite it takes the write lock at once (`BEGIN IMMEDIATE`), so that a read before a write cannot
        turn stale.
        """
        async with AsyncExitStack() as stack:
            stack.enter_context(cancelled_first())
            if self._sqlite:
                await stack.enter_async_context(self._write_lock)
            session = await stack.enter_async_context(
                AsyncSession(self._writing, expire_on_commit=False, autobegin=True)
            )
            await stack.enter_async_context(session.begin())
            yield session

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A session on one consistent snapshot, for reading only: changes made in it are rolled back."""
        with cancelled_first():
            async with AsyncSession(self._reading, expire_on_commit=False, autoflush=False) as session:
                yield session

    async def write(self, work: Callable[[Statements], T]) -> T:
        """A unit of work that is a function, as `transaction` in one turn of SQLite's thread: see `one_turn`.

        It runs in another thread there, and once more where it is asked to: it touches nothing but what it is
        given. Raising, it leaves nothing. Cancelled, it may be done or not, as with a commit.
        """
        if self._sqlite:
            async with self._write_lock:
                return await self._in_one_turn("BEGIN IMMEDIATE", work)
        with cancelled_first():
            async with self._writing.connect() as connection, connection.begin():
                return await connection.run_sync(lambda sync: work(OfPostgresql(sync)))

    async def read(self, work: Callable[[Statements], T]) -> T:
        """As `write`, on one consistent snapshot, for reading only."""
        if self._sqlite:
            return await self._in_one_turn("BEGIN", work)
        with cancelled_first():
            async with self._reading.connect() as connection:
                return await connection.run_sync(lambda sync: work(OfPostgresql(sync)))

    async def _in_one_turn(self, begin: str, work: Callable[[Statements], T]) -> T:
        _, connection = self._kept.get(begin) or await self._keep(begin)
        try:
            return await in_one_turn(connection, self._engine.dialect, begin, work)
        except DBAPIError as error:
            if says_damaged(error.orig):
                for told in self._told_of_damage:
                    told(error.orig)
            raise

    async def _keep(self, begin: str) -> tuple[AsyncConnection, TurnsConnection]:
        async with self._keeping:
            if begin not in self._kept:
                connection = await self._engine.connect()
                raw = await connection.get_raw_connection()
                self._kept[begin] = connection, cast("TurnsConnection", raw.driver_connection)
            return self._kept[begin]

    @asynccontextmanager
    async def exclusive(self, name: str) -> AsyncIterator[bool]:
        """Try to hold the lock `name` during the block; yields whether it is held, and never waits for it.

        On PostgreSQL it is an advisory lock of this schema, released when its connection ends. On SQLite,
        which one process uses alone, it is a lock of this object.
        """
        if self._sqlite:
            lock = self._exclusive.setdefault(name, asyncio.Lock())
            if lock.locked():
                yield False
                return
            with cancelled_first():
                async with lock:
                    yield True
            return
        with cancelled_first():
            async with self._writing.connect() as connection, connection.begin():
                # Nothing else happens in this transaction, however long it is held.
                await connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
                found = await connection.execute(
                    text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": advisory_key(self._schema, name)}
                )
                yield bool(found.scalar_one())

    async def check(self) -> bool:
        """Whether the database answers; for the readiness check."""
        try:
            async with asyncio.timeout(2), self._reading.connect() as connection:
                await connection.execute(text("SELECT 1"))
        except Exception:  # noqa: BLE001 - any failure means: not ready
            return False
        return True

    async def close(self) -> None:
        """Close all connections."""
        kept, self._kept = self._kept, {}
        for connection, _ in kept.values():
            await connection.close()
        await self._engine.dispose()
