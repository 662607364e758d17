"""A gateway that finds its port taken ends with a sentence, and nobody shares a port with it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.integration.gateway.world import API, World

if TYPE_CHECKING:
    from collections.abc import Callable

    NewWorld = Callable[..., World]


def command(world: World, home: str) -> tuple[list[str], dict[str, str]]:
    """A gateway on the ports of this world, with a folder of its own."""
    environment = os.environ | {
        "LIENTHONG_HOME": str(world.folder / home),
        "LIENTHONG_PORT_OFFSET": str(world.port - 8080),
    }
    return [sys.executable, "-m", "lienthong.gateway"], environment


def second(world: World) -> subprocess.CompletedProcess[str]:
    """Start another gateway, which ends by itself."""
    arguments, environment = command(world, "second")
    return subprocess.run(
        arguments,
        env=environment, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("workers", [1, 2])
def test_a_second_gateway_does_not_join_the_port_of_the_first(new_world: NewWorld, workers: int) -> None:
    world = new_world(workers=workers)
    world.start()
    done = second(world)
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{world.port}" in done.stderr
    assert "LIENTHONG_PORT_OFFSET" in done.stderr
    assert "đang được tiến trình khác sử dụng" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert len(world.workers) == workers
    with world.client() as client:
        assert client.get(f"{API}/parcels/1").status_code == 200


def test_a_port_that_a_strange_program_shares_is_taken_too(new_world: NewWorld) -> None:
    world = new_world()
    for port in (world.port, world.health_port):
        with socket.socket() as strange:
            strange.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            strange.bind(("127.0.0.1", port))
            strange.listen()
            done = second(world)
        assert done.returncode == 1
        assert f"cannot listen on 127.0.0.1:{port}" in done.stderr


def test_no_strange_program_can_share_the_ports_of_a_gateway(new_world: NewWorld) -> None:
    world = new_world(workers=2)
    world.start()
    for port in (world.port, world.health_port):
        with socket.socket() as strange:
            strange.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            strange.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with pytest.raises(OSError, match="in use"):
                strange.bind(("127.0.0.1", port))


def test_of_two_that_start_at_once_one_ends_and_the_other_serves(new_world: NewWorld) -> None:
    world = new_world()
    both = []
    for home in ("one", "other"):
        arguments, environment = command(world, home)
        with (world.folder / home).with_suffix(".log").open("wb") as log:
            both.append(subprocess.Popen(arguments, env=environment, stdout=log, stderr=log))
    try:
        world.wait(lambda: any(one.poll() is not None for one in both), "one ended")
        (ended,) = [one for one in both if one.poll() is not None]
        assert ended.returncode == 1
        world.wait(world.live, "the other serves")
        assert sum(one.poll() is None for one in both) == 1
    finally:
        for one in both:
            one.kill()
            one.wait(10)


def test_a_gateway_that_was_killed_is_started_again_at_once(new_world: NewWorld) -> None:
    world = new_world(workers=2)
    world.start()
    for _ in range(2):
        world.stop_gateway(signal.SIGKILL)
        world.start()
        with world.client() as client:
            assert client.get(f"{API}/parcels/1").status_code == 200
