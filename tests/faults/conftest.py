"""A platform of its own for every fault: what one test kills, the next does not inherit."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.platform import Platform, running_platform
from tests.support.ports import take_free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def upstream() -> Iterator[str]:
    """The address of a provider that answers every request."""
    port = take_free_port()
    command = [sys.executable, "-m", "uvicorn", "tests.support.upstream:app", "--port", str(port)]
    process = subprocess.Popen([*command, "--log-level", "error"], stdout=subprocess.DEVNULL)
    try:
        _wait_until_open(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def platform(tmp_path: Path, upstream: str) -> Iterator[Platform]:
    """A running platform with one provider, one consumer and one agreement."""
    with running_platform(tmp_path / "home", upstream) as running:
        yield running


def kill(platform: Platform, name: str) -> None:
    """End a process with SIGKILL; the supervisor starts it again."""
    pid = platform.installation.supervisor.pid(name)
    assert pid > 0, f"{name} is not running"
    os.kill(pid, signal.SIGKILL)


def _wait_until_open(port: int) -> None:
    for _ in range(200):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=0.2):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the upstream did not start")
