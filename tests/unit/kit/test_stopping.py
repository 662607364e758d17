"""A process that does not end is ended, also when nobody reads what it writes."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys

import pytest

STUCK = """
import time
from lienthong.kit.stopping import end_at_the_latest
end_at_the_latest(0.1)
time.sleep(60)
"""


def ends_with(error: int) -> int:
    """The status with which a stuck process ends that writes its errors there."""
    with subprocess.Popen([sys.executable, "-c", STUCK], stderr=error) as process:
        try:
            return process.wait(30)
        finally:
            process.kill()


@pytest.mark.parametrize(("full", "status"), [(False, 1), (True, -signal.SIGALRM)])
def test_a_stuck_process_is_ended(full: bool, status: int) -> None:
    reading, writing = os.pipe()
    try:
        if full:
            os.write(writing, bytes(fcntl.fcntl(writing, fcntl.F_GETPIPE_SZ)))
        assert ends_with(writing) == status
    finally:
        os.close(reading)
        os.close(writing)
