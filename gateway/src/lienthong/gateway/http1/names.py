"""Looking up the names of providers, so that no slow look-up holds anybody else up.

An answer is good for ten seconds (the system's resolver does not say for how long it is). When it is over the
name is looked up again, and where that takes long or fails, the last answer is used for ten minutes more. One
look-up of a name serves all who wait for it. Each has a thread of its own, as the system's resolver blocks;
names that were slow or failed share a few, so that they cannot use up those of all others.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING, Final, TypeAlias

from aiohappyeyeballs import AddrInfoType

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

AddressInfo: TypeAlias = AddrInfoType
"""What getaddrinfo says of one address of a name."""
_GOOD_S: Final = 10.0
_USED_S: Final = 600.0
"""How long an answer is used while there is no newer one."""
_PATIENCE_S: Final = 0.5
"""How long a newer answer is waited for where there is an older one."""
_SLOW_S: Final = 1.0
_THREADS, _THREADS_OF_SLOW = 64, 8
_MOST: Final = 10_000
"""Names of which something is known. Beyond, the one that was asked for first is forgotten."""


class _Name:
    """What is known of a name."""

    __slots__ = ("asking", "at", "found", "slow")

    def __init__(self) -> None:
        self.found: Sequence[AddressInfo] | None = None
        self.at = 0.0
        """When the answer came, by the monotonic clock."""
        self.slow = False
        """Whether the last look-up took long, or failed."""
        self.asking: asyncio.Task[Sequence[AddressInfo]] | None = None


class Names:
    """Looks names up. `resolve` is called in threads, as `socket.getaddrinfo`, which is the default."""

    def __init__(
        self,
        resolve: Callable[..., Sequence[AddressInfo]] | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._resolve: Callable[..., Sequence[AddressInfo]] = resolve or socket.getaddrinfo
        self._now = now
        self._names: dict[tuple[str, int], _Name] = {}
        self._room = asyncio.Semaphore(_THREADS)
        self._room_of_slow = asyncio.Semaphore(_THREADS_OF_SLOW)

    async def look_up(self, host: str, port: int) -> Sequence[AddressInfo]:
        """The addresses of a name, or the address itself.

        Raises:
            OSError, UnicodeError: there is none, or the name cannot be one.
        """
        with contextlib.suppress(OSError, UnicodeError):
            # An address needs no look-up.
            return self._resolve(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        name = self._name(host, port)
        age = self._now() - name.at
        if name.found is not None and age < _GOOD_S:
            return name.found
        if name.asking is None:
            name.asking = asyncio.ensure_future(self._ask(name, host, port))
            name.asking.add_done_callback(_noticed)
        asking = name.asking
        if name.found is None or age >= _USED_S:
            return await asyncio.shield(asking)
        done, _ = await asyncio.wait([asking], timeout=_PATIENCE_S)
        return name.found if not done or asking.exception() is not None else asking.result()

    def _name(self, host: str, port: int) -> _Name:
        name = self._names.get((host, port))
        if name is None:
            while len(self._names) >= _MOST:
                del self._names[next(iter(self._names))]
            name = self._names[host, port] = _Name()
        return name

    async def _ask(self, name: _Name, host: str, port: int) -> Sequence[AddressInfo]:
        try:
            async with self._room_of_slow if name.slow else self._room:
                began = self._now()
                # Until it has shown that it is not.
                name.slow = True
                found = await self._in_thread(host, port)
                name.found, name.at = found, self._now()
                name.slow = name.at - began > _SLOW_S
                return found
        finally:
            name.asking = None

    def _in_thread(self, host: str, port: int) -> asyncio.Future[Sequence[AddressInfo]]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Sequence[AddressInfo]] = loop.create_future()

        def tell(found: Sequence[AddressInfo] | None, error: Exception | None) -> None:
            if answer.done():
                return
            if error is not None:
                answer.set_exception(error)
            else:
                answer.set_result(found or ())

        def work() -> None:
            found, error = None, None
            try:
                found = self._resolve(host, port, type=socket.SOCK_STREAM)
            except Exception as failure:  # noqa: BLE001  whoever waits for it is told
                error = failure
            with contextlib.suppress(RuntimeError):
                # The loop may be closed by now.
                loop.call_soon_threadsafe(tell, found, error)

        # A daemon: a resolver that hangs must not hold up the end of the process.
        threading.Thread(target=work, name=f"look-up of {host}", daemon=True).start()
        return answer


def _noticed(asking: asyncio.Task[Sequence[AddressInfo]]) -> None:
    """Take note of a failure that nobody waited for."""
    if not asking.cancelled():
        asking.exception()
