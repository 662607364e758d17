"""The writer lock: one process at a time follows the journal; others wait for it and answer reads.

It only spares processes work that another one does already. What keeps two processes from forking the log is
the lock of the tree head in each transaction.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import make_url

from lienthong.kit.files import locked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from lienthong.kit.database import Database


class WriterLock(Protocol):
    """A lock that at most one process holds, for the length of a block."""

    def __call__(self) -> AbstractAsyncContextManager[bool]:
        """Try to take the lock for the block, without waiting; the value says whether it is held."""
        ...


def writer_lock(database: Database, url: str) -> WriterLock:
    """The writer lock of this database: an advisory lock of PostgreSQL, or a locked file beside SQLite's."""
    if database.dialect == "sqlite":
        return _FileLock(Path(f"{make_url(url).database}.writer"))
    return _AdvisoryLock(database)


class _AdvisoryLock:
    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[bool]:
        async with self._database.exclusive("journal") as held:
            yield held


class _FileLock:
    def __init__(self, path: Path) -> None:
        self._path = path

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[bool]:
        with locked(self._path) as held:
            yield held
