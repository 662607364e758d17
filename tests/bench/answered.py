"""A platform that is measured: the gateway alone on its core, and every answered call in the ledger."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx

from tests.bench.machine import MEASURED_CORE, OTHER_CORE, pin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.platform import Platform

PROCESSES = ("nats", "catalog", "identity", "exchange", "gateway")
INTEGRATION_TIMEOUT_S = 300.0


@contextmanager
def alone_on_its_core(platform: Platform, measured: str = "gateway") -> Iterator[None]:
    """Give a process one core, all others another one; stop the ledger, which is not on the way of a call.

    The journal keeps what the ledger has to read; it is started again afterwards, and every process has all
    cores again.
    """
    supervisor = platform.installation.supervisor
    every_core = os.sched_getaffinity(0)
    supervisor.stop("ledger")
    for name in PROCESSES:
        pin(supervisor.pid(name), MEASURED_CORE if name == measured else OTHER_CORE)
    try:
        yield
    finally:
        for name in PROCESSES:
            pin(supervisor.pid(name), *every_core)
        supervisor.start("ledger")
        wait_for_ledger(platform, 0)


def ledger_size(platform: Platform) -> int:
    """How many entries the ledger has."""
    checkpoint = httpx.get(f"{platform.gateway}/audit/checkpoint").raise_for_status().text
    return int(checkpoint.splitlines()[1])


def wait_for_ledger(platform: Platform, size: int) -> int:
    """Wait until the ledger holds `size` entries: every answered call has its record."""
    deadline = time.monotonic() + INTEGRATION_TIMEOUT_S
    while time.monotonic() < deadline:
        try:
            now = ledger_size(platform)
        except httpx.HTTPError:
            now = -1
        if now >= size:
            return now
        time.sleep(1)
    sys.exit(f"the ledger holds fewer than the {size} entries that the answered calls must have left")
