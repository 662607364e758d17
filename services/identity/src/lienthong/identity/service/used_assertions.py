"""Assertions that were used: each counts once, on all replicas, for as long as it could be used again.

Requests that arrive together share one transaction, and so one wait for the disk; a request alone does not
wait for company.
"""

import asyncio
from dataclasses import dataclass, field

from lienthong.identity import repository
from lienthong.kit.database import Database


@dataclass(slots=True)
class _Batch:
    """Assertions that are written together, and who waits for each: whether it was the first use."""

    forget_at: dict[bytes, int] = field(default_factory=dict)
    waiting: dict[bytes, asyncio.Future[bool]] = field(default_factory=dict)


class UsedAssertions:
    """Remembers assertions durably."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._gathering = _Batch()
        self._writer: asyncio.Task[None] | None = None

    async def use(self, client_id: str, assertion_id: str, *, forget_at: int) -> bool:
        """Use an assertion up; False if it was used before. Of several at the same time exactly one is first.

        When this returns True, the use is on disk. `forget_at` is in seconds since 1970.

        Raises:
            SQLAlchemyError, OSError, TimeoutError: the database failed; whether it is used is not known.
        """
        digest = repository.assertion_digest(client_id, assertion_id)
        batch = self._gathering
        if digest in batch.waiting:
            return False
        first: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        batch.forget_at[digest] = forget_at
        batch.waiting[digest] = first
        if self._writer is None:
            self._writer = asyncio.create_task(self._write(), name="used assertions")
        return await first

    async def _write(self) -> None:
        """Write until nothing is gathered; what comes meanwhile is the next batch."""
        while self._gathering.waiting:
            batch, self._gathering = self._gathering, _Batch()
            try:
                async with self._database.transaction() as session:
                    new = await repository.remember_assertions(session, batch.forget_at)
            except Exception as error:  # noqa: BLE001  each of those who wait is told
                for first in batch.waiting.values():
                    if not first.done():
                        first.set_exception(error)
            else:
                for digest, first in batch.waiting.items():
                    if not first.done():
                        first.set_result(digest in new)
        self._writer = None
