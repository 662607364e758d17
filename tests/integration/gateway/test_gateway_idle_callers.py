"""Strangers that only hold connections neither stop the calls of others nor stay for ever."""

from __future__ import annotations

import contextlib
import resource
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.integration.gateway.world import API
from tests.support.promises import allowed_s

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.integration.gateway.world import World


@contextlib.contextmanager
def soft_limit_of_children(soft: int) -> Iterator[None]:
    """Processes that are started meanwhile begin with this limit of open files."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@contextlib.contextmanager
def idle(world: World, number: int) -> Iterator[list[socket.socket]]:
    """So many connections on which nothing is sent."""
    with contextlib.ExitStack() as stack:
        address = ("127.0.0.1", world.port)
        yield [stack.enter_context(socket.create_connection(address, timeout=10)) for _ in range(number)]


def processor_seconds(world: World) -> float:
    """What the gateway's workers have used."""
    fields = [Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split() for worker in world.workers]
    return sum(int(field[11]) + int(field[12]) for field in fields) / 100


def test_the_soft_limit_of_open_files_is_raised(new_world: Callable[..., World]) -> None:
    world = new_world()
    with soft_limit_of_children(256):
        world.start()
    for process in (world.pid, *world.workers):
        lines = Path(f"/proc/{process}/limits").read_text().splitlines()
        [(soft, hard)] = [line.split()[3:5] for line in lines if line.startswith("Max open files")]
        assert soft == hard != "256"


def test_beside_many_idle_strangers_calls_are_answered(new_world: Callable[..., World]) -> None:
    world = new_world(max_connections=300, idle_timeout_s=60)
    world.start()
    with idle(world, 250), world.client() as client:
        for _ in range(5):
            began = time.monotonic()
            assert client.get(f"{API}/parcels/1").status_code == 200
            assert time.monotonic() - began < allowed_s(2)


def test_over_the_limit_nothing_spins_and_idle_connections_make_room(new_world: Callable[..., World]) -> None:
    world = new_world(max_connections=20, idle_timeout_s=1.5)
    world.start()
    with world.client() as standing, world.client() as late:
        assert standing.get(f"{API}/parcels/1").status_code == 200
        with idle(world, 30) as strangers:
            used = processor_seconds(world)
            assert standing.get(f"{API}/parcels/1").status_code == 200, "a connection that stands goes on"
            assert late.get(f"{API}/parcels/1").status_code == 200
            assert processor_seconds(world) - used < 1
            for stranger in strangers:
                assert stranger.recv(1) == b"", "closed for want of a request"


def test_a_kept_connection_is_closed_when_it_is_idle(new_world: Callable[..., World]) -> None:
    world = new_world(idle_timeout_s=1)
    world.start()
    with socket.create_connection(("127.0.0.1", world.port), timeout=10) as connection:
        connection.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(1 << 20).startswith(b"HTTP/1.1 200")
        began = time.monotonic()
        while connection.recv(1 << 20):
            pass
        assert time.monotonic() - began < allowed_s(5)
