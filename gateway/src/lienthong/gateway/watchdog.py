"""Granian's main process, with another care for its workers.

Granian 2.8 ends all workers when one ends twice within 5.5 seconds, and never notices that one stands still
([0027](docs/adr/0027-the-gateway-watches-its-workers.md)).
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import structlog
from granian.server import MPServer

from lienthong.gateway.heartbeat import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lienthong.gateway.heartbeat import Beats

LOOK_EVERY_S: Final = 1.0
_SOON: Final = 0.9
"""A wait may end a little early."""
_MOST_FAILED_STARTS: Final = 3
_LONGEST_PAUSE_S: Final = 10.0

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


class WatchedServer(MPServer):
    """A server whose workers are replaced when they end or stand still for `timeout` seconds."""

    def __init__(self, target: str, *, beats: Beats, timeout: float, **options: Any) -> None:  # noqa: ANN401
        super().__init__(target, **options)
        self._beats = beats
        self._starts = Starts()
        self._watch = Watch(max(round(timeout / LOOK_EVERY_S), 2))
        self._killed: set[int] = set()

    def _serve_loop(self, spawn_target: Any, target_loader: Any) -> None:  # noqa: ANN401 - Granian's own
        while True:
            self.main_loop_interrupt.wait(LOOK_EVERY_S)
            self.main_loop_interrupt.clear()
            if self.interrupt_signal:
                return
            if self.reload_signal:
                self._reload(spawn_target, target_loader)  # type: ignore[no-untyped-call]
            self._note_ended()
            if self._starts.hopeless and not self._any_lives():
                _log.critical("no worker starts, the gateway ends")
                self.interrupt_children.append(0)
                return
            for index in self._starts.due(time.monotonic()):
                self._respawn_workers([index], spawn_target, target_loader)
            self._kill_stuck()

    def _note_ended(self) -> None:
        while self.interrupt_children:
            index = self.interrupt_children.pop(0)
            ended = self.wrks[index].inner
            reason = Reason.STUCK if ended.pid in self._killed else Reason.ENDED
            self._killed.discard(ended.pid)
            seat = self._beats.seat_of(ended.pid)
            if seat is not None:
                self._beats.count(seat, reason)
                self._beats.forget(seat)
            _log.error(
                "a worker is replaced", worker=ended.pid, reason=reason.name.lower(), status=ended.exitcode
            )
            self._starts.ended(index, had_started=seat is not None, now=time.monotonic())

    def _kill_stuck(self) -> None:
        """Kill what stands still; that it ended is noticed like any other end."""
        processes = [worker.inner.pid for worker in self.wrks if worker.inner.is_alive()]
        for process in self._watch.look(processes, self._beats.of_processes(), time.monotonic()):
            _log.error("a worker stands still and is killed", worker=process)
            self._killed.add(process)
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    def _any_lives(self) -> bool:
        beats = self._beats.of_processes()
        return any(worker.inner.is_alive() and worker.inner.pid in beats for worker in self.wrks)
