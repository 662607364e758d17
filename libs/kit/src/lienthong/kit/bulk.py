"""One statement for many rows, in chunks that asyncpg sends in one piece.

asyncpg writes at most 128 KiB of an `executemany` at a time (four buffers of 32 KiB) and ends the command
only after the last piece. A task that is cancelled between two pieces waits for an answer that never comes,
and the server's process keeps the transaction with all its locks. A chunk below that size has no "between".

The engine splits whatever it is given (`kit.engines`), so that no statement of any process is larger.
`execute_many` splits before SQLAlchemy reads the rows: between two chunks other tasks get their turn.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import Executable
    from sqlalchemy.ext.asyncio import AsyncSession

MAX_CHUNK = 65_536
"""Bytes of a chunk: half of what asyncpg sends in one piece."""

_PER_ROW, _PER_VALUE = 64, 32


Row = TypeVar("Row", bound="Mapping[str, Any] | Sequence[Any]")


async def execute_many(
    session: AsyncSession, statement: Executable, rows: Iterable[Mapping[str, Any]]
) -> None:
    """Execute `statement` once for each row of parameters; does nothing without rows."""
    for chunk in chunks(rows):
        await session.execute(statement, chunk)


def chunks(rows: Iterable[Row], most: int = MAX_CHUNK) -> Iterator[list[Row]]:
    """Split rows, in their order, into lists of at most `most` bytes; a larger row is a list of its own."""
    chunk: list[Row] = []
    size = 0
    for row in rows:
        values = row.values() if isinstance(row, Mapping) else row
        added = _PER_ROW + _PER_VALUE * len(values) + sum(map(_size, values))
        if chunk and size + added > most:
            yield chunk
            chunk, size = [], 0
        chunk.append(row)
        size += added
    if chunk:
        yield chunk


def _size(value: object) -> int:
    """An upper bound of the bytes that a value takes on the wire beyond `_PER_VALUE`."""
    # Every row of the ledger comes by here twice: what is usual comes first.
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode())
    if isinstance(value, bytes):
        return len(value)
    if value is None or isinstance(value, int):
        return 0
    if isinstance(value, dict | list):
        return len(json.dumps(value, default=str))
    return memoryview(value).nbytes if isinstance(value, bytearray | memoryview) else 0
