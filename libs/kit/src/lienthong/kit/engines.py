"""SQLAlchemy engines, configured for SQLite and PostgreSQL as `Database` needs them."""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
from sqlalchemy import event, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from lienthong.kit import sqlite_turns
from lienthong.kit.bulk import chunks
from lienthong.kit.files import make_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import URL, Connection
    from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor


@dataclass(frozen=True, slots=True)
class Limits:
    """How many seconds PostgreSQL may keep us waiting, and we it; None is without end.

    `command` is for a statement: then it raises TimeoutError, and ten seconds later the server ends it by
    itself, if it could not be told. `lock` is for one lock, and ends before `command` does. `idle` is for a
    transaction in which nothing happens: then the server ends the connection.
    """

    command: float | None = 30.0
    lock: float | None = 20.0
    idle: float | None = 60.0

    def settings(self) -> dict[str, str]:
        """As parameters of a session of the server (PostgreSQL 15, chapter 20.11)."""
        on_server = self.command + _SERVER_LATER if self.command is not None else None
        return {
            "statement_timeout": _milliseconds(on_server),
            "lock_timeout": _milliseconds(self.lock),
            "idle_in_transaction_session_timeout": _milliseconds(self.idle),
        }


NO_LIMITS = Limits(command=None, lock=None, idle=None)
MIGRATING = Limits(command=None, lock=60.0, idle=600.0)
"""A revision of a large table takes as long as it takes, but what it waits for holds up others too."""
_SERVER_LATER = 10.0

_NOTICING_THE_DEAD = {
    "client_connection_check_interval": "5s",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}
"""A client that was killed, or whose machine is gone, must not keep its locks: the server looks for it also
while it executes a statement, and after a minute without a sign of its machine."""

MOST_CONNECTIONS = 15
"""Of one process to its database; whoever needs another one waits."""
_KEPT_OPEN = 5

_SQLITE_PRAGMAS = ("journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL")


_SQLITE_CANNOT_WRITE = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR_WRITE,
        sqlite3.SQLITE_IOERR_FSYNC,
        sqlite3.SQLITE_IOERR_DIR_FSYNC,
        sqlite3.SQLITE_IOERR_TRUNCATE,
        sqlite3.SQLITE_IOERR_SHMSIZE,
        sqlite3.SQLITE_IOERR_SHMOPEN,
    }
)
_DISK_FULL = "53100"
_ENDING = frozenset({"57P01", "57P02", "57P03"})
"""admin_shutdown, crash_shutdown, cannot_connect_now."""
_CONNECTION_LOST = "08"
"""The class of connection exceptions."""

_CLOSE_SECONDS = 2.0


class DatabaseAwayError(ConnectionError):
    """No connection to the server can be made."""


class _Connection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    """A connection that does not wait for ever for a server to confirm that it is closed."""

    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109 - asyncpg's own
        """Close; breaks the connection off after so many seconds (default 2)."""
        await super().close(timeout=_CLOSE_SECONDS if timeout is None else timeout)


def create_engine(
    url: str, *, schema: str, busy_timeout: float = 5.0, limits: Limits | None = None
) -> AsyncEngine:
    """An engine set up as `Database` needs it.

    `busy_timeout` is for SQLite: how many seconds a connection waits for another one's write lock.
    `limits` are for PostgreSQL.
    """
    parsed = normalize_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite_engine(parsed, busy_timeout)
    return _postgresql_engine(parsed, schema, limits or Limits())


def _postgresql_engine(url: URL, schema: str, limits: Limits) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_pre_ping=True,
        pool_size=_KEPT_OPEN,
        max_overflow=MOST_CONNECTIONS - _KEPT_OPEN,
        hide_parameters=True,
        connect_args={
            "timeout": 5,
            "command_timeout": limits.command,
            "connection_class": _Connection,
            "async_creator_fn": _connect,
            "server_settings": {
                "search_path": schema,
                "application_name": f"lienthong-{schema}",
                **limits.settings(),
                **_NOTICING_THE_DEAD,
            },
        },
    )

    @event.listens_for(engine.sync_engine, "do_executemany")
    def on_execute_many(
        cursor: DBAPICursor, statement: str, rows: Sequence[Sequence[Any]], _: object
    ) -> bool:
        # Whoever asks for it, the ORM too: see `lienthong.kit.bulk` for what a larger one does.
        for chunk in chunks(rows):
            cursor.executemany(statement, chunk)
        return True

    return engine


async def _connect(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - asyncpg has no types
    """Connect, with one error for a server that is not there, and for one that starts or ends."""
    try:
        return await asyncpg.connect(*arguments, **options)
    except (
        OSError,
        asyncpg.CannotConnectNowError,
        asyncpg.PostgresConnectionError,
        asyncpg.TooManyConnectionsError,
    ) as error:
        raise DatabaseAwayError(str(error) or "the database does not answer") from error


def _milliseconds(seconds: float | None) -> str:
    return str(round((seconds or 0) * 1000))


def normalize_url(url: str) -> URL:
    """Return `url` with the asynchronous driver that the platform uses.

    Raises:
        ValueError: neither SQLite nor PostgreSQL.
    """
    parsed = make_url(url)
    drivers = {
        "sqlite": "sqlite+aiosqlite",
        "postgresql": "postgresql+asyncpg",
        "postgres": "postgresql+asyncpg",
    }
    backend = parsed.drivername.partition("+")[0]
    if backend not in drivers:
        raise ValueError(f"{backend} databases are not supported: give a sqlite or postgresql address")
    return parsed.set(drivername=drivers[backend])


def is_without_room(error: DBAPIError) -> bool:
    """Whether the database could not write: its disk is full, or does not take what is written.

    SQLite: SQLITE_FULL and what has to do with writing of SQLITE_IOERR (sqlite.org/rescode.html).
    PostgreSQL: 53100, disk_full.
    """
    if getattr(error.orig, "sqlite_errorcode", None) in _SQLITE_CANNOT_WRITE:
        return True
    return getattr(error.orig, "sqlstate", None) == _DISK_FULL


def says_damaged(error: object) -> bool:
    """Whether SQLite says that a file is damaged (SQLITE_CORRUPT), or is no database (SQLITE_NOTADB)."""
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(code, int) and code & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def is_away(error: BaseException) -> bool:
    """Whether the database does not answer, or ended meanwhile; what became of a commit is not known then.

    PostgreSQL: no connection can be made, or it broke; the server ends (57P01, 57P02) or starts (57P03); a
    statement, or the wait for a connection of the pool, took too long.
    """
    if isinstance(error, (DatabaseAwayError, PoolTimeoutError, TimeoutError)):
        return True
    if not isinstance(error, DBAPIError):
        return False
    state = str(getattr(error.orig, "sqlstate", None) or "")
    return error.connection_invalidated or state in _ENDING or state.startswith(_CONNECTION_LOST)


def advisory_key(schema: str, name: str) -> int:
    """The 64-bit key of PostgreSQL's advisory lock `name` in `schema`."""
    return int.from_bytes(hashlib.sha256(f"{schema}\n{name}".encode()).digest()[:8], "big", signed=True)


def _sqlite_engine(url: URL, busy_timeout: float) -> AsyncEngine:
    if url.database in {None, "", ":memory:"}:
        raise ValueError(
            "give the SQLite database a file: in memory, connections would share one transaction"
        )
    make_folder(Path(str(url.database)).parent)
    engine = create_async_engine(
        url,
        pool_size=_KEPT_OPEN,
        max_overflow=MOST_CONNECTIONS - _KEPT_OPEN,
        hide_parameters=True,
        connect_args={"async_creator_fn": sqlite_turns.connect},
    )

    @event.listens_for(engine.sync_engine, "connect")
    def on_connect(connection: DBAPIConnection, _: object) -> None:
        # The driver must not begin transactions by itself: SQLAlchemy's documents on SQLite say how and why.
        connection.isolation_level = None
        cursor = connection.cursor()
        # Set first: switching to WAL needs an exclusive lock, for which another connection may have to wait.
        cursor.execute(f"PRAGMA busy_timeout={int(busy_timeout * 1000)}")
        for pragma in _SQLITE_PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "invalidate")
    def on_invalidate(connection: DBAPIConnection, _: object, __: object) -> None:
        # When a statement was cancelled, someone may still hold its cursor, and SQLite keeps a closed
        # connection's transaction, with the write lock, until the last cursor is gone.
        with contextlib.suppress(SQLAlchemyError, sqlite3.Error, ValueError):
            connection.rollback()

    @event.listens_for(engine.sync_engine, "begin")
    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN"))

    return engine
