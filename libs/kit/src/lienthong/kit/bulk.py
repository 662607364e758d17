"""One statement for many rows, in chunks that asyncpg sends in one piece.

asyncpg writes at most 128 KiB of an `executemany` at a time (four buffers of 32 KiB) and ends the command
only after the last piece. A task that is cancelled between two pieces waits for an answer that never comes,
and the server's process keeps the transaction with all its locks. A chunk below that size has no "between".
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sqlalchemy import Executable
    from sqlalchemy.ext.asyncio import AsyncSession

MAX_CHUNK = 65_536
"""Bytes of a chunk: half of what asyncpg sends in one piece."""

_PER_ROW, _PER_VALUE = 64, 32


async def execute_many(
    session: AsyncSession, statement: Executable, rows: Iterable[Mapping[str, Any]]
) -> None:
    """Execute `statement` once for each row of parameters; does nothing without rows."""
    for chunk in chunks(rows):
        await session.execute(statement, chunk)


def chunks(rows: Iterable[Mapping[str, Any]], most: int = MAX_CHUNK) -> Iterator[list[Mapping[str, Any]]]:
    """Split rows, in their order, into lists of at most `most` bytes; a larger row is a list of its own."""
    chunk: list[Mapping[str, Any]] = []
    size = 0
    for row in rows:
        added = _PER_ROW + sum(map(_size, row.values()))
        if chunk and size + added > most:
            yield chunk
            chunk, size = [], 0
        chunk.append(row)
        size += added
    if chunk:
        yield chunk


def _size(value: object) -> int:
    """An upper bound of the bytes that a value takes on the wire."""
    if isinstance(value, bytes):
        return _PER_VALUE + len(value)
    if isinstance(value, str):
        return _PER_VALUE + len(value.encode())
    if isinstance(value, dict | list):
        return _PER_VALUE + len(json.dumps(value))
    return _PER_VALUE
