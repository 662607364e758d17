"""What the TLS edge costs: Envoy in front of the gateway, on the core of the load."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from lienthong.edge import Authority, EdgeFiles, binary, write_config
from tests.bench import peers
from tests.bench.beside_plain import Calls, beside_plain
from tests.bench.call_targets import CALL, headers_of
from tests.bench.machine import OTHER_CORE
from tests.support.ports import take_free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lienthong.client import Client
    from tests.bench.target import Target
    from tests.support.platform import Platform


@contextmanager
def running_edge(home: Path, socket: Path) -> Iterator[tuple[int, Path]]:
    """An edge before the gateway that listens on `socket`: its port, and its authority's certificate."""
    authority = Authority(home / "authority")
    certificate, key = authority.server("edge", ["localhost", "127.0.0.1"])
    port, health_port = take_free_port(), take_free_port()
    files = EdgeFiles(certificate, key, authority.certificate, socket)
    config = write_config(home / "edge", files, host="127.0.0.1", port=port, health_port=health_port)
    command = [binary(), "-c", str(config), "--concurrency", "1", "--disable-hot-restart", "-l", "error"]
    with peers.process(command, port=port, core=OTHER_CORE):
        yield port, authority.certificate


def edge(
    platform: Platform, client: Client, home: Path, socket: Path, rounds: int, seconds: int
) -> list[Target]:
    """Calls over TLS through Envoy beside the plain ones; `socket` is where the gateway listens for it."""
    with running_edge(home, socket) as (port, _):
        return beside_plain(
            platform,
            "through the TLS edge",
            plain=Calls(f"{platform.gateway}{CALL}", lambda: headers_of(client)),
            other=Calls(f"https://127.0.0.1:{port}{CALL}", lambda: headers_of(client)),
            goal=0.65,
            rounds=rounds,
            seconds=seconds,
            note="Envoy on the core of load, provider and NATS",
        )
