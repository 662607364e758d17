"""Starting and stopping an embedded installation."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections import deque
from itertools import groupby
from typing import TYPE_CHECKING

import httpx

from lienthong.kit.files import make_folder
from lienthong.kit.processes import NATS_MONITORING_PORT, NATS_PORT
from lienthong.local.nats_watch import NatsWatch
from lienthong.local.programs import Program, platform_programs
from lienthong.local.supervisor import Supervisor, write_config

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

    from lienthong.kit.settings import Settings

READY_TIMEOUT_S = 90.0
STOP_TIMEOUT_S = 60.0
HOPELESS_LIVES = 3
"""A program that ended twice before it was ready will not become ready by being started again."""
LOOPBACK = "127.0.0.0/8,::1/128"
"""Providers on the same machine are what this installation is for, unless the environment says otherwise."""
_PORTS_FREE_S = 1.0
"""Programs of a supervisord that was killed a moment ago are gone by then."""
_NEXT_OFFSET = 2000
"""Not 1000: then REST ports of one installation would be the gRPC ports of the other."""
_OFFSETS = 22_000
"""Advised offsets stay below this: from port 32768 on, Linux uses ports for outgoing connections."""


class InstallationError(Exception):
    """The installation cannot start or has failed; the message says why and what to do, in both languages."""


class Installation:
    """Every process of Liên thông, and any `extra` programs, under one supervisord.

    State lies under `settings.home` and is kept from one start to the next. Used as a context manager it
    starts on entry and ends every process on exit.
    """

    def __init__(self, settings: Settings, extra: Sequence[Program] = ()) -> None:
        self.settings = settings
        self.home: Path = settings.home.resolve()
        self.logs: Path = self.home / "logs"
        self._run = self.home / "run"
        self._extra = extra
        self._daemon: subprocess.Popen[bytes] | None = None
        self._waves: Sequence[Sequence[Program]] = ()
        self.supervisor = Supervisor(self._run)
        self._nats_watch = NatsWatch(
            self.supervisor,
            f"http://127.0.0.1:{NATS_MONITORING_PORT + settings.port_offset}/healthz",
            self.home / "nats",
            self.logs / "nats-watch.log",
            self.logs / "nats.log",
        )

    def __enter__(self) -> Installation:
        """Start, see `start`."""
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, see `stop`."""
        self.stop()

    def start(self, timeout: float = READY_TIMEOUT_S) -> None:
        """Start the programs wave by wave and return when all are ready.

        Raises:
            InstallationError: an installation already runs on this home, a port is taken, or a program did
                not become ready within `timeout` seconds; nothing that was started is stopped here.
        """
        if self.supervisor.answers():
            raise InstallationError(
                f"đã có một bản đang chạy trên {self.home}: hãy dừng nó trước (Ctrl-C ở cửa sổ của nó), "
                "hoặc chọn LIENTHONG_HOME và LIENTHONG_PORT_OFFSET khác\n"
                f"an installation is already running on {self.home}: stop it first (Ctrl-C where it runs), "
                "or choose another LIENTHONG_HOME and LIENTHONG_PORT_OFFSET"
            )
        make_folder(self.home)
        programs = [*platform_programs(self.settings), *self._extra]
        self._refuse_taken_ports(programs)
        config = write_config(self._run, self.logs, programs)
        self._daemon = subprocess.Popen(
            [sys.executable, "-m", "lienthong.local.supervised", str(config)],
            env={
                "LIENTHONG_PROVIDER_NETWORKS": LOOPBACK,
                **os.environ,
                "LIENTHONG_NATS_URL": f"nats://127.0.0.1:{NATS_PORT + self.settings.port_offset}",
                "LIENTHONG_HOME": str(self.home),
                "LIENTHONG_PORT_OFFSET": str(self.settings.port_offset),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            # Ctrl-C reaches this command alone, which then stops the programs in order.
            start_new_session=True,
        )
        deadline = time.monotonic() + timeout
        self._wait_for_supervisor(deadline)
        self._waves = _waves(programs)
        # One client for every question: each new one loads the machine's certificates, 50 ms a time.
        with httpx.Client(timeout=2.0, trust_env=False) as http:
            for wave in self._waves:
                for program in wave:
                    self.supervisor.start(program.name)
                for program in wave:
                    self._wait_until_ready(program, http, deadline)
                if wave is self._waves[0]:
                    # The others may need what it does.
                    self._nats_watch.start()

    def stop(self) -> None:
        """End every process, the last wave first and the supervisor last. Harmless when nothing runs."""
        self._nats_watch.stop()
        if self._daemon is None:
            return
        # By itself supervisord would stop one program after the other, about a second each.
        with contextlib.suppress(OSError):
            for wave in reversed(self._waves):
                self.supervisor.stop_together([program.name for program in wave], STOP_TIMEOUT_S)
        self._daemon.terminate()
        # It looks at a signal once a second, and after each question.
        self.supervisor.answers()
        try:
            self._daemon.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._daemon.kill()
            self._daemon.wait()
        self._daemon = None

    def running(self) -> bool:
        """Whether the supervisor started here is still alive."""
        return self._daemon is not None and self._daemon.poll() is None

    def _refuse_taken_ports(self, programs: Sequence[Program]) -> None:
        deadline = time.monotonic() + _PORTS_FREE_S
        while taken := self._taken_ports(programs):
            if time.monotonic() < deadline:
                time.sleep(0.05)
                continue
            other = (self.settings.port_offset + _NEXT_OFFSET) % _OFFSETS
            raise InstallationError(
                f"các cổng mạng đã bị chiếm: {', '.join(taken)}. Hãy dừng chương trình đang dùng chúng, "
                f"hoặc dời mọi cổng, ví dụ LIENTHONG_PORT_OFFSET={other}\n"
                "these ports are taken: stop what listens there, "
                f"or shift all ports, for example LIENTHONG_PORT_OFFSET={other}"
            )

    def _taken_ports(self, programs: Sequence[Program]) -> list[str]:
        return [
            f"{port} ({program.name})"
            for program in programs
            for port in program.ports
            if not _is_free(port, self.settings.host)
        ]

    def _wait_for_supervisor(self, deadline: float) -> None:
        while not self.supervisor.answers():
            if not self.running() or time.monotonic() > deadline:
                raise InstallationError(
                    "supervisord không khởi động được, xem · supervisord did not start, see "
                    f"{self.logs / 'supervisord.log'}"
                )
            time.sleep(0.02)

    def _wait_until_ready(self, program: Program, http: httpx.Client, deadline: float) -> None:
        lives: set[int] = set()
        while not _answers(http, program.ready_url):
            lives.add(self.supervisor.pid(program.name))
            if len(lives - {0}) >= HOPELESS_LIVES or time.monotonic() > deadline:
                state = self.supervisor.state(program.name)
                raise InstallationError(
                    f"{program.name} chưa sẵn sàng ({state}, đã khởi động {len(lives - {0})} lần) · "
                    f"{program.name} is not ready (it is {state}, started {len(lives - {0})} times); "
                    f"cuối nhật ký · the end of its log:\n{_tail(self.logs / f'{program.name}.log')}"
                )
            time.sleep(0.05)


def _waves(programs: Sequence[Program]) -> list[list[Program]]:
    by_wave = sorted(programs, key=lambda program: program.wave)
    return [list(wave) for _, wave in groupby(by_wave, key=lambda program: program.wave)]


def _answers(http: httpx.Client, url: str) -> bool:
    try:
        return http.get(url).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _is_free(port: int, host: str) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _tail(path: Path, lines: int = 15) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as log:
            return "".join(deque(log, maxlen=lines))
    except OSError as error:
        return str(error)
