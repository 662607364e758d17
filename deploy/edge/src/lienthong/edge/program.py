"""The edge of an embedded installation: Envoy under its supervisor, with certificates made on the spot."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lienthong.edge.authority import Authority
from lienthong.edge.config import EdgeFiles, binary, write_config
from lienthong.kit.processes import EDGE_HEALTH_PORT, EDGE_PORT
from lienthong.kit.unix_sockets import MOST_BYTES
from lienthong.local import Program

if TYPE_CHECKING:
    from lienthong.edge.settings import EdgeSettings

SOCKET: Final = "LIENTHONG_GATEWAY_EDGE_SOCKET"
_HOSTS: Final = ("localhost", "127.0.0.1", "::1")
_WAVE: Final = 2
"""Started beside the gateway: it answers that it is ready also before there is one."""


@dataclass(frozen=True, slots=True)
class LocalEdge:
    """The edge of one machine: where it is, and who signs for it."""

    url: str
    authority: Authority
    socket: Path
    """Where the gateway has to listen for it (LIENTHONG_GATEWAY_EDGE_SOCKET)."""
    program: Program


def local_edge(settings: EdgeSettings) -> LocalEdge:
    """Make what the edge needs under the settings' home; its program is started by the installation."""
    home = settings.home.resolve()
    authority = Authority(home / "edge" / "authority")
    host = settings.host
    certificate, key = authority.server("edge", [*_HOSTS, *([host] if host not in _HOSTS else [])])
    socket = _socket(home / "edge")
    port, health_port = EDGE_PORT + settings.port_offset, EDGE_HEALTH_PORT + settings.port_offset
    config = write_config(
        home / "edge",
        EdgeFiles(certificate, key, authority.certificate, socket),
        host=host,
        port=port,
        health_port=health_port,
        http3=settings.edge_http3,
    )
    program = Program(
        name="edge",
        command=[
            binary(), "--config-path", str(config), "--concurrency", "1", "--disable-hot-restart",
            "--log-level", "warning",
        ],
        ready_url=f"http://127.0.0.1:{health_port}/ready",
        ports=[port, health_port],
        wave=_WAVE,
    )  # fmt: skip
    return LocalEdge(f"https://127.0.0.1:{port}", authority, socket, program)


def _socket(folder: Path) -> Path:
    path = folder / "gateway.sock"
    if len(os.fsencode(path)) <= MOST_BYTES:
        return path
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"lienthong-edge-{digest}.sock"
