"""Whose turn it is to append: one process at a time follows the journal, others wait and answer reads.

This keeps two processes from getting into each other's way. That they cannot fork the log does not depend on
it: each transaction locks the head of the log.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import make_url

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from lienthong.kit.database import Database


class Turn(Protocol):
    """The right to append, for the length of a block."""

    def __call__(self) -> AbstractAsyncContextManager[bool]:
        """Whether this process has the turn during the block; does not wait for it."""
        ...


def turn_of(database: Database, url: str) -> Turn:
    """The turn in this database: a lock of PostgreSQL, or a locked file beside SQLite's."""
    if database.dialect == "sqlite":
        return _FileTurn(Path(f"{make_url(url).database}.writer"))
    return _DatabaseTurn(database)


class _DatabaseTurn:
    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[bool]:
        async with self._database.exclusive("journal") as held:
            yield held


class _FileTurn:
    def __init__(self, path: Path) -> None:
        self._path = path

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[bool]:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            # The lock ends with its descriptor, however the process ends.
            os.close(descriptor)
