"""The script that finds or installs what tests need says plainly what it cannot have."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

SCRIPT = Path(__file__).parents[2] / "install-tools"

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run the script on a machine that has little more than bash: nothing can be installed."""
    for tool in ("bash", "id"):
        (tmp_path / tool).symlink_to(str(shutil.which(tool)))

    def start(*tools: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(tmp_path / "bash"), str(SCRIPT), *tools],
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": str(tmp_path), **environment},
        )

    return start


def test_what_is_there_is_left_alone(run: Run) -> None:
    done = run("bash", CI="true")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_what_is_missing_is_named_with_what_is_left_out(run: Run) -> None:
    done = run("bash", "wrk")
    assert done.returncode == 0
    assert "wrk is not here" in done.stderr
    assert "left out: every measurement" in done.stderr


def test_a_tool_is_named_as_what_is_missing_not_its_package(run: Run) -> None:
    told = run("promtool").stderr
    assert "promtool is not here" in told
    assert "left out: the tests of alerts" in told


def test_on_ci_nothing_may_be_missing(run: Run) -> None:
    assert run("wrk", CI="true").returncode == 1
