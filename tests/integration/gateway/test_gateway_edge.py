"""The socket of the edge: what is written there about callers is believed, and nowhere else."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.integration.gateway.world import API, World, assert_in_form

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SHA256 = "ab" * 32
OF_THE_EDGE = {
    "X-Forwarded-For": "10.1.1.1, 203.0.113.7",
    "X-Forwarded-Client-Cert": f'Hash={SHA256};Subject="CN=land"',
}


@pytest.fixture(scope="module")
def path() -> Iterator[Path]:
    # The path of a Unix socket is short: folders of tests may be too long for it.
    folder = Path(tempfile.mkdtemp(prefix="lt-"))
    yield folder / "edge.sock"
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, path: Path) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("world"), edge_socket=path, open_per_s=0.001, open_burst=2)
    try:
        world.start()
        yield world
    finally:
        world.close()


@pytest.fixture
def edge(world: World, path: Path) -> Iterator[httpx.Client]:
    transport = httpx.HTTPTransport(uds=str(path))
    token = {"Authorization": f"Bearer {world.token()}"}
    with httpx.Client(transport=transport, base_url=world.url, headers=token) as client:
        yield client


def test_address_and_certificate_are_recorded_as_the_edge_writes_them(
    world: World, edge: httpx.Client
) -> None:
    answer = edge.get(f"{API}/parcels/1", headers=OF_THE_EDGE)
    assert answer.status_code == 200
    record = world.record(answer.headers["lgsp-transaction-id"])
    assert (record["ip"], record["certificate"]) == ("203.0.113.7", SHA256)
    seen = world.provider.seen[-1].headers
    assert not [
        name for name, _ in seen if name.lower().startswith(("x-forwarded-client", "x-forwarded-for"))
    ]
    without = edge.get(f"{API}/parcels/1", headers={"X-Forwarded-For": "203.0.113.8"})
    record = world.record(without.headers["lgsp-transaction-id"])
    assert (record["ip"], "certificate" in record) == ("203.0.113.8", False)
    assert_in_form(world.records())


def test_they_mean_nothing_where_anybody_may_connect(world: World) -> None:
    with world.client() as caller:
        answer = caller.get(f"{API}/parcels/1", headers=OF_THE_EDGE)
    assert answer.status_code == 200
    record = world.record(answer.headers["lgsp-transaction-id"])
    assert (record["ip"], "certificate" in record) == ("127.0.0.1", False)


def test_an_edge_that_leaves_what_callers_write_gets_no_call_through(edge: httpx.Client) -> None:
    forged = {"X-Forwarded-Client-Cert": f"Hash={'cd' * 32},Hash={SHA256}"}
    answer = edge.get(f"{API}/parcels/1", headers=forged)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed-request")
    assert "edge" in answer.json()["detail"]


def test_callers_behind_the_edge_are_limited_each_by_its_own_address(edge: httpx.Client) -> None:
    def status(address: str) -> int:
        return edge.get("/.well-known/jwks.json", headers={"X-Forwarded-For": address}).status_code

    assert [status("198.51.100.1") for _ in range(3)] == [200, 200, 429]
    assert status("198.51.100.2") == 200


def test_the_socket_is_for_owner_and_group_and_is_made_again(
    new_world: Callable[..., World], tmp_path: Path
) -> None:
    folder = Path(tempfile.mkdtemp(prefix="lt-"))
    try:
        path = folder / "edge.sock"
        world = new_world(edge_socket=path)
        world.start()
        assert path.stat().st_mode & 0o777 == 0o660
        world.kill_gateway()
        assert path.exists(), "what a killed process leaves behind"
        world.start()
        transport = httpx.HTTPTransport(uds=str(path))
        with httpx.Client(transport=transport, base_url=world.url) as client:
            assert client.get("/health.json").status_code == 200
        assert world.stop_gateway(signal.SIGTERM) == 0
        assert not path.exists()
        path.write_text("somebody's file")
        world.start(wait=False)
        world.wait(lambda: "is no socket" in world.log.read_text(), "it says why it cannot start")
        assert path.read_text() == "somebody's file"
    finally:
        shutil.rmtree(folder)


def test_a_path_that_is_too_long_is_told(tmp_path: Path) -> None:
    environment = {
        "LIENTHONG_GATEWAY_EDGE_SOCKET": str(tmp_path / ("x" * 120)),
        "LIENTHONG_HOME": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-m", "lienthong.gateway"],
        env=environment | {"LIENTHONG_PORT_OFFSET": "0"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert "too long for a Unix socket" in done.stderr
