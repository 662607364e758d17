"""The machine that figures are of, and what a process on it uses: cores, processor time, memory."""

from __future__ import annotations

import os
import platform
import subprocess
from contextlib import suppress
from pathlib import Path

from tests.support.compiled import gateway_is_compiled

MEASURED_CORE, OTHER_CORE = 0, 1


def machine() -> dict[str, str | int]:
    """What a figure must be read with: processor, cores, system, Python, and whether modules are compiled."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "gateway": "compiled" if gateway_is_compiled() else "interpreted",
    }


def machine_line() -> str:
    """`machine` in one line."""
    found = machine()
    return (
        f"{found['processor']}, {found['cores']} cores, {found['system']}, Python {found['python']}, "
        f"gateway {found['gateway']}"
    )


def pin(pid: int, *cores: int) -> None:
    """Pin a process, its threads and its children to cores."""
    wanted = ",".join(map(str, cores))
    for member in family(pid):
        subprocess.run(["taskset", "-a", "-c", "-p", wanted, str(member)], check=True, capture_output=True)


def family(pid: int) -> list[int]:
    """A process and its children."""
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout
    return [pid, *map(int, found.split())]


def processor_s(pids: list[int]) -> float:
    """The processor time of processes so far, in seconds, of all their threads that live.

    From schedstat, which counts nanoseconds; /proc/PID/stat counts in hundredths of a second.
    """
    total = 0
    for pid in pids:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with suppress(FileNotFoundError):
                total += int((thread / "schedstat").read_text().split()[0])
    return total / 1e9


def resident_mib(pids: list[int]) -> float:
    """The resident memory of processes together, in MiB."""
    kib = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                kib += int(line.split()[1])
    return kib / 1024


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
