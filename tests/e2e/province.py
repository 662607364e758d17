"""The demo province as a stranger starts it: one command, a line that says READY, a signal that ends it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lienthong.client import Client

READY_TIMEOUT_S = 200.0
STOP_TIMEOUT_S = 60.0
LIENTHONG = str(Path(sys.executable).with_name("lienthong"))


@dataclass
class Province:
    """A run of `python -m binh_thuan` on a home and a port offset of its own."""

    home: Path
    offset: int
    process: subprocess.Popen[str]
    output: list[str] = field(default_factory=list)
    ready_after: float = 0.0

    @classmethod
    def start(cls, home: Path, offset: int) -> Province:
        """Start and wait for READY; fails with everything that was said when it does not come."""
        begun = time.monotonic()
        province = cls(home, offset, launch(home, offset))
        try:
            province._wait_until_ready(begun + READY_TIMEOUT_S)
        except BaseException:
            province.stop()
            raise
        province.ready_after = time.monotonic() - begun
        return province

    def stop(self) -> int:
        """Send SIGTERM and wait for the end; returns the exit status."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(STOP_TIMEOUT_S)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return status

    def kill(self) -> None:
        """Kill the command outright, as a careless person would."""
        self.process.kill()
        self.process.wait(STOP_TIMEOUT_S)
        if self.process.stdout is not None:
            self.process.stdout.close()

    def _wait_until_ready(self, deadline: float) -> None:
        timer = threading.Timer(deadline - time.monotonic(), self.process.terminate)
        timer.start()
        try:
            for line in self.process.stdout or ():
                self.output.append(line)
                if line.startswith("READY "):
                    return
        finally:
            timer.cancel()
        raise AssertionError("it ended before READY:\n" + "".join(self.output))

    @property
    def addresses(self) -> dict[str, str]:
        """What the READY line says."""
        words = self.output[-1].removeprefix("READY ").split()
        return dict(word.split("=", 1) for word in words)

    @property
    def gateway(self) -> str:
        """The gateway's address."""
        return self.addresses["gateway"]

    @property
    def calls(self) -> list[dict[str, Any]]:
        """The first round, as `calls.json` tells it."""
        found: list[dict[str, Any]] = json.loads((self.home / "demo" / "calls.json").read_text("utf-8"))
        return found

    @property
    def vkey(self) -> Path:
        """The file with the ledger's public key."""
        return self.home / "ledger" / "ledger.vkey"

    def client(self, folder: str) -> Client:
        """The SDK as one of the demo's systems, or as `operator` or `auditor`."""
        room = self.home if folder in ("operator", "auditor") else self.home / "demo"
        return Client.from_folder(room / folder)

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the `lienthong` command in this province."""
        return run([LIENTHONG, *words], self.environment)

    def shell(self, line: str) -> subprocess.CompletedProcess[str]:
        """Run a line as a person would, after reading the province's `env` file; nothing else is set."""
        script = f". {self.home}/demo/env && {line}"
        return run(["bash", "-c", script], {"PATH": "/usr/bin:/bin", "HOME": str(self.home)})

    def supervisorctl(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Speak to the supervisor."""
        config = self.home / "run" / "supervisord.conf"
        return run(
            [sys.executable, "-m", "supervisor.supervisorctl", "-c", str(config), *words], self.environment
        )

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the run."""
        return environment(self.home, self.offset)

    def pids(self) -> set[int]:
        """The run's process and everything below it."""
        parents = {int(path.name): _parent(path) for path in Path("/proc").iterdir() if path.name.isdigit()}
        found = {self.process.pid}
        while more := {pid for pid, parent in parents.items() if parent in found} - found:
            found |= more
        return found


def environment(home: Path, offset: int) -> dict[str, str]:
    """Return this environment with a home and an offset, and nothing else of Liên thông."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LIENTHONG_")}
    return kept | {"LIENTHONG_HOME": str(home), "LIENTHONG_PORT_OFFSET": str(offset)}


def launch(home: Path, offset: int, *words: str) -> subprocess.Popen[str]:
    """Start `python -m binh_thuan`."""
    return subprocess.Popen(
        [sys.executable, "-m", "binh_thuan", *words],
        env=environment(home, offset),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )


def run(command: list[str], variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        command, env=variables, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False
    )


def _parent(path: Path) -> int:
    try:
        return int((path / "stat").read_text("utf-8", errors="replace").rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return 0
