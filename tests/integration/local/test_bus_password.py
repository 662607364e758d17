"""The bus of an embedded installation is for its own processes: whoever publishes there writes the trail."""

from __future__ import annotations

import socket
import subprocess
from typing import TYPE_CHECKING

import pytest

from lienthong.kit.bus import Bus
from lienthong.local import nats
from tests.support.ports import take_free_port
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "nats"


@pytest.fixture
def port(home: Path) -> Iterator[int]:
    port = take_free_port()
    config = nats.write_config(home, port=port, monitoring_port=take_free_port(), server_name="here")
    with subprocess.Popen(
        [nats.server_binary(), "--config", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        yield port
        server.terminate()


async def test_only_those_who_may_read_the_password_reach_the_bus(home: Path, port: int) -> None:
    bus = await Bus.connect(nats.address(home, port=port), "a process of the installation")
    await eventually(lambda: bus.connected)
    await bus.close()

    for greeting in (b"{}", b'{"user":"%b","pass":"guessed"}' % nats.USER.encode()):
        assert b"Authorization Violation" in _answer(port, b"CONNECT " + greeting + b"\r\nPING\r\n")


def test_the_password_stays_and_only_its_owner_reads_it(home: Path) -> None:
    first = nats.write_config(home, port=1, monitoring_port=2, server_name="here").read_text("utf-8")
    again = nats.write_config(home, port=1, monitoring_port=2, server_name="here").read_text("utf-8")

    assert first == again
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in home.iterdir()} == {
        "nats.conf": "0o600",
        "password": "0o600",
    }


def _answer(port: int, said: bytes) -> bytes:
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(said)
        while part := connection.recv(65_536):
            answer += part
            if b"PONG" in answer:
                break
    return answer
