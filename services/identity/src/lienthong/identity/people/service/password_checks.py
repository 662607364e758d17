"""Verifying and hashing passwords beside the loop: so many at a time, and so many that wait."""

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final, TypeVar

from lienthong.identity.people import errors
from lienthong.identity.people.domain.passwords import HASHER, verifies

T = TypeVar("T")

AT_A_TIME: Final = 1
"""Threads. argon2 lets the interpreter go, so that tokens are issued meanwhile; one takes one core."""
MOST_WAITING: Final = 50
"""Those beyond are refused at once, instead of waiting for seconds: each takes about a twentieth of one."""
_NICER: Final = 5
"""How much less the thread asks of the processor than the one that issues tokens (nice(2)): about a third.
With 10, which is a tenth, nobody signs in on a machine that is busy with other things."""


class PasswordChecks:
    """One thread that does argon2, and a bounded queue before it: sign-ins cannot hold up anything else."""

    def __init__(self, *, most_waiting: int = MOST_WAITING) -> None:
        self._threads = ThreadPoolExecutor(AT_A_TIME, "password", _yield_to_others)
        self._most = most_waiting
        self._inside = 0

    def admit(self) -> None:
        """Refuse, if one more would be too many; for asking before an attempt is counted.

        Raises:
            ProblemError: 503 `busy`.
        """
        if self._inside >= self._most:
            raise errors.too_many_sign_ins()

    async def verify(self, hashed: str, password: str | None) -> bool:
        """Whether a password, in canonical form, is that of a hash; as slow for None.

        Raises:
            ProblemError: 503 `busy`.
        """
        return await self._run(lambda: verifies(hashed, password))

    async def hash(self, password: str) -> str:
        """The hash of a password in canonical form, with a new salt.

        Raises:
            ProblemError: 503 `busy`.
        """
        return await self._run(lambda: HASHER.hash(password))

    def close(self) -> None:
        """End the thread, after what it does now."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[], T]) -> T:
        self.admit()
        self._inside += 1
        future = self._threads.submit(work)
        # Counted until the thread is done with it: a caller that leaves makes no room.
        loop = asyncio.get_running_loop()
        future.add_done_callback(lambda _: self._leave(loop))
        return await asyncio.wrap_future(future)

    def _leave(self, loop: asyncio.AbstractEventLoop) -> None:
        with suppress(RuntimeError):  # the loop has ended, and with it what is counted
            loop.call_soon_threadsafe(self._count_out)

    def _count_out(self) -> None:
        self._inside -= 1


def _yield_to_others() -> None:
    """Let this thread have what the others of the process leave over, where threads have priorities."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + _NICER)
