"""supervisord's configuration, and its XML-RPC interface."""

from __future__ import annotations

import hashlib
import http.client
import tempfile
import time
import xmlrpc.client
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from supervisor.xmlrpc import Faults, SupervisorTransport

from lienthong.kit.files import replace_file
from lienthong.local.prepared import ENV

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lienthong.local.programs import Program

UNIX_PATH_LIMIT = 100
"""Linux allows 108 bytes in a Unix socket's address; supervisord first binds a longer, temporary name."""

_STARTS_AGAIN_WITHIN_S = 5.0
_STAYS_DOWN = ("STOPPED", "FATAL")

HEAD = """\
; Written at every start. `supervisorctl -c {path} status` shows the processes.
[supervisord]
logfile={logs}/supervisord.log
pidfile={run}/supervisord.pid
childlogdir={logs}
strip_ansi=true

[unix_http_server]
file={socket}
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://{socket}
"""

PROGRAM = """
[program:{name}]
command={command}
priority={wave}
autostart=false
autorestart=true
startsecs=0
stopwaitsecs=20
stopasgroup=false
killasgroup=true
redirect_stderr=true
stdout_logfile={logs}/{name}.log
stdout_logfile_maxbytes=20MB
stdout_logfile_backups=2
"""


def socket_path(run: Path) -> Path:
    """Where supervisord listens: in `run`, or under the temporary folder when that path is too long."""
    path = run / "supervisor.sock"
    if len(bytes(path)) + len(".12345678") <= UNIX_PATH_LIMIT:
        return path
    digest = hashlib.sha256(bytes(path)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"lienthong-{digest}.sock"


def write_config(run: Path, logs: Path, programs: Sequence[Program]) -> Path:
    """Write `supervisord.conf` into `run` and return its path."""
    run.mkdir(parents=True, exist_ok=True)
    logs.mkdir(parents=True, exist_ok=True)
    path = run / "supervisord.conf"
    parts = [HEAD.format(path=path, run=_escape(run), logs=_escape(logs), socket=_escape(socket_path(run)))]
    parts += [
        PROGRAM.format(
            name=program.name,
            wave=program.wave,
            command=" ".join(_quote(word) for word in _command(program)),
            logs=_escape(logs),
        )
        for program in programs
    ]
    replace_file(path, "".join(parts))
    return path


class Supervisor:
    """A running supervisord, spoken to over its Unix socket."""

    def __init__(self, run: Path) -> None:
        self._url = f"unix://{socket_path(run)}"

    def answers(self) -> bool:
        """Whether supervisord is there."""
        try:
            self._ask("getState")
        except (OSError, http.client.HTTPException, xmlrpc.client.Error):
            return False
        return True

    def start(self, name: str) -> None:
        """Start one program without waiting for it."""
        self._ask("startProcess", name, False)

    def stop(self, name: str) -> None:
        """Stop one program and wait until it has ended.

        One that has just died, supervisord refuses to stop, and starts again a moment later: it is stopped
        then.

        Raises:
            xmlrpc.client.Fault: it was stopped before, or supervisord has given it up.
        """
        deadline = time.monotonic() + _STARTS_AGAIN_WITHIN_S
        while True:
            try:
                self._ask("stopProcess", name, True)
            except xmlrpc.client.Fault as fault:
                final = fault.faultCode != Faults.NOT_RUNNING or self.state(name) in _STAYS_DOWN
                if final or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                return

    def stop_together(self, names: Sequence[str], within: float) -> None:
        """Stop programs side by side, and wait until all have ended, for so many seconds at most.

        Raises:
            OSError: supervisord does not answer.
        """
        deadline = time.monotonic() + within
        try:
            for name in names:
                # One that does not run is refused.
                with suppress(xmlrpc.client.Fault):
                    self._ask("stopProcess", name, False)
            while any(self.pid(name) for name in names) and time.monotonic() < deadline:
                time.sleep(0.02)
        except (http.client.HTTPException, xmlrpc.client.Error) as error:
            raise ConnectionError(f"supervisord does not answer: {error}") from error

    def state(self, name: str) -> str:
        """The state of a program in supervisord's words: STARTING, RUNNING, BACKOFF, EXITED, FATAL …"""
        return str(self._ask("getProcessInfo", name)["statename"])

    def pid(self, name: str) -> int:
        """The process id of a program, 0 when it is not running."""
        return int(self._ask("getProcessInfo", name)["pid"])

    def _ask(self, method: str, *arguments: object) -> Any:  # noqa: ANN401 - what XML-RPC carries
        """Call a method over a connection of its own: the transport does not survive a refused one."""
        transport = SupervisorTransport(serverurl=self._url)
        with xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport) as proxy:
            return getattr(proxy.supervisor, method)(*arguments)


def _command(program: Program) -> list[str]:
    """The program's words, behind env(1): supervisord's own `environment=` cannot hold a quotation mark."""
    variables = [f"{key}={value}" for key, value in program.environment.items()]
    return [ENV, *variables, *program.command] if variables else list(program.command)


def _escape(path: Path) -> str:
    return str(path).replace("%", "%%")


def _quote(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'
