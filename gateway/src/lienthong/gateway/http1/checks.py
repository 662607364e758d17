"""Asks addresses of providers whether they are well, where their service declares how (active health checks).

Each worker asks for itself, and of the services that are called through it only: a service is asked from its
first call on, until nobody has called it for some minutes. So nothing is looked up in the catalog for it, and
a service that declares nothing costs nothing.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

import structlog

from lienthong.gateway.http1.errors import ProviderError
from lienthong.gateway.http1.fields import field_prefix
from lienthong.gateway.http1.limits import TimeLimits
from lienthong.gateway.http1.request import provider_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from lienthong.gateway.http1.address import Address
    from lienthong.gateway.http1.circuit import CheckTerms
    from lienthong.gateway.http1.pool import Pool
    from lienthong.gateway.http1.upstreams import Upstreams

_MOST_SERVICES: Final = 2000
"""Services that are asked at a time in a worker; of those beyond, calls alone tell."""
_AT_ONCE: Final = 32
"""Questions under way at a time in a worker."""
_UNCALLED_S: Final = 600.0
"""So long after its last call a service is not asked any more."""
_MOST_BYTES: Final = 64 * 1024
"""Of an answer; what is longer is broken off, its status counts."""
_TELLS: Final = (field_prefix(b"user-agent"), b"lienthong-gateway (health check)")

_log = structlog.get_logger(__name__)


class _Asked:
    """A service that is asked."""

    def __init__(self, pool: Pool, called: float, task: asyncio.Task[None] | None = None) -> None:
        self.pool = pool
        self.called = called
        self.task = task


class HealthChecks:
    """Asks again and again. `current` says what a service declares now; None: there is none such."""

    def __init__(
        self, current: Callable[[str], Upstreams | None], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._current = current
        self._monotonic = monotonic
        self._asked: dict[str, _Asked] = {}
        self._room = asyncio.Semaphore(_AT_ONCE)
        self.outcomes = {"passed": 0, "failed": 0}
        """Answers to questions, by what they said."""

    def called(self, upstreams: Upstreams, pool: Pool) -> None:
        """Note a call of a service that declares how to ask; its connections come from `pool`."""
        name = upstreams.name
        asked = self._asked.get(name)
        if asked is not None:
            asked.pool, asked.called = pool, self._monotonic()
        elif len(self._asked) < _MOST_SERVICES:
            self._asked[name] = asked = _Asked(pool, self._monotonic())
            asked.task = asyncio.get_running_loop().create_task(self._ask(name, asked))

    def close(self) -> None:
        """Ask no more."""
        for asked in list(self._asked.values()):
            if asked.task is not None:
                asked.task.cancel()

    async def _ask(self, name: str, asked: _Asked) -> None:
        try:
            while self._monotonic() - asked.called < _UNCALLED_S:
                upstreams = self._current(name)
                terms = upstreams.checks if upstreams is not None else None
                if upstreams is None or terms is None:
                    break
                await asyncio.gather(
                    *(self._check(asked.pool, upstreams, address, terms) for address in upstreams.addresses)
                )
                await asyncio.sleep(terms.interval_s)
        except Exception:  # noqa: BLE001  calls tell as well
            _log.exception("providers cannot be asked whether they are well", service=name)
        finally:
            del self._asked[name]

    async def _check(self, pool: Pool, upstreams: Upstreams, address: Address, terms: CheckTerms) -> None:
        async with self._room:
            failure = await _failure(pool, address, terms)
        self.outcomes["passed" if failure is None else "failed"] += 1
        if pool.balance.checked(upstreams, address, terms, passed=failure is None):
            if failure is None:
                _log.info("provider passes its checks", service=upstreams.name, address=address.text)
            else:
                _log.warning(
                    "provider fails its checks", service=upstreams.name, address=address.text, cause=failure
                )


async def _failure(pool: Pool, address: Address, terms: CheckTerms) -> str | None:
    """Ask one address, over a connection of its own; None where the answer passes."""
    until = asyncio.get_running_loop().time() + terms.timeout_s
    request = provider_request("GET", terms.path, (), _TELLS, authorization=None, length=0, body=b"")
    limits = TimeLimits(first_byte_s=terms.timeout_s, idle_s=terms.timeout_s)
    try:
        connection = await pool.connect(address.origin, until, terms.timeout_s)
        try:
            connection.begin(request.to(address), bodiless=False, limits=limits, until=until)
            await connection.head()
            size = 0
            while size <= _MOST_BYTES and (part := await connection.chunk()) is not None:
                size += len(part)
        finally:
            connection.end()
    except ProviderError as error:
        return str(error)
    return None if connection.status in terms.statuses else f"status {connection.status}"
