"""Work whose cost others decide: done in processes of their own, where it can be ended.

What tenants send (schemas, documents, patterns) is a program in a small language; no limit on its size says
how long it runs. In this process it would hold up everyone, in a thread too, for there is one interpreter. A
worker process gets a budget of processor time for each piece of work, and the kernel ends it when that is
used up (setitimer(2), ITIMER_PROF), wherever it is then. Time that others take on a busy machine does not
count.

Turns are fair: a sender has one piece of work under way, whatever else of it waits, and not much of it waits.
Senders whose work took long share all workers but one, until as much time has passed as what they used is
worth: a request that costs nothing does not buy them another place.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import signal
import socket
import struct
import subprocess
import sys
import time
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final, TypeVar, TypeVarTuple

import structlog

from lienthong.kit.problems.load import busy, too_much_at_once
from lienthong.kit.rates import RateLimit, TokenBuckets
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence

    from lienthong.kit.problems import ProblemError

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")

FRAME: Final = struct.Struct(">Q")
"""The length in bytes of what follows; both ways."""
SENDERS_TIME: Final = RateLimit("processor-seconds", per_second=0.05, burst=0.1, most_debt=15)
"""Seconds of processor time that a sender may use, for each second that passes, and at once; a sender who has
used more is slow. A twentieth of a worker checks some 200 ordinary events a second. After five minutes
everything is forgiven."""
SENDERS_WORK: Final = 64
"""Pieces of work of one sender that are under way or wait."""
ALL_WORK: Final = 512
"""Pieces of work of all senders; beyond them, one of each sender who has none."""
_PATIENCE: Final = 30.0
"""Seconds for each second of the budget, on a machine that has no time."""
_END_SECONDS: Final = 2.0

_log = structlog.get_logger(__name__)


class TooCostlyError(Exception):
    """The work used up its budget, or broke the process that did it."""


class Workers:
    """Processes that call functions of ours on values of others.

    Args:
        count: how many; at least two, or one slow sender holds up all others for its budget.
        modules: what is imported before the first starts, so that this does not count as work.
        now: a monotonic clock in seconds.
    """

    def __init__(
        self, count: int, modules: Sequence[str], *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._fork_server = _ForkServer(modules)
        self._free: asyncio.Queue[_Worker] = asyncio.Queue()
        self._started: set[_Worker] = set()
        self._starting: set[asyncio.Task[None]] = set()
        self._turns: dict[str, _Turn] = {}
        self._work = 0
        self._time = TokenBuckets(SENDERS_TIME, now=now)
        self._slow_lane = asyncio.Semaphore(max(1, count - 1))
        self._count = count

    async def start(self) -> None:
        """Start the processes.

        Raises:
            OSError: one does not start.
        """
        await asyncio.gather(*(self._add() for _ in range(self._count)))

    async def close(self) -> None:
        """End the processes; work under way is lost."""
        for task in self._starting:
            task.cancel()
        await asyncio.gather(*self._starting, return_exceptions=True)
        for worker in self._started:
            worker.end()
        self._started.clear()
        await asyncio.to_thread(self._fork_server.end)

    async def run(
        self,
        sender: str,
        cpu_seconds: float,
        function: Callable[[*Arguments], T],
        *arguments: *Arguments,
    ) -> T:
        """Call `function`, of a module, with `arguments` in a worker; both and the result can be pickled.

        `sender` is who sent what is worked on.

        Raises:
            TooCostlyError: it needed more than `cpu_seconds` of processor time, or more memory than a worker
                has.
            ProblemError: 429 `rate-limited` or 503 `busy`, too much work of the sender, or of all, waits.
            Exception: what `function` raised.
        """
        async with self._turn(sender), self._lane(sender) as ending:
            worker = await self._free.get()
            kept = False
            spent = cpu_seconds
            try:
                # Not before it is its turn: what waits is not in memory twice.
                request = pickle.dumps((cpu_seconds, function, arguments), pickle.HIGHEST_PROTOCOL)
                async with asyncio.timeout(10 + cpu_seconds * _PATIENCE):
                    answer = await worker.ask(request)
                kept = True
                spent, failed, value = answer
            except (TimeoutError, OSError, EOFError):
                _log.warning("work ended", sender=sender, function=function.__qualname__, cpu=cpu_seconds)
                raise TooCostlyError from None
            finally:
                self._time.spend(sender, spent)
                ending += self._give_back(worker, kept=kept)
        if failed:
            raise value
        result: T = value
        return result

    async def run_each(
        self,
        sender: str,
        cpu_seconds: float,
        function: Callable[[*Arguments], Iterable[T]],
        *arguments: *Arguments,
    ) -> list[T]:
        """Call a function whose result has many or large parts: others have their turn between two of them.

        Raises:
            TooCostlyError, Exception: as `run` does.
        """
        parts = await self.run(sender, cpu_seconds, _in_parts, function, arguments)
        found: list[T] = []
        for part in parts:
            found.append(pickle.loads(part))  # noqa: S301 - of our own process
            await asyncio.sleep(0)
        return found

    @contextlib.asynccontextmanager
    async def _turn(self, sender: str) -> AsyncIterator[None]:
        turn = self._turns.get(sender)
        if turn is None:
            # Whoever has no work here finds a place, whatever others have: there are not so many senders.
            turn = self._turns[sender] = _Turn()
        elif turn.users >= SENDERS_WORK:
            raise _too_much_work()
        elif self._work >= ALL_WORK:
            raise busy()
        turn.users += 1
        self._work += 1
        try:
            async with turn.lock:
                yield
        finally:
            turn.users -= 1
            self._work -= 1
            if not turn.users:
                del self._turns[sender]

    @contextlib.asynccontextmanager
    async def _lane(self, sender: str) -> AsyncIterator[list[asyncio.Task[None]]]:
        """Where slow senders wait for each other; a place is held until the tasks that are put in it end."""
        ending: list[asyncio.Task[None]] = []
        if self._time.due(sender, 0) == 0:
            yield ending
            return
        await self._slow_lane.acquire()
        try:
            yield ending
        finally:
            if ending:
                ending[-1].add_done_callback(lambda _: self._slow_lane.release())
            else:
                self._slow_lane.release()

    def _give_back(self, worker: _Worker, *, kept: bool) -> list[asyncio.Task[None]]:
        """Have the worker do other work, or end it; returns what starts another one then."""
        if kept:
            self._free.put_nowait(worker)
            return []
        worker.end()
        self._started.discard(worker)
        task = asyncio.create_task(self._add_another(), name="start a worker")
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)
        return [task]

    async def _add_another(self) -> None:
        while True:
            try:
                await self._add()
            except (OSError, EOFError):
                _log.exception("a worker does not start")
                await asyncio.sleep(1)
            else:
                return

    async def _add(self) -> None:
        worker = await _Worker.start(self._fork_server)
        self._started.add(worker)
        self._free.put_nowait(worker)


class _Turn:
    """What keeps a sender's pieces of work in line; forgotten when nobody waits."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.users = 0


class _ForkServer:
    """`python -m lienthong.kit.worker_process`, which forks the workers. It ends when all of them have."""

    def __init__(self, modules: Sequence[str]) -> None:
        self._command = [sys.executable, "-m", "lienthong.kit.worker_process", *modules]
        self._running: tuple[subprocess.Popen[bytes], socket.socket] | None = None

    def fork(self, channel: socket.socket) -> None:
        """Have a worker forked that serves `channel`. It is closed where that fails later.

        Raises:
            OSError: there is no process that forks.
        """
        if self._running is not None and self._running[0].poll() is not None:
            _log.error("what starts workers has ended", status=self._running[0].returncode)
            self.end()
        if self._running is None:
            ours, theirs = socket.socketpair()
            with theirs:
                # Not by the loop: uvloop forks, and a fork stops what gRPC does in this process. The standard
                # library's vfork does not, and takes about a millisecond.
                self._running = subprocess.Popen(self._command, stdin=theirs.fileno()), ours
        socket.send_fds(self._running[1], [b"\0"], [channel.fileno()])

    def end(self) -> None:
        """End it, when its workers have been ended; waits for them."""
        if self._running is None:
            return
        (process, sockets), self._running = self._running, None
        sockets.close()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class _Worker:
    """One process that was forked, and the socket to it."""

    def __init__(self, pid: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._pid = pid
        self._from, self._to = reader, writer

    @classmethod
    async def start(cls, fork_server: _ForkServer) -> _Worker:
        """Start a process; returns when it can work.

        Raises:
            OSError, EOFError: it does not start.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                fork_server.fork(theirs)
            except BaseException:
                ours.close()
                raise
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        try:
            return cls(int(await _read(reader)), reader, writer)
        except BaseException:
            writer.close()
            raise

    async def ask(self, request: bytes) -> tuple[float, bool, Any]:
        """Processor seconds used, whether the function raised, and its result or exception.

        Raises:
            OSError, EOFError: the process ended.
        """
        self._to.write(FRAME.pack(len(request)))
        self._to.write(request)
        await self._to.drain()
        answer = BytesIO(await _read(self._from))
        spent: float
        failed: bool
        spent, failed = pickle.load(answer)  # noqa: S301 - of our own process
        try:
            return spent, failed, pickle.load(answer)  # noqa: S301
        except Exception as error:  # noqa: BLE001 - an exception of any library's
            return spent, True, RuntimeError(f"cannot be read: {error!r}")

    def end(self) -> None:
        """End the process at once, if it has not ended."""
        if not self._from.at_eof():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
        self._to.close()


async def _read(source: asyncio.StreamReader) -> bytes:
    (length,) = FRAME.unpack(await source.readexactly(FRAME.size))
    return await source.readexactly(length)


def _too_much_work() -> ProblemError:
    return too_much_at_once(
        BilingualText(
            f"At most {SENDERS_WORK} requests of one caller that take checking are under way at a time.",
            f"Mỗi hệ thống chỉ được gửi tối đa {SENDERS_WORK} yêu cầu cần kiểm tra cùng lúc.",
        )
    )


def _in_parts(function: Callable[..., Iterable[object]], arguments: tuple[Any, ...]) -> list[bytes]:
    return [pickle.dumps(part, pickle.HIGHEST_PROTOCOL) for part in function(*arguments)]
