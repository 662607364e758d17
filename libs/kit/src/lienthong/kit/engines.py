"""SQLAlchemy engines, configured for SQLite and PostgreSQL as `Database` needs them."""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import event, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Connection
    from sqlalchemy.engine.interfaces import DBAPIConnection

COMMAND_TIMEOUT = 30.0
"""Seconds that a statement may take, so that one which hangs does not hold its locks for ever."""

MOST_CONNECTIONS = 15
"""Of one process to its database; whoever needs another one waits."""
_KEPT_OPEN = 5

_SQLITE_PRAGMAS = ("journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL")


def create_engine(
    url: str, *, schema: str, busy_timeout: float = 5.0, command_timeout: float | None = COMMAND_TIMEOUT
) -> AsyncEngine:
    """An engine set up as `Database` needs it.

    `busy_timeout` is for SQLite: how many seconds a connection waits for another one's write lock.
    `command_timeout` is for PostgreSQL: how many seconds a statement may take before it raises TimeoutError.
    """
    parsed = normalize_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite_engine(parsed, busy_timeout)
    return create_async_engine(
        parsed,
        pool_pre_ping=True,
        pool_size=_KEPT_OPEN,
        max_overflow=MOST_CONNECTIONS - _KEPT_OPEN,
        hide_parameters=True,
        connect_args={
            "timeout": 5,
            "command_timeout": command_timeout,
            "server_settings": {"search_path": schema, "application_name": f"lienthong-{schema}"},
        },
    )


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


def advisory_key(schema: str, name: str) -> int:
    """The 64-bit key of PostgreSQL's advisory lock `name` in `schema`."""
    return int.from_bytes(hashlib.sha256(f"{schema}\n{name}".encode()).digest()[:8], "big", signed=True)


def _sqlite_engine(url: URL, busy_timeout: float) -> AsyncEngine:
    if url.database in {None, "", ":memory:"}:
        raise ValueError(
            "give the SQLite database a file: in memory, connections would share one transaction"
        )
    Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(
        url, pool_size=_KEPT_OPEN, max_overflow=MOST_CONNECTIONS - _KEPT_OPEN, hide_parameters=True
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
