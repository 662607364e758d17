"""How long people wait: for the command's help, and for `make run` a second time."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

from tests.bench.target import Target
from tests.support.ports import take_free_offset

ROOT = Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 120


def help_of_the_command(rounds: int) -> list[Target]:
    """The wall time of a process `lienthong --help`."""
    command = [str(Path(sys.executable).with_name("lienthong")), "--help"]
    times = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - began)
    # The first one may compile modules and read them from the disk.
    found = [{"seconds": one} for one in times[1:]]
    seen = statistics.median(times[1:])
    note = f"fastest {min(times[1:]):.3f}, slowest {max(times[1:]):.3f}"
    return [Target("lienthong --help", "s", seen, "at most", 0.15, note, found)]


def second_run(home: Path) -> list[Target]:
    """From `make run` to READY: the first time, and again on the state of the first."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"LIENTHONG_HOME": str(home), "LIENTHONG_PORT_OFFSET": str(take_free_offset())}
    first, second = (_run(environment) for _ in range(2))
    note = f"the first time {first:.1f} s"
    return [Target("make run, a second time", "s", second, "at most", 6.0, note)]


def _run(environment: dict[str, str]) -> float:
    began = time.perf_counter()
    process = subprocess.Popen(
        ["make", "--no-print-directory", "run"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # Ctrl-C reaches all processes of a terminal: here, of this group.
        start_new_session=True,
    )
    assert process.stdout is not None
    lines = []
    took = None
    try:
        for line in process.stdout:
            lines.append(line)
            if line.startswith("READY "):
                took = time.perf_counter() - began
                break
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=START_TIMEOUT_S)
    if took is None:
        raise SystemExit("make run did not come to READY:\n" + "".join(lines[-20:]))
    return took
