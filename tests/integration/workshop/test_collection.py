"""Every collection finds the same tests: the processes of a parallel run share them out by their ids."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).resolve().parents[3]


def test_another_process_gives_every_test_the_same_id(request: pytest.FixtureRequest) -> None:
    """Random or hash-ordered values in an id would differ there: such cases need names (`ids=`)."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "--quiet", "-p", "no:cacheprovider", "tests"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV"))},
        capture_output=True,
        text=True,
        check=True,
    )
    there = {line for line in done.stdout.splitlines() if "::" in line}
    here = {item.nodeid for item in request.session.items}
    assert sorted(here - there) == []
