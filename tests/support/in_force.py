"""Whether what the platform decided is in force: asked of each worker of several gateways on its own."""

from __future__ import annotations

import http.client
import os
import re
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx

from lienthong.local.nats import key_file
from tests.support.platform import PURPOSE, SERVICE
from tests.support.ports import give_back_offset, take_free_offset
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator, Sequence

    from tests.support.platform import Platform

_CALL: Final = f"/api/{SERVICE}/parcels/1"
_PAUSE_S: Final = 0.002
_ATTEMPTS: Final = 500
_WITHIN_S: Final = 30.0


class Asked:
    """A connection to one worker."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_WITHIN_S)

    def status(self, token: str) -> int:
        """What a call is answered."""
        headers = {"Authorization": f"Bearer {token}", "LGSP-Purpose": PURPOSE}
        self.connection.request("GET", _CALL, headers=headers)
        answer = self.connection.getresponse()
        answer.read()
        return answer.status

    @property
    def inode(self) -> str | None:
        """That of the socket which the connection has on the gateway's side (proc(5), net/tcp)."""
        ours: socket.socket = self.connection.sock
        (_, local), (_, remote) = ours.getsockname(), ours.getpeername()
        for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            if [int(one.rpartition(":")[2], 16) for one in fields[1:3]] == [remote, local]:
                return fields[9]
        return None


@contextmanager
def another_gateway(platform: Platform, home: Path) -> Iterator[tuple[int, int]]:
    """One more gateway of the platform, with its own disk, until the block ends: its port and process."""
    settings, offset = platform.settings, take_free_offset()
    own = platform.home.resolve()
    urls = ("public_url", "nats_url", "catalog_url", "identity_url", "exchange_url", "ledger_url")
    shared = (*urls, "catalog_rpc", "identity_rpc", "ledger_rpc", "rpc_dir")
    environment = {
        **os.environ,
        **{f"LIENTHONG_{name.upper()}": str(getattr(settings, name)) for name in shared},
        "LIENTHONG_RPC_DIR": str(own / "rpc"),
        "LIENTHONG_NATS_KEY_FILE": str(key_file(own / "nats", "gateway")),
        "LIENTHONG_HOME": str(home),
        "LIENTHONG_PORT_OFFSET": str(offset),
        "LIENTHONG_GATEWAY_NODE": "another",
        "LIENTHONG_PROVIDER_NETWORKS": "127.0.0.0/8,::1/128",
    }
    home.mkdir(parents=True, exist_ok=True)
    with (home / "gateway.log").open("wb") as log:
        command = [sys.executable, "-m", "lienthong.gateway"]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        wait_until(lambda: _ready(8180 + offset), lambda: (home / "gateway.log").read_text()[-2000:])
        yield 8080 + offset, process.pid
    finally:
        process.terminate()
        process.wait(30)
        give_back_offset(offset)


def _ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health/ready", trust_env=False).is_success
    except httpx.HTTPError:
        return False


def workers_of(main: int) -> list[int]:
    """The worker processes of a gateway's main process."""
    children = Path(f"/proc/{main}/task/{main}/children").read_text(encoding="ascii")
    return [int(child) for child in children.split()]


@contextmanager
def connected_to_each(port: int, main: int, token: str) -> Iterator[list[Asked]]:
    """A connection to each worker of a gateway, for the length of a block.

    Raises:
        AssertionError: so many connections went to others.
    """
    found: dict[int, Asked] = {}
    try:
        _connect_to_each(found, port, workers_of(main), token)
        yield list(found.values())
    finally:
        for asked in found.values():
            asked.connection.close()


def _connect_to_each(found: dict[int, Asked], port: int, workers: list[int], token: str) -> None:
    for _ in range(_ATTEMPTS):
        asked = Asked(port)
        asked.status(token)
        owner = next((one for one in workers if asked.inode in _sockets(one)), None)
        if owner is None or owner in found:
            asked.connection.close()
        else:
            found[owner] = asked
        if len(found) == len(workers):
            return
    raise AssertionError(f"no connection went to {set(workers) - set(found)}")


def _sockets(process: int) -> set[str]:
    found = set()
    for descriptor in Path(f"/proc/{process}/fd").iterdir():
        with suppress(OSError):
            found |= set(re.findall(r"socket:\[(\d+)\]", str(descriptor.readlink())))
    return found


def refused_after(asked: Sequence[Asked], token: str, revoke: Callable[[], object]) -> float:
    """Revoke something, while each worker is called without a pause: how many seconds after `revoke` has
    returned all of them refuse; 0 where they did before.

    Raises:
        AssertionError: calls were refused before that, or one of the workers still lets them pass after 30 s.
    """
    refused: dict[int, float] = {}
    begun = threading.Barrier(len(asked) + 1)

    def ask(number: int, one: Asked) -> None:
        allowed = one.status(token) == httpx.codes.OK
        begun.wait(_WITHIN_S)
        until = time.monotonic() + _WITHIN_S
        while allowed and time.monotonic() < until:
            if one.status(token) != httpx.codes.OK:
                refused[number] = time.monotonic()
                return
            time.sleep(_PAUSE_S)

    threads = [threading.Thread(target=ask, args=item, daemon=True) for item in enumerate(asked)]
    for thread in threads:
        thread.start()
    begun.wait(_WITHIN_S)
    revoke()
    revoked = time.monotonic()
    for thread in threads:
        thread.join(2 * _WITHIN_S)
    assert len(refused) == len(asked), (
        f"{len(asked) - len(refused)} workers allow it still, or did not before"
    )
    return max(max(refused.values()) - revoked, 0.0)


def wait_allowed(asked: Sequence[Asked], token: str) -> None:
    """Wait until every worker lets calls pass."""
    wait_until(
        lambda: all(one.status(token) == httpx.codes.OK for one in asked), "calls pass again", every=0.02
    )
