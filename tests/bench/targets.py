"""What the platform is to reach beside throughput, measured in one run; each figure beside its target.

`make bench-targets`. A target that is missed is printed as missed; it fails nothing. Rounds are interleaved,
figures are medians of the rounds and ratios those of the same round. Where calls are measured, the ledger
must hold every one that was answered. It writes build/bench/targets.json.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from lienthong.client import Client
from lienthong.edge import SOCKET
from tests.bench import (
    call_targets,
    dpop_target,
    edge_target,
    event_targets,
    peers,
    quota_target,
    revocation_target,
    shaping_target,
    sign_in_target,
    slow_target,
    start_targets,
    stream_targets,
    together_target,
    token_targets,
)
from tests.bench.machine import OTHER_CORE, machine, machine_line
from tests.bench.target import Target
from tests.support.platform import Platform, running_platform
from tests.support.ports import take_free_port

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor


REPORT = Path("build/bench/targets.json")
NO_LIMITS = {
    # One client and one publisher stand for many here.
    "LIENTHONG_IDENTITY_TOKEN_REQUESTS_PER_S": "1000000",
    "LIENTHONG_IDENTITY_TOKEN_REQUESTS_BURST": "1000000",
    "LIENTHONG_IDENTITY_SIGN_IN_STARTS_PER_S": "1000000",
    "LIENTHONG_IDENTITY_SIGN_IN_STARTS_BURST": "1000000",
    "LIENTHONG_EXCHANGE_EVENTS_PER_S": "1000000",
    "LIENTHONG_EXCHANGE_EVENTS_BURST": "1000000",
    "LIENTHONG_EXCHANGE_EVENT_BYTES_PER_S": "1000000000",
    "LIENTHONG_EXCHANGE_EVENT_BYTES_BURST": "1000000000",
}


class Stand:
    """What is measured, each part started when it is first asked for and ended with the run."""

    def __init__(self, home: Path, stack: ExitStack) -> None:
        self.home = home
        self._stack = stack

    @cached_property
    def upstream_port(self) -> int:
        """The provider: nginx with one answer."""
        port = take_free_port()
        self._stack.enter_context(peers.upstream(self.home, port, OTHER_CORE))
        return port

    @cached_property
    def edge_socket(self) -> Path:
        """Where the gateway of `platform` listens for an edge."""
        # The path of a Unix socket is short: the folder of the run may be too long for it.
        folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="lt-"))
        return Path(folder) / "edge.sock"

    @cached_property
    def platform(self) -> Platform:
        """A platform whose gateway has one worker."""
        os.environ[SOCKET] = str(self.edge_socket)
        try:
            return self._platform(self._stack, "one", workers=1)
        finally:
            del os.environ[SOCKET]

    @cached_property
    def client(self) -> Client:
        """The consumer of `platform`."""
        return self._stack.enter_context(Client(self.platform.consumer))

    def sender(self) -> Executor:
        """A process that sends; it keeps the core that it is pinned to."""
        return self._stack.enter_context(ProcessPoolExecutor(1, mp_context=get_context("spawn")))

    def two_workers(self, rounds: int, seconds: int) -> list[Target]:
        """A platform whose gateway has two workers beside `platform`; it ends with this measurement."""
        with ExitStack() as stack:
            other = self._platform(stack, "two", workers=2)
            client = stack.enter_context(Client(other.consumer))
            return call_targets.two_workers(self.platform, other, (self.client, client), rounds, seconds)

    def streams(self, rounds: int, seconds: int) -> list[Target]:
        """A platform whose provider sends events; it ends with this measurement."""
        with ExitStack() as stack:
            port = take_free_port()
            stack.enter_context(stream_targets.events_provider(port))
            platform = self._platform(stack, "streams", workers=1, upstream_port=port)
            client = stack.enter_context(Client(platform.consumer))
            return stream_targets.event_latency(platform, client, self.sender(), port, rounds, seconds)

    def slow_callers(self, rounds: int, seconds: int) -> list[Target]:
        """A platform whose provider has a large answer; it ends with this measurement."""
        with ExitStack() as stack:
            port = take_free_port()
            stack.enter_context(slow_target.provider_of_large_answers(port))
            platform = self._platform(stack, "slow", workers=1, upstream_port=port)
            client = stack.enter_context(Client(platform.consumer))
            return slow_target.slow_callers(platform, client, self.sender(), rounds, seconds)

    def revocations(self, rounds: int) -> list[Target]:
        """A platform with two gateways of two workers each; it ends with this measurement."""
        with ExitStack() as stack:
            platform = self._platform(stack, "revocations", workers=2)
            return revocation_target.revoked(platform, self.home / "another", rounds)

    def _platform(
        self, stack: ExitStack, name: str, *, workers: int, upstream_port: int | None = None
    ) -> Platform:
        os.environ.update(NO_LIMITS, LIENTHONG_GATEWAY_WORKERS=str(workers))
        upstream = f"http://127.0.0.1:{upstream_port or self.upstream_port}"
        return stack.enter_context(running_platform(self.home / name, upstream))


def measures(stand: Stand, rounds: int, seconds: int) -> dict[str, Callable[[], list[Target]]]:
    """What can be measured, by the names of the command line. Starts come first, when nothing else runs."""
    return {
        "help": lambda: start_targets.help_of_the_command(3 * rounds),
        "run": lambda: start_targets.second_run(stand.home / "run"),
        "latency": lambda: call_targets.added_latency(
            stand.platform, stand.client, stand.sender(), stand.upstream_port, rounds, seconds
        ),
        "refused": lambda: call_targets.refused_calls(stand.platform, stand.client, rounds, seconds),
        "tokens": lambda: token_targets.tokens(stand.platform, stand.sender(), rounds, seconds),
        "sign-ins": lambda: sign_in_target.sign_ins(stand.platform, stand.sender(), rounds, seconds),
        "idle": lambda: call_targets.idle_connections(stand.platform, stand.client, min(rounds, 3)),
        "events": lambda: event_targets.events(
            stand.platform, stand.client, stand.sender(), stand.home / "nats", rounds, seconds
        ),
        "edge": lambda: edge_target.edge(
            stand.platform, stand.client, stand.home, stand.edge_socket, rounds, seconds
        ),
        "dpop": lambda: dpop_target.dpop(stand.platform, stand.client, stand.sender(), rounds, seconds),
        "quotas": lambda: quota_target.quotas(stand.platform, stand.client, rounds, seconds),
        "shaping": lambda: shaping_target.shaping(stand.platform, stand.client, rounds, seconds),
        "together": lambda: together_target.together(
            stand.platform,
            stand.client,
            stand.sender(),
            stand.home / "together",
            stand.edge_socket,
            rounds,
            seconds,
        ),
        "streams": lambda: stand.streams(rounds, seconds),
        "slow": lambda: stand.slow_callers(rounds, seconds),
        "workers": lambda: stand.two_workers(rounds, seconds),
        "revocations": lambda: stand.revocations(rounds),
    }


def main() -> None:
    """Measure, print and write the report."""
    with tempfile.TemporaryDirectory(prefix="lienthong-bench-") as folder, ExitStack() as stack:
        every = measures(Stand(Path(folder), stack), 0, 0)
        parser = argparse.ArgumentParser(
            description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        parser.add_argument("what", nargs="*", choices=[[], *every], help="one or more; all by default")
        parser.add_argument("--rounds", type=int, default=5)
        parser.add_argument("--seconds", type=int, default=2, help="of a load, in each round")
        options = parser.parse_args()
        if (os.cpu_count() or 1) < 2:
            sys.exit("the bench needs two cores: one for what is measured, one for the load")
        every = measures(Stand(Path(folder), stack), options.rounds, options.seconds)
        began, found = time.monotonic(), list[Target]()
        for name in options.what or every:
            print(f"{name} …", file=sys.stderr, flush=True)
            found += every[name]()
    report = {
        "machine": machine(),
        "load_average": os.getloadavg()[0],
        "rounds": options.rounds,
        "seconds": options.seconds,
        "took_s": round(time.monotonic() - began),
        "targets": [one.document() for one in found],
    }
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    _print(found)


def _print(found: list[Target]) -> None:
    console = Console()
    table = Table(title=machine_line())
    for heading in ("", "seen", "target", "", "how"):
        table.add_column(heading, justify="right" if heading == "seen" else "left")
    for one in found:
        table.add_row(
            one.name,
            f"{one.seen:.3g} {one.unit}",
            f"{one.bound} {one.goal:g} {one.unit}",
            "reached" if one.reached else "MISSED",
            one.note,
        )
    console.print(table)
    console.print(f"written to {REPORT}")


if __name__ == "__main__":
    main()
