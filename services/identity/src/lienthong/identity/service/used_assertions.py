"""Protection against replay: each assertion (RFC 7523 §3) and each DPoP proof (RFC 9449 §11.1) is accepted
once, on all replicas, by its `jti`.

Requests that arrive while a transaction is being written share the next one, and so one wait for the disk.
Those that were used lately are known without the database: sending one again costs it nothing.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from lienthong.identity import repository
from lienthong.kit.clock import Clock
from lienthong.kit.database import Database

_MOST_KNOWN: Final = 10_000


@dataclass(slots=True)
class _Batch:
    """Assertions that are written in one transaction, each with the future that tells whether it was new."""

    forget_at: dict[bytes, int] = field(default_factory=dict)
    waiting: dict[bytes, asyncio.Future[bool]] = field(default_factory=dict)


class UsedAssertions:
    """The assertions and proofs that were used and have not expired, stored durably, by their digests."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._gathering = _Batch()
        self._writer: asyncio.Task[None] | None = None
        self._known: OrderedDict[bytes, int] = OrderedDict()
        """When those that were used lately may be forgotten."""

    async def use(self, digest: bytes, *, forget_at: int) -> bool:
        """Mark an assertion or a proof as used; False if it was used before. Of simultaneous uses exactly one
        gets True.

        When this returns True, the use is on disk. It may be deleted at `forget_at`, in seconds since 1970.

        Raises:
            SQLAlchemyError, OSError, TimeoutError: the database failed; whether it is used is not known.
        """
        if self._known.get(digest, 0) > self._clock.now().timestamp():
            self._known.move_to_end(digest)
            return False
        batch = self._gathering
        if (same := batch.waiting.get(digest)) is not None:
            # Where the write fails, nobody is told that it was used.
            await asyncio.shield(same)
            return False
        first: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        batch.forget_at[digest] = forget_at
        batch.waiting[digest] = first
        if self._writer is None:
            self._writer = asyncio.create_task(self._write(), name="used assertions")
        return await first

    async def _write(self) -> None:
        """Write batches until there is none; what arrives during a transaction is the next batch."""
        while self._gathering.waiting:
            batch, self._gathering = self._gathering, _Batch()
            try:
                new = await self._database.write(partial(repository.remember_assertions, batch.forget_at))
            except Exception as error:  # noqa: BLE001  each of those who wait is told
                for first in batch.waiting.values():
                    if not first.done():
                        first.set_exception(error)
            else:
                for digest, first in batch.waiting.items():
                    self._know(digest, batch.forget_at[digest])
                    if not first.done():
                        first.set_result(digest in new)
        self._writer = None

    def _know(self, digest: bytes, forget_at: int) -> None:
        self._known[digest] = forget_at
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
