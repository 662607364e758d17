"""Many calls at once, and the caller's own list of what became of each."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import httpx

from lienthong.client import Client
from tests.support.platform import PURPOSE, SERVICE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping

    from tests.faults.provider_log import ProviderLog
    from tests.support.platform import Platform

CONCURRENCY: Final = 32
_PATIENCE_S: Final = 60.0
"""Less than any limit of pytest: a call that hangs is a finding, not the end of the run."""


@dataclass(eq=False)
class Calls:
    """Calls of one consumer, each to a path of its own, so that client, provider and ledger can be compared.

    A call that finds no gateway, or loses it half way, was not answered: it is made again, and its path is
    noted among `failed`. So is one that is answered with an error that the test expects.
    """

    platform: Platform
    provider: ProviderLog
    answered: list[str] = field(default_factory=list)
    """The transaction ids of those that were answered with 200."""
    failed: Counter[str] = field(default_factory=Counter)
    """How often a call to a path was not answered, or answered with an error."""
    errors: Counter[str] = field(default_factory=Counter)
    """What the caller saw instead of an answer: the name of an exception, or status and code."""
    longest_wait_s: float = 0.0
    """The longest time that one call took, answered or not."""
    longest_outage_s: float = 0.0
    """The longest time without any answer while calls were being made."""
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1000))
    _last: float = 0.0

    async def make(
        self, number: int, at: Mapping[int, Callable[[], None]] | None = None, told: Collection[int] = ()
    ) -> None:
        """Make so many calls and return when all are answered.

        `at` says what to do when so many of these have been answered, `told` which errors are expected.
        """
        due = dict(at or {})
        before, left = len(self.answered), iter(range(number))
        async with self._http() as http:

            async def worker() -> None:
                for _ in left:
                    await self._answered(http, told)
                    action = due.pop(len(self.answered) - before, None)
                    if action is not None:
                        await asyncio.to_thread(action)

            await asyncio.gather(*(worker() for _ in range(CONCURRENCY)))
        assert not due, f"not all faults happened: {sorted(due)}"

    @asynccontextmanager
    async def going_on(self, concurrency: int = 8, told: Collection[int] = ()) -> AsyncIterator[None]:
        """Make calls during the block, one after the other on so many connections."""
        ended = asyncio.Event()
        async with self._http() as http, asyncio.TaskGroup() as tasks:

            async def worker() -> None:
                while not ended.is_set():
                    await self._answered(http, told)
                    await asyncio.sleep(0.02)

            for _ in range(concurrency):
                tasks.create_task(worker())
            try:
                yield
            finally:
                ended.set()

    @asynccontextmanager
    async def _http(self) -> AsyncIterator[httpx.AsyncClient]:
        token = await asyncio.to_thread(self._token)
        headers = {"Authorization": f"Bearer {token}", "LGSP-Purpose": PURPOSE}
        limits = httpx.Limits(max_connections=CONCURRENCY, max_keepalive_connections=CONCURRENCY)
        async with httpx.AsyncClient(
            base_url=self.platform.gateway, headers=headers, limits=limits, timeout=_PATIENCE_S
        ) as http:
            self._last = time.monotonic()
            yield http
            self._note_outage()

    def _token(self) -> str:
        with Client(self.platform.consumer) as client:
            return client.token().value

    async def _answered(self, http: httpx.AsyncClient, told: Collection[int]) -> None:
        path = f"/parcels/{next(self._numbers)}"
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            began = time.monotonic()
            try:
                answer = await http.get(f"/api/{SERVICE}{path}")
            except httpx.TransportError as error:
                seen = type(error).__name__
            else:
                if answer.status_code == httpx.codes.OK:
                    self.answered.append(answer.headers["LGSP-Transaction-Id"])
                    self._note_outage()
                    return
                assert answer.status_code in told, answer.text
                seen = f"{answer.status_code} {answer.headers.get('LGSP-Error')}"
            finally:
                self.longest_wait_s = max(self.longest_wait_s, time.monotonic() - began)
            self.failed[path] += 1
            self.errors[seen] += 1
            assert time.monotonic() < deadline, f"calls are not answered any more: {self.errors}"
            await asyncio.sleep(0.05)

    def _note_outage(self) -> None:
        now = time.monotonic()
        self.longest_outage_s = max(self.longest_outage_s, now - self._last)
        self._last = now
