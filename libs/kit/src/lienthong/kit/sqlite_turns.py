"""Connections to SQLite whose statements take one turn of their thread each.

SQLite waits for the disk, so that each connection has a thread of its own (aiosqlite). There a cursor is
made, executes, is read and is closed in four turns, and each turn wakes the thread, then the loop: far more
than what an ordinary statement costs. Here one turn does all four, unless there are many rows: then the rest
of them is read when it is asked for.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

import aiosqlite

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

T = TypeVar("T")

_READ_AHEAD: Final = 100
"""Rows that come with the statement's own turn."""


def connect(database: str, **options: Any) -> Connection:  # noqa: ANN401 - those of sqlite3.connect
    """A connection, to be awaited, as `aiosqlite.connect` gives it; its thread does not keep the process."""
    connection = Connection(partial(sqlite3.connect, database, **options), iter_chunk_size=_READ_AHEAD)
    connection._thread.daemon = True  # noqa: SLF001 - as SQLAlchemy does it
    return connection


class Connection(aiosqlite.Connection):
    """A connection whose cursors are `Cursor`s."""

    def cursor(self) -> Cursor:  # type: ignore[override]  # entered in the same way
        """A cursor; it takes no turn before it executes."""
        return Cursor(self)

    async def turn(self, function: Callable[..., Any], *arguments: Any) -> Any:  # noqa: ANN401 - the function's
        """Call a function in the connection's thread.

        Raises:
            ValueError: the connection is closed.
        """
        return await self._execute(function, *arguments)  # type: ignore[no-untyped-call]

    def begin_turn(self, function: Callable[..., T], *arguments: Any) -> asyncio.Future[T]:  # noqa: ANN401
        """Have a function called in the connection's thread; it is, whatever becomes of who waits.

        Raises:
            ValueError: the connection is closed.
        """
        if not self._running or self._connection is None:
            raise ValueError("the connection is closed")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._tx.put_nowait((future, partial(function, *arguments)))
        return future

    @property
    def driver(self) -> sqlite3.Connection:
        """The connection itself, for functions in its thread.

        Raises:
            ValueError: the connection is closed.
        """
        return self._conn


class Cursor:
    """What SQLAlchemy uses of an asynchronous cursor, for its adapter of aiosqlite."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._open: sqlite3.Cursor | None = None
        self._rows: deque[Any] = deque()
        self.arraysize = 1
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> Cursor:
        return self

    def __aiter__(self) -> AsyncIterator[Any]:
        return self._each()

    async def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Cursor:
        """Execute a statement, and read the first of its rows.

        Raises:
            sqlite3.Error: it failed.
        """
        self._take(await self._connection.turn(_execute, self._connection.driver, statement, parameters))
        return self

    async def executemany(self, statement: str, parameters: Sequence[Sequence[Any]]) -> Cursor:
        """Execute a statement that gives no rows for each of these parameters.

        Raises:
            sqlite3.Error: it failed.
        """
        self._take(await self._connection.turn(_execute_many, self._connection.driver, statement, parameters))
        return self

    async def fetchone(self) -> Any | None:  # noqa: ANN401 - a row, or what a row factory makes of it
        """The next row; None after the last."""
        rows = await self.fetchmany(1)
        return rows[0] if rows else None

    async def fetchmany(self, size: int | None = None) -> Sequence[Any]:
        """The next `size` rows, or `arraysize`; fewer at the end."""
        wanted = self.arraysize if size is None else size
        missing = wanted - len(self._rows)
        if missing > 0 and self._open is not None:
            cursor = self._open
            self._rows += await self._connection.turn(cursor.fetchmany, missing)
        return [self._rows.popleft() for _ in range(min(wanted, len(self._rows)))]

    async def fetchall(self) -> Sequence[Any]:
        """All rows that are left."""
        if self._open is not None:
            cursor = self._open
            self._rows += await self._connection.turn(cursor.fetchall)
            self.rowcount = cursor.rowcount
        rows, self._rows = list(self._rows), deque()
        return rows

    async def close(self) -> None:
        """Read no more rows."""
        cursor, self._open = self._open, None
        self._rows.clear()
        if cursor is not None:
            await self._connection.turn(cursor.close)

    def _take(self, executed: tuple[sqlite3.Cursor, Sequence[Any], bool]) -> None:
        cursor, rows, ended = executed
        self._open = None if ended else cursor
        self._rows = deque(rows)
        self.description = cursor.description
        self.rowcount, self.lastrowid = cursor.rowcount, cursor.lastrowid

    async def _each(self) -> AsyncIterator[Any]:
        while rows := await self.fetchmany(_READ_AHEAD):
            for row in rows:
                yield row


def _execute(
    connection: sqlite3.Connection, statement: str, parameters: Sequence[Any]
) -> tuple[sqlite3.Cursor, Sequence[Any], bool]:
    """The cursor, the first rows, and whether there are no more: then the cursor is closed."""
    cursor = connection.cursor()
    try:
        cursor.execute(statement, parameters)
        rows = cursor.fetchmany(_READ_AHEAD) if cursor.description else []
    except BaseException:
        cursor.close()
        raise
    ended = len(rows) < _READ_AHEAD
    if ended:
        cursor.close()
    return cursor, rows, ended


def _execute_many(
    connection: sqlite3.Connection, statement: str, parameters: Sequence[Sequence[Any]]
) -> tuple[sqlite3.Cursor, Sequence[Any], bool]:
    cursor = connection.cursor()
    try:
        cursor.executemany(statement, parameters)
    finally:
        cursor.close()
    return cursor, (), True
