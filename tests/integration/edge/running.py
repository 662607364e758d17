"""A gateway with its edge, as tests of the edge call it."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from lienthong.edge import Authority, EdgeFiles, binary, write_config
from tests.integration.gateway.world import World
from tests.support.ports import take_free_port
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Edge:
    """A running edge, and who signs for it."""

    world: World
    authority: Authority
    port: int
    health_port: int

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def curl(self, path: str, *options: str, token: bool = True) -> tuple[int, str, str]:
        """Status, version of HTTP and body of an answer to curl."""
        if token:
            options = ("--header", f"Authorization: Bearer {self.world.token()}", *options)
        command = [
            "curl", "--silent", "--show-error", "--cacert", str(self.authority.certificate),
            "--write-out", "\n%{http_code} %{http_version}", *options, f"{self.url}{path}",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
        body, _, told = done.stdout.rpartition("\n")
        status, version = told.split()
        return int(status), version, body

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.authority.certificate))


@contextmanager
def running_edge(folder: Path, *, http3: bool = False) -> Iterator[Edge]:
    """A gateway and an Envoy in front of it, until the block ends."""
    # The path of a Unix socket is short: folders of tests may be too long for it.
    short = Path(tempfile.mkdtemp(prefix="lt-"))
    world = World(folder / "world", edge_socket=short / "edge.sock")
    authority = Authority(folder / "authority")
    certificate, key = authority.server("edge", ["localhost", "127.0.0.1"])
    edge = Edge(world, authority, take_free_port(), take_free_port())
    files = EdgeFiles(certificate, key, authority.certificate, short / "edge.sock")
    config = write_config(
        folder / "envoy", files, host="127.0.0.1", port=edge.port, health_port=edge.health_port, http3=http3
    )
    log = folder / "envoy.log"
    with log.open("wb") as file:
        envoy = subprocess.Popen(
            [binary(), "-c", str(config), "--concurrency", "1", "--disable-hot-restart", "-l", "warning"],
            stdout=file,
            stderr=file,
        )
    try:
        world.start()
        wait_until(lambda: _ready(edge), log.read_text, within=120, every=0.05)
        yield edge
    finally:
        envoy.terminate()
        envoy.wait(60)
        world.close()
        shutil.rmtree(short)


def _ready(edge: Edge) -> bool:
    try:
        answer = httpx.get(f"http://127.0.0.1:{edge.health_port}/ready", trust_env=False)
    except httpx.HTTPError:
        return False
    return answer.status_code == httpx.codes.OK
