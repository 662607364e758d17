"""Free ports of this machine, each given to one test process alone."""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final

from binh_thuan.departments.ports import PORTS as DEPARTMENTS
from lienthong.kit.processes import (
    CONSOLE,
    EDGE_HEALTH_PORT,
    EDGE_PORT,
    NATS_MONITORING_PORT,
    NATS_PORT,
    PEOPLE_PORT,
    PROCESSES,
)
from lienthong.kit.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

# Below 32768, where Linux takes the ports of outgoing connections from: a port that is given but not yet
# listened on could otherwise become the near end of somebody's connection.
_SINGLE = range(27_000, 32_768)
# The ports of an installation leave different remainders when divided by this, so that no two offsets of this
# range lead to the same port, and all of them can be given.
_STEP = 58
_OFFSETS = range(2_000, 17_800, _STEP)

# Browsers and Node.js fetch nothing from this port of our range (https://fetch.spec.whatwg.org/#bad-port).
_claimed: set[int] = {10_080}


def _installation_ports() -> Iterator[int]:
    settings = Settings(port_offset=0)
    for process in PROCESSES:
        yield from (settings.port(process), settings.rpc_port(process), settings.health_port(process))
    yield from (settings.port(CONSOLE), settings.health_port(CONSOLE))
    yield from (NATS_PORT, NATS_MONITORING_PORT, PEOPLE_PORT, EDGE_PORT, EDGE_HEALTH_PORT)
    yield from DEPARTMENTS.values()


INSTALLATION_PORTS: Final = frozenset(_installation_ports())
"""Every port of a whole installation with the demo province, before any offset."""


def take_free_port() -> int:
    """A port that nobody listens on; no other test process is given it while this one lives.

    Raises:
        RuntimeError: every port is taken.
    """
    return _take((0,), _SINGLE)


def take_free_offset() -> int:
    """A `LIENTHONG_PORT_OFFSET` that shifts a whole installation to free ports, this test process's alone
    until it ends or gives it back.

    One process of it is given all of them too: gateway and catalog take none for a provider's.

    Raises:
        RuntimeError: there is no such offset.
    """
    return _take(INSTALLATION_PORTS, _OFFSETS)


def give_back_offset(offset: int) -> None:
    """Let the ports of an offset be given again, also to others: whoever had them has ended."""
    for port in INSTALLATION_PORTS:
        fcntl.lockf(_claims(), fcntl.LOCK_UN, 1, port + offset)
        _claimed.discard(port + offset)


def _take(ports: Collection[int], shifts: range) -> int:
    # Test processes begin at different places, so that they seldom ask for the same port.
    start = os.getpid() * 997 % len(shifts)
    for shift in chain(shifts[start:], shifts[:start]):
        wanted = {port + shift for port in ports}
        # First whether they are free: what is claimed in vain stays claimed.
        if wanted.isdisjoint(_claimed) and all(map(_is_free, wanted)) and all(map(_claim, wanted)):
            return shift
    raise RuntimeError("no free ports on this machine")


def _claim(port: int) -> bool:
    """Lock byte number `port` of a file; the system lets go of it when this process ends, however it ends."""
    try:
        fcntl.lockf(_claims(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except BlockingIOError:
        return False
    _claimed.add(port)
    return True


@cache
def _claims() -> int:
    # Open for as long as the process lives: closing any descriptor of a file lets go of all its locks.
    path = Path(tempfile.gettempdir()) / f"lienthong-test-ports-{os.getuid()}"
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
