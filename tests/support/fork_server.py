"""Processes of ours, forked from one that has already imported everything.

To import what it is made of takes a service longer than all the rest of its start, and a run of the tests has
hundreds of starts. In everything else what is forked here is `python -m MODULE`: it has its own environment,
output, signals and exit status. Whole installations, and tests of the command line, start in the ordinary
way.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from subprocess import CompletedProcess
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Final, NoReturn

from lienthong.kit.loading import uncollected
from lienthong.local.prepared import ModuleProgram

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOADED: Final = (
    "lienthong.catalog.bootstrap",
    "lienthong.exchange.bootstrap",
    "lienthong.gateway.worker",
    "lienthong.identity.bootstrap",
    "lienthong.ledger.bootstrap",
)
_MOST_BYTES: Final = 128 * 1024


class ForkedProcess:
    """A process that was forked; what tests use of `subprocess.Popen`."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self.pid = self._told(None)
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit status, or minus the signal that ended it; None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end, `timeout` seconds at most; the exit status.

        Raises:
            TimeoutExpired: of `subprocess`, it still runs.
        """
        if self.returncode is None:
            try:
                status = self._told(timeout)
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0) from None
            self._channel.close()
            self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Signal it, unless it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def _told(self, timeout: float | None) -> int:
        """The next number that the fork server says of it."""
        self._channel.settimeout(timeout)
        text = self._channel.recv(_MOST_BYTES)
        if not text:
            raise RuntimeError("the process that forks others has ended")
        return int(text)


def start_module(
    module: str, environment: Mapping[str, str], log: int, *arguments: str, output: int | None = None
) -> ForkedProcess:
    """Start `python -m MODULE ARGUMENT …`; its standard output and error go to the descriptor `log`.

    With `output`, a descriptor too, standard output goes there.
    """
    own, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    request = {
        "module": module,
        "arguments": arguments,
        "environment": dict(environment),
        "folder": str(Path.cwd()),
    }
    with other:
        descriptors = [other.fileno(), log if output is None else output, log]
        socket.send_fds(_fork_server(), [json.dumps(request).encode()], descriptors)
    return ForkedProcess(own)


def run_module(module: str, environment: Mapping[str, str], *arguments: str) -> CompletedProcess[str]:
    """Run `python -m MODULE ARGUMENT …` to its end.

    Raises:
        TimeoutExpired: of `subprocess`, it has not ended after a minute, and was killed.
    """
    with TemporaryFile() as output, TemporaryFile() as errors:
        process = start_module(module, environment, errors.fileno(), *arguments, output=output.fileno())
        try:
            status = process.wait(60)
        finally:
            process.kill()
        output.seek(0)
        errors.seek(0)
        command = [sys.executable, "-m", module, *arguments]
        return CompletedProcess(command, status, output.read().decode(), errors.read().decode())


@cache
def _fork_server() -> socket.socket:
    """What takes requests for this process; the fork server ends when it is closed."""
    own, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with other:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.fork_server", str(other.fileno())],
            pass_fds=[other.fileno()],
            stdin=subprocess.DEVNULL,
        )

    def end() -> None:
        own.close()
        process.wait()

    atexit.register(end)
    return own


@dataclass(frozen=True, slots=True)
class _Request:
    """What the fork server is asked for, and the process that was forked for it."""

    module: str
    arguments: list[str]
    environment: dict[str, str]
    folder: str
    channel: socket.socket
    output: int
    errors: int

    @classmethod
    def receive(cls, requests: socket.socket) -> _Request | None:
        """The next one; None when nobody asks any more."""
        text, descriptors, _, _ = socket.recv_fds(requests, _MOST_BYTES, 3)
        if not text:
            return None
        channel, output, errors = descriptors
        return cls(**json.loads(text), channel=socket.socket(fileno=channel), output=output, errors=errors)

    def tell(self, number: int) -> None:
        """Tell the process that asked, if it is still there."""
        with contextlib.suppress(OSError):
            self.channel.send(str(number).encode())

    def close(self) -> None:
        self.channel.close()
        os.close(self.output)
        os.close(self.errors)

    def become(self) -> NoReturn:
        """Be the process that was asked for."""
        os.dup2(self.output, 1)
        os.dup2(self.errors, 2)
        self.close()
        os.chdir(self.folder)
        os._exit(ModuleProgram(self.module, {}).run(self.arguments, self.environment))


def _serve(requests: socket.socket) -> _Request | None:
    """Fork for each request, until nobody asks any more.

    Returns the request in the process that was forked for it, and None at the end.
    """
    with requests, selectors.DefaultSelector() as selector:
        selector.register(requests, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.data is not None:
                    _tell_end(selector, key)
                    continue
                request = _Request.receive(requests)
                if request is None:
                    return None
                child = os.fork()
                if child == 0:
                    # Descriptors of the others; what selects them is shared with the parent and stays.
                    for other in selector.get_map().values():
                        if other.data is not None:
                            other.data[1].close()
                            os.close(other.fd)
                    return request
                request.tell(child)
                selector.register(os.pidfd_open(child), selectors.EVENT_READ, (child, request))


def _tell_end(selector: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
    child, request = key.data
    selector.unregister(key.fd)
    os.close(key.fd)
    request.tell(os.waitpid(child, 0)[1])
    request.close()


def main() -> None:
    """Import everything, then serve the socket whose descriptor is the argument."""
    # Ctrl-C is for pytest, which then ends what it started.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests = socket.socket(fileno=int(sys.argv[1]))
    with uncollected():
        for module in _LOADED:
            importlib.import_module(module)
    request = _serve(requests)
    if request is not None:
        request.become()


if __name__ == "__main__":
    main()
