"""Work whose cost others decide: done in processes of their own, where it can be ended.

What tenants send (schemas, documents, patterns) is a program in a small language; no limit on its size says
how long it runs. In this process it would hold up everyone, in a thread too, for there is one interpreter. A
worker process gets a budget of processor time for each piece of work, and the kernel ends it when that is
used up (setitimer(2), ITIMER_PROF), wherever it is then. Time that others take on a busy machine does not
count.

Turns are fair: a sender has one piece of work under way, whatever else of it waits. Senders whose work took
long share all workers but one.
"""

from __future__ import annotations

import asyncio
import contextlib
import pickle
import signal
import socket
import struct
import subprocess
import sys
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final, TypeVar, TypeVarTuple

import structlog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")

FRAME: Final = struct.Struct(">Q")
"""The length in bytes of what follows; both ways."""
SLOW_SECONDS: Final = 0.1
"""Of processor time: work that took longer waits for that of others."""
_PATIENCE: Final = 30.0
"""Seconds for each second of the budget, on a machine that has no time."""
_MOST_SLOW: Final = 1_000
_END_SECONDS: Final = 2.0

_log = structlog.get_logger(__name__)


class TooCostlyError(Exception):
    """The work used up its budget, or broke the process that did it."""


class Workers:
    """Processes that call functions of ours on values of others.

    Args:
        count: how many; at least two, or one slow sender holds up all others for its budget.
        modules: what each process imports when it starts, so that this does not count as work.
    """

    def __init__(self, count: int, modules: Sequence[str]) -> None:
        self._modules = tuple(modules)
        self._free: asyncio.Queue[_Worker] = asyncio.Queue()
        self._started: set[_Worker] = set()
        self._starting: set[asyncio.Task[None]] = set()
        self._turns: dict[str, _Turn] = {}
        self._slow: OrderedDict[str, None] = OrderedDict()
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
        await asyncio.gather(*(worker.end() for worker in self._started))
        self._started.clear()

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
            Exception: what `function` raised.
        """
        request = pickle.dumps((cpu_seconds, function, arguments), pickle.HIGHEST_PROTOCOL)
        async with self._turn(sender), self._lane(sender):
            worker = await self._free.get()
            kept = False
            spent = cpu_seconds
            try:
                async with asyncio.timeout(10 + cpu_seconds * _PATIENCE):
                    answer = await worker.ask(request)
                kept = True
                spent, failed, value = answer
            except (TimeoutError, OSError, EOFError):
                _log.warning("work ended", sender=sender, function=function.__qualname__, cpu=cpu_seconds)
                raise TooCostlyError from None
            finally:
                self._note(sender, spent)
                self._give_back(worker, kept=kept)
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
        turn = self._turns.setdefault(sender, _Turn())
        turn.users += 1
        try:
            async with turn.lock:
                yield
        finally:
            turn.users -= 1
            if not turn.users:
                del self._turns[sender]

    @contextlib.asynccontextmanager
    async def _lane(self, sender: str) -> AsyncIterator[None]:
        if sender not in self._slow:
            yield
            return
        async with self._slow_lane:
            yield

    def _note(self, sender: str, spent: float) -> None:
        self._slow.pop(sender, None)
        if spent > SLOW_SECONDS:
            self._slow[sender] = None
            if len(self._slow) > _MOST_SLOW:
                self._slow.popitem(last=False)

    def _give_back(self, worker: _Worker, *, kept: bool) -> None:
        if kept:
            self._free.put_nowait(worker)
            return
        worker.kill()
        task = asyncio.create_task(self._replace(worker), name="start a worker")
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    async def _replace(self, worker: _Worker) -> None:
        await worker.end()
        self._started.discard(worker)
        while True:
            try:
                await self._add()
            except (OSError, EOFError):
                _log.exception("a worker does not start")
                await asyncio.sleep(1)
            else:
                return

    async def _add(self) -> None:
        worker = await _Worker.start(self._modules)
        self._started.add(worker)
        self._free.put_nowait(worker)


class _Turn:
    """What keeps a sender's pieces of work in line; forgotten when nobody waits."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.users = 0


class _Worker:
    """One process, `python -m lienthong.kit.worker_process`, and the socket to it."""

    def __init__(
        self, process: subprocess.Popen[bytes], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._process = process
        self._from, self._to = reader, writer

    @classmethod
    async def start(cls, modules: Sequence[str]) -> _Worker:
        """Start a process; returns when it has imported what it needs.

        Raises:
            OSError, EOFError: it does not start.
        """
        command = [sys.executable, "-m", "lienthong.kit.worker_process", *modules]
        ours, theirs = socket.socketpair()
        with theirs:
            process = _spawned(command, theirs.fileno())
        close = ours.close
        try:
            reader, writer = await asyncio.open_unix_connection(sock=ours)
            close = writer.close
            worker = cls(process, reader, writer)
            await worker._read()
        except BaseException:
            close()
            process.kill()
            process.wait()
            raise
        return worker

    async def ask(self, request: bytes) -> tuple[float, bool, Any]:
        """Processor seconds used, whether the function raised, and its result or exception.

        Raises:
            OSError, EOFError: the process ended.
        """
        self._to.write(FRAME.pack(len(request)))
        self._to.write(request)
        await self._to.drain()
        answer: tuple[float, bool, Any] = pickle.loads(await self._read())  # noqa: S301 - of our own process
        return answer

    async def _read(self) -> bytes:
        (length,) = FRAME.unpack(await self._from.readexactly(FRAME.size))
        return await self._from.readexactly(length)

    def kill(self) -> None:
        """End the process at once, if it has not ended."""
        self._process.kill()

    async def end(self) -> None:
        """Let the process end, and wait for it."""
        self._to.close()
        status = await asyncio.to_thread(self._ended)
        if status not in (0, -signal.SIGKILL):
            _log.warning("a worker ended", status=status)

    def _ended(self) -> int:
        try:
            return self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


def _in_parts(function: Callable[..., Iterable[object]], arguments: tuple[Any, ...]) -> list[bytes]:
    return [pickle.dumps(part, pickle.HIGHEST_PROTOCOL) for part in function(*arguments)]


def _spawned(command: Sequence[str], channel: int) -> subprocess.Popen[bytes]:
    # Not by the loop: uvloop forks, and a fork stops what gRPC does in this process. The standard library's
    # vfork does not, and takes about a millisecond.
    return subprocess.Popen(command, stdin=channel, stdout=channel)
