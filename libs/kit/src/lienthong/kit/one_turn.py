"""Units of work that are functions: on SQLite all of one is done in a single turn of its thread.

A session of SQLAlchemy hands each statement to the thread by itself, and waits for it: a transaction of three
statements wakes thread and loop ten times, and each statement passes through the session, the engine and a
greenlet. Where all that is to be done is known beforehand (a look-up, a row that is recorded), a plain
function does it, given `Statements`. On PostgreSQL the same function runs on a connection of SQLAlchemy.

Statements are made once, as constants: their text is kept for as long as they live.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from sqlalchemy.exc import DBAPIError

from lienthong.kit.bulk import chunks

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection
    from sqlalchemy.engine import Dialect
    from sqlalchemy.sql import ClauseElement

    from lienthong.kit.sqlite_turns import Connection as TurnsConnection

T = TypeVar("T")

NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})

_MOST_KEPT: Final = 256
_KEEP: Final = {"BEGIN IMMEDIATE": "COMMIT", "BEGIN": "ROLLBACK"}
"""How what begins like this ends when nothing failed: what only reads changes nothing."""


class Statements(Protocol):
    """Executes statements of SQLAlchemy within one unit of work."""

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""

    def execute(
        self, statement: ClauseElement, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] = NOTHING
    ) -> Sequence[Any]:
        """Execute a statement, with a sequence of parameters once for each, in their order.

        Returns the rows: texts, numbers and bytes as the driver gives them; of other types nothing is
        promised. A statement with parameters in a list has none, unless it says RETURNING.
        """


class OfPostgresql:
    """`Statements` on a connection of SQLAlchemy."""

    dialect = "postgresql"

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def execute(
        self, statement: ClauseElement, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] = NOTHING
    ) -> Sequence[Any]:
        """As `Statements` says."""
        if isinstance(parameters, Mapping):
            found = self._connection.execute(statement, parameters)  # type: ignore[call-overload]
            return found.all() if found.returns_rows else ()
        rows: list[Any] = []
        for chunk in chunks(parameters):
            result = self._connection.execute(statement, chunk)  # type: ignore[call-overload]
            if result.returns_rows:
                rows += result.all()
        return rows


class OfSqlite:
    """`Statements` on SQLite's own connection, in its thread."""

    dialect = "sqlite"

    def __init__(self, connection: sqlite3.Connection, dialect: Dialect) -> None:
        self._connection = connection
        self._of = dialect

    def execute(
        self, statement: ClauseElement, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] = NOTHING
    ) -> Sequence[Any]:
        """As `Statements` says."""
        text = _text(statement, self._of)
        if isinstance(parameters, Mapping):
            return self._connection.execute(text.sql, text.values(parameters)).fetchall()
        values = map(text.values, parameters)
        if not text.returns_rows:
            self._connection.executemany(text.sql, values)
            return ()
        return [row for one in values for row in self._connection.execute(text.sql, one).fetchall()]


async def in_one_turn(
    connection: TurnsConnection, dialect: Dialect, begin: str, work: Callable[[Statements], T]
) -> T:
    """Do a unit of work in the thread of a connection. Cancelled, it returns when the thread has ended it.

    Raises:
        DBAPIError: SQLite failed; nothing of the work is done.
    """
    future = connection.begin_turn(_transaction, connection.driver, dialect, begin, work)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        # The thread goes on. Whoever comes next must not meet it, and find its changes half done.
        await asyncio.wait([future])
        if not future.cancelled():
            future.exception()
        raise


def _transaction(
    connection: sqlite3.Connection, dialect: Dialect, begin: str, work: Callable[[Statements], T]
) -> T:
    try:
        connection.execute(begin)
        try:
            result = work(OfSqlite(connection, dialect))
            connection.execute(_KEEP[begin])
        except BaseException:
            # SQLite has rolled back by itself after some errors.
            if connection.in_transaction:
                connection.rollback()
            raise
    except dialect.loaded_dbapi.Error as error:
        raise _as_sqlalchemy_says(error, dialect) from error
    return result


def _as_sqlalchemy_says(error: Exception, dialect: Dialect) -> Exception:
    """The exception that a session would raise: parameters are not in it."""
    return DBAPIError.instance(
        None, None, error, dialect.loaded_dbapi.Error, hide_parameters=True, dialect=dialect
    )


class _Text:
    """A statement as SQLite gets it."""

    def __init__(self, statement: ClauseElement, dialect: Dialect) -> None:
        compiled: Any = statement.compile(dialect=dialect)
        self.sql: str = compiled.string
        changes = compiled.isinsert or compiled.isupdate or compiled.isdelete
        self.returns_rows = not changes or bool(compiled.effective_returning)
        self._values: list[tuple[str, Any, Callable[[Any], Any] | None]] = []
        for name in compiled.positiontup or ():
            kind = compiled.binds[name].type.dialect_impl(dialect)
            self._values.append((name, compiled.params[name], kind.bind_processor(dialect)))

    def values(self, parameters: Mapping[str, Any]) -> list[Any]:
        """The values in the order of the text; what is not given is what the statement says."""
        return [
            parameters.get(name, said) if process is None else process(parameters.get(name, said))
            for name, said, process in self._values
        ]


@lru_cache(maxsize=_MOST_KEPT)
def _text(statement: ClauseElement, dialect: Dialect) -> _Text:
    return _Text(statement, dialect)
