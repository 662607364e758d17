"""Calls follow a provider's name to its new address, though the connection to the old one never rests."""

from __future__ import annotations

import json
import socketserver
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.integration.gateway import moving_names
from tests.integration.gateway.world import API, World, service
from tests.support.ports import take_free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "land.example.vn"
OLD, NEW = "127.0.0.1", "127.0.0.2"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"

pytestmark = pytest.mark.interpreted


class Came(NamedTuple):
    """A request: the address that it came to, and the connection on which it came."""

    address: str
    connection: int


@contextmanager
def serving(address: str, port: int, came: list[Came]) -> Iterator[None]:
    """Answer every request at an address, on connections that are never closed from this side."""
    numbers = iter(range(1_000_000))

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            number = next(numbers)
            while self.rfile.readline():
                while self.rfile.readline() != b"\r\n":
                    pass
                came.append(Came(address, number))
                self.wfile.write(ANSWER)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server((address, port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def names(tmp_path: Path) -> Path:
    """The file of which name is where."""
    return tmp_path / "names.json"


@pytest.fixture
def following(tmp_path: Path, names: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A world whose gateway looks names up in that file."""
    monkeypatch.setenv(moving_names.FILE, str(names))
    names.write_text("{}")
    world = World(tmp_path)
    world.module = moving_names.__name__
    try:
        yield world
    finally:
        world.close()


def test_a_busy_connection_is_left_for_the_names_new_address(following: World, names: Path) -> None:
    port = take_free_port()
    came: list[Came] = []
    names.write_text(json.dumps({NAME: [OLD]}))
    following.start()
    following.change(service([f"http://{NAME}:{port}"]))
    with serving(OLD, port, came), serving(NEW, port, came), following.client() as client:

        def call() -> Came:
            assert client.get(f"{API}/parcels/1").status_code == 200
            return came[-1]

        first = [call() for _ in range(20)]
        assert {one.address for one in first} == {OLD}
        names.write_text(json.dumps({NAME: [NEW]}))
        # One call after another, without a pause in which a connection could be closed as one that rests.
        following.wait(lambda: call().address == NEW, "the calls have moved")
        assert {call().address for _ in range(20)} == {NEW}
    # Kept alive meanwhile: many calls on one connection.
    assert len({one.connection for one in first}) <= 3
