"""The main process: it starts the workers, and replaces those that end or stand still.

Why it looks at signs of life, and kills: [0027](docs/adr/0027-the-gateway-watches-its-workers.md).
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Final

import structlog

from lienthong.gateway.heartbeat import Reason
from lienthong.kit.stopping import LONGEST_STOP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from multiprocessing.process import BaseProcess

    from lienthong.gateway.heartbeat import Beats

LOOK_EVERY_S: Final = 1.0
_SOON: Final = 0.9
"""A wait may end a little early."""
_MOST_FAILED_STARTS: Final = 3
_LONGEST_PAUSE_S: Final = 10.0
_PATIENCE_S: Final = LONGEST_STOP + 0.3
"""For workers that were told to stop: whoever supervises the gateway waits for twenty seconds."""
_CONTEXT = (
    multiprocessing.get_context("fork") if sys.platform == "linux" else multiprocessing.get_context("spawn")
)
_STOPPING: Final = (signal.SIGTERM, signal.SIGINT)

_log = structlog.get_logger(__name__)


class Watch:
    """Tells which processes stand still.

    It counts looks at which a process has given no new sign of life. Time that this process did not run
    either, in a machine that was suspended, is not counted.
    """

    def __init__(self, most_looks: int) -> None:
        self._most_looks = most_looks
        self._looked = -LOOK_EVERY_S
        self._seen: dict[int, tuple[int, int]] = {}

    def look(self, processes: Iterable[int], beats: Mapping[int, int], now: float) -> list[int]:
        """Look at those of the processes that have started; returns those that stand still.

        `now` is of the monotonic clock. A look too soon after the one before is none: each worker that ends
        wakes the main process.
        """
        if now - self._looked < LOOK_EVERY_S * _SOON:
            return []
        self._looked = now
        seen, self._seen = self._seen, {}
        stuck = []
        for process in processes:
            beat = beats.get(process)
            if beat is None:
                continue
            before, looks = seen.get(process, (None, 0))
            looks = looks + 1 if beat == before else 0
            self._seen[process] = (beat, looks)
            if looks >= self._most_looks:
                stuck.append(process)
        return stuck


class Starts:
    """When a worker that ended is started again: at once if it had started, else after a growing pause."""

    def __init__(self) -> None:
        self._failed: dict[int, int] = {}
        self._due: dict[int, float] = {}

    def ended(self, index: int, *, had_started: bool, now: float) -> None:
        """A worker ended."""
        failed = 0 if had_started else self._failed.get(index, 0) + 1
        self._failed[index] = failed
        self._due[index] = now + (min(0.5 * 2**failed, _LONGEST_PAUSE_S) if failed else 0.0)

    def due(self, now: float) -> list[int]:
        """The workers to start now; each is told once."""
        found = [index for index, moment in self._due.items() if moment <= now]
        for index in found:
            del self._due[index]
        return found

    @property
    def hopeless(self) -> bool:
        """Whether a worker failed to start so often that a gateway without any other cannot begin."""
        return any(failed >= _MOST_FAILED_STARTS for failed in self._failed.values())


class Watchdog:
    """Starts `workers` processes that do `work`, and replaces those that end or stand still.

    A worker stands still when its event loop gave no sign of life for `timeout` seconds. `on_stop` is called
    before the workers are told to stop.
    """

    def __init__(
        self,
        work: Callable[[], None],
        *,
        workers: int,
        beats: Beats,
        timeout: float,
        on_stop: Callable[[], None],
    ) -> None:
        self._work = work
        self._beats = beats
        self._on_stop = on_stop
        self._starts = Starts()
        self._watch = Watch(max(round(timeout / LOOK_EVERY_S), 2))
        self._killed: set[int] = set()
        self._workers: dict[int, BaseProcess] = {}
        self._number = workers

    def run(self) -> int:
        """Keep the workers going until SIGTERM or SIGINT; returns the exit status of the gateway."""
        with Signals() as signals:
            try:
                return self._watch_until(signals)
            finally:
                # Whatever happens: nobody else would watch over them.
                self._stop()

    def _watch_until(self, signals: Signals) -> int:
        for index in range(self._number):
            self._start(index)
        while not signals.told:
            signals.wait([worker.sentinel for worker in self._workers.values()], LOOK_EVERY_S)
            self._note_ended()
            if self._starts.hopeless and not self._any_lives():
                _log.critical("no worker starts, the gateway ends")
                return 1
            if not signals.told:
                for index in self._starts.due(time.monotonic()):
                    self._start(index)
            self._kill_stuck()
        return 0

    def _start(self, index: int) -> None:
        """Start a worker, or try again later: there may be no memory or no process left for it now."""
        worker: BaseProcess = _CONTEXT.Process(target=_begin, args=(self._work,), name=f"worker {index}")
        # A signal that comes while the child still has the parent's handlers would be lost on it.
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
        try:
            worker.start()
        except OSError as error:
            _log.error("a worker cannot be started", error=str(error))
            self._starts.ended(index, had_started=False, now=time.monotonic())
        else:
            self._workers[index] = worker
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)

    def _stop(self) -> None:
        """Tell the workers to stop, and wait for their ends; what does not end is killed."""
        self._on_stop()
        for worker in self._workers.values():
            worker.terminate()
        until = time.monotonic() + _PATIENCE_S
        for worker in self._workers.values():
            worker.join(max(until - time.monotonic(), 0))
            if worker.is_alive():
                _log.error("a worker does not end and is killed", worker=worker.pid)
                worker.kill()
                worker.join()

    def _note_ended(self) -> None:
        for index, worker in list(self._workers.items()):
            if worker.is_alive() or worker.pid is None:
                continue
            del self._workers[index]
            reason = Reason.STUCK if worker.pid in self._killed else Reason.ENDED
            self._killed.discard(worker.pid)
            seat = self._beats.seat_of(worker.pid)
            if seat is not None:
                self._beats.count(seat, reason)
                self._beats.forget(seat)
            _log.error(
                "a worker is replaced",
                worker=worker.pid,
                reason=reason.name.lower(),
                status=worker.exitcode,
            )
            self._starts.ended(index, had_started=seat is not None, now=time.monotonic())

    def _kill_stuck(self) -> None:
        """Kill what stands still; that it ended is noticed like any other end."""
        processes = [worker.pid for worker in self._workers.values() if worker.pid is not None]
        for process in self._watch.look(processes, self._beats.of_processes(), time.monotonic()):
            _log.error("a worker stands still and is killed", worker=process)
            self._killed.add(process)
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    def _any_lives(self) -> bool:
        beats = self._beats.of_processes()
        return any(worker.is_alive() and worker.pid in beats for worker in self._workers.values())


class Signals:
    """SIGTERM and SIGINT, which end a wait at once."""

    def __init__(self) -> None:
        self.told = False
        """Whether one of them came."""
        self._read, self._write = socket.socketpair()
        self._read.setblocking(False)
        self._write.setblocking(False)

    def __enter__(self) -> Signals:
        signal.set_wakeup_fd(self._write.fileno())
        for number in _STOPPING:
            signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(-1)
        self._read.close()
        self._write.close()

    def wait(self, sentinels: Iterable[int], seconds: float) -> None:
        """Wait for a signal, or for one of the processes to end."""
        if not self.told:
            wait([self._read, *sentinels], seconds)
        with suppress(BlockingIOError):
            self._read.recv(4096)

    def _note(self, *_: object) -> None:
        self.told = True


def _begin(work: Callable[[], None]) -> None:
    """What a new process does first: it hears signals again, but not with its parent's handlers."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # Ctrl-C reaches all processes of a terminal; the main process tells its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
    work()
