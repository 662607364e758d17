"""Starts NATS again when it refuses to write although its disk has room; looks after what it cannot read.

Once nats-server (2.15) could not write a stream of one replica, it takes nothing more for it until it is
started again, also when there is room: publishes get no answer. The only sign is `/healthz`, asked for
everything: 503, with "write error" in it. A server that was started on a full disk does the same.
"""

from __future__ import annotations

import http.client
import shutil
import sys
import threading
import time
import urllib.error
import urllib.request
import xmlrpc.client
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from supervisor.xmlrpc import Faults

from lienthong.local.nats_states import DamagedStates

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lienthong.local.supervisor import Supervisor

LOOK_EVERY_S: Final = 2.0
ROOM_BYTES: Final = 8 * 1024**2
"""A block file of a stream; with less, NATS would fail again at once."""
_PATIENCE_S: Final = 2.0
_FIRST_PAUSE_S: Final = 60.0
_LONGEST_PAUSE_S: Final = 15 * 60.0
_SIGN: Final = b"write error"
_NOT_DONE: Final = (OSError, http.client.HTTPException, xmlrpc.client.Error)


class Pace:
    """How often NATS may be started again: at once, then after a minute, and twice as long each time, up to
    15 minutes. After twice the longest pause without it, it begins anew."""

    def __init__(self) -> None:
        self._last: float | None = None
        self._pause = _FIRST_PAUSE_S

    def allows(self, now: float) -> bool:
        """Whether it may be done at `now`, in seconds of a clock that does not jump; if so it is counted."""
        last = self._last
        if last is None or now - last > 2 * _LONGEST_PAUSE_S:
            self._pause = _FIRST_PAUSE_S
        elif now - last < self._pause:
            return False
        else:
            self._pause = min(2 * self._pause, _LONGEST_PAUSE_S)
        self._last = now
        return True


class NatsWatch:
    """Looks at NATS every two seconds, on a thread of its own, between `start` and `stop`.

    `healthz` is the address of NATS's health, `store` the folder of its streams, `nats_log` where it logs.
    What is done is told on standard error and in `log`.
    """

    def __init__(
        self,
        supervisor: Supervisor,
        healthz: str,
        store: Path,
        log: Path,
        nats_log: Path,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._supervisor = supervisor
        self._healthz = healthz
        self._store = store
        self._log = log
        self._nats_log = nats_log
        self._clock = clock
        self._pace = Pace()
        self._waits_for_room = False
        self._has_to_start = False
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look."""
        self._ended = threading.Event()
        self._has_to_start = False
        self._thread = threading.Thread(
            target=self._look_until_ended, args=[self._ended], name="nats watch", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Look no more; returns when nothing is under way, or hangs. Harmless when it was not started."""
        self._ended.set()
        if self._thread is not None:
            # Its questions to the supervisor have no time limit.
            self._thread.join(2 * _PATIENCE_S)
            self._thread = None

    def look(self) -> None:
        """Look once, and start NATS again if that is what it needs."""
        if self._has_to_start:
            self._start()
            return
        if not refuses_to_write(self._healthz):
            self._waits_for_room = False
            return
        if shutil.disk_usage(self._store).free < ROOM_BYTES:
            if not self._waits_for_room:
                self._tell("NATS cannot write: its disk is full; it is started again when there is room")
            self._waits_for_room = True
            return
        if self._pace.allows(self._clock()):
            self._tell("NATS refuses to write although its disk has room: it is started again")
            self._restart()

    def _restart(self) -> None:
        try:
            self._supervisor.stop("nats")
        except xmlrpc.client.Fault:
            # Whoever has stopped it meanwhile wants it stopped.
            return
        except _NOT_DONE:
            # Without an answer it may have been stopped all the same.
            pass
        self._has_to_start = True
        self._start()

    def _start(self) -> None:
        """Start what was stopped here; what fails is tried again at the next look."""
        try:
            self._supervisor.start("nats")
        except xmlrpc.client.Fault as fault:
            self._has_to_start = fault.faultCode != Faults.ALREADY_STARTED  # as after a lost answer
        except _NOT_DONE:
            pass
        else:
            self._has_to_start = False

    def _look_until_ended(self, ended: threading.Event) -> None:
        states = DamagedStates(self._nats_log, self._store, self._tell)
        while not ended.wait(LOOK_EVERY_S):
            with suppress(OSError):
                states.look()
            with suppress(OSError):
                self.look()

    def _tell(self, what: str) -> None:
        line = f"{datetime.now(UTC).isoformat(timespec='seconds')} {what}\n"
        with suppress(OSError, ValueError):
            sys.stderr.write(line)
        with suppress(OSError), self._log.open("a", encoding="utf-8") as log:
            log.write(line)


def refuses_to_write(healthz: str) -> bool:
    """Whether NATS says that it could not write, and so writes no more."""
    try:
        with urllib.request.urlopen(healthz, timeout=_PATIENCE_S):  # noqa: S310 - our own address
            return False
    except urllib.error.HTTPError as answer:
        with answer, suppress(OSError, http.client.HTTPException):
            return _SIGN in answer.read(64 * 1024)
        return False
    except (OSError, http.client.HTTPException):
        return False
