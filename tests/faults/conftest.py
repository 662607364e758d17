"""A platform of its own for every fault: what one test kills, the next does not inherit."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.support.platform import Platform, running_platform
from tests.support.upstream import running_upstream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def upstream() -> Iterator[str]:
    """The address of a provider that answers every request."""
    with running_upstream() as address:
        yield address


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
