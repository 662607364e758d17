"""Three NATS servers as the Kubernetes manifests configure them, on this machine's loopback."""

from __future__ import annotations

import re
import subprocess
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.support.nats import nats_binary
from tests.support.ports import take_free_port
from tests.support.relay import Relay
from tests.support.syscalls import tracing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

_NOBODY: Final = 9
"""A port that nobody listens on (RFC 863's)."""
_DEPLOYED: Final = Path(__file__).parents[2] / "deploy/k8s/base/nats.conf"


class NatsCluster:
    """The servers, each with a store and a trace of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._relays: dict[tuple[int, int], Relay] = {}
        self._ports = [take_free_port() for _ in range(3)]
        self._routes = [take_free_port() for _ in range(3)]
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self.url = ",".join(f"nats://127.0.0.1:{port}" for port in self._ports)
        self._configure()

    @asynccontextmanager
    async def divisible(self) -> AsyncIterator[None]:
        """Servers that are started in the block reach each other by ways that can be cut."""
        pairs = [(one, other) for one in range(3) for other in range(3) if one != other]
        async with AsyncExitStack() as stack:
            for one, other in pairs:
                self._relays[one, other] = await stack.enter_async_context(Relay(self._routes[other]))
            self._configure()
            yield
            # They would try for ever.
            self.close()

    def cut_off(self, number: int) -> None:
        """Let a server and the two others hear nothing of each other."""
        for pair, relay in self._relays.items():
            if number in pair:
                relay.cut()

    def join(self) -> None:
        """End the division."""
        for relay in self._relays.values():
            relay.join()

    def number_of(self, url: str) -> int:
        """Which server clients know by an address."""
        return self._ports.index(int(url.rpartition(":")[2]))

    def store(self, number: int) -> Path:
        """Where a server keeps its streams."""
        return self._folder / f"store-{number}"

    def trace(self, number: int) -> Path:
        """What a server that is traced did."""
        return self._folder / f"trace-{number}"

    def start(self, *numbers: int, traced: bool = False) -> None:
        """Start servers; they need each other before they take anything."""
        for number in numbers:
            words = tracing(self.trace(number)) if traced else []
            with (self._folder / f"log-{number}").open("ab") as log:
                self._processes[number] = subprocess.Popen(
                    [*words, nats_binary(), "--config", str(self._configuration(number))],
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )

    def kill(self, *numbers: int) -> None:
        """kill -9 servers, all at once."""
        for number in numbers:
            self._processes[number].kill()
        for number in numbers:
            self._processes.pop(number).wait(10)

    def close(self) -> None:
        """End what runs."""
        self.kill(*self._processes)

    def _reach(self, number: int, other: int) -> int:
        """The port at which a server finds another one."""
        relay = self._relays.get((number, other))
        return relay.port if relay is not None else self._routes[other]

    def _configure(self) -> None:
        for number in range(3):
            self._configuration(number).write_text(self._configured(number), encoding="utf-8")

    def _configuration(self, number: int) -> Path:
        return self._folder / f"nats-{number}.conf"

    def _configured(self, number: int) -> str:
        """The manifest's own text, with other addresses and folders, and without users."""
        text = _DEPLOYED.read_text(encoding="utf-8")
        # Servers tell each other of addresses, and would find a way beside the relays.
        advertised = f'"\n  advertise: "127.0.0.1:{_NOBODY}' if self._relays else ""
        changes = {
            r"\$POD_NAME": f"nats-{number}",
            r"0\.0\.0\.0:4222": f"127.0.0.1:{self._ports[number]}",
            r'http: "0\.0\.0\.0:8222"\n': "",
            r"include .*\n": "",
            r"/var/lib/nats": str(self.store(number)),
            r"0\.0\.0\.0:6222": f"127.0.0.1:{self._routes[number]}{advertised}",
            **{rf"nats-{other}\.nats:6222": f"127.0.0.1:{self._reach(number, other)}" for other in range(3)},
        }
        for pattern, replacement in changes.items():
            text, found = re.subn(pattern, replacement.replace("\\", r"\\"), text)
            assert found, f"{_DEPLOYED.name} has no {pattern}"
        return text


@contextmanager
def nats_cluster(folder: Path) -> Iterator[NatsCluster]:
    """A cluster of which nothing runs yet; in the end nothing does."""
    cluster = NatsCluster(folder)
    try:
        yield cluster
    finally:
        cluster.close()
