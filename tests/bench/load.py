"""wrk, and what it reports."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass

PER_MS = {"us": 1000.0, "ms": 1.0, "s": 0.001}


@dataclass(frozen=True, slots=True)
class Load:
    """What one run of wrk saw; latencies in milliseconds."""

    requests: int
    requests_per_s: float
    p50_ms: float
    p99_ms: float


class LoadError(Exception):
    """wrk saw refused, broken or unexpected answers; a figure made of these would be worth nothing."""


def measure(
    url: str,
    *,
    connections: int,
    seconds: int,
    headers: dict[str, str],
    core: int | None,
    refused: bool = False,
) -> Load:
    """Load `url` from one thread, pinned to `core` where one is given.

    Raises:
        LoadError: an answer was not 2xx (with `refused`: one was), or a connection broke.
    """
    command = ["taskset", "-c", str(core)] if core is not None else []
    command += [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{seconds}s",
        "--latency",
        "--timeout",
        "20s",
    ]
    command += [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
    output = subprocess.run([*command, url], check=True, capture_output=True, text=True).stdout
    return parse(output, refused=refused)


def parse(output: str, *, refused: bool = False) -> Load:
    """Read wrk's report."""
    if "Socket errors" in output:
        raise LoadError(output)
    requests = re.search(r"(\d+) requests in", output)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    if requests is None or rate is None:
        raise LoadError(output)
    others = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    if (int(others[1]) if others else 0) != (int(requests[1]) if refused else 0):
        raise LoadError(output)
    return Load(int(requests[1]), float(rate[1]), _latency(output, 50), _latency(output, 99))


def _latency(output: str, percentile: int) -> float:
    found = re.search(rf"^\s+{percentile}%\s+([\d.]+)(us|ms|s)\s*$", output, re.MULTILINE)
    if found is None:
        raise LoadError(output)
    return float(found[1]) / PER_MS[found[2]]
