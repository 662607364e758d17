"""A gateway's side of the catalog's stream, measured: `python -m tests.bench.follower FOLDER RPC …`.

It follows the catalog as a gateway does, decides `--calls` calls a second on the same event loop, and prints
one JSON object a line: when it could decide its first call, each table that came into force and when (seconds
of CLOCK_MONOTONIC, which all processes share), how long the loop stalled at most, how much of that the
process computed (the rest it waited for a core or for its own threads), and its memory.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import random
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lienthong.gateway.context import NO_CONTEXT
from lienthong.gateway.policy import Grant, decide
from lienthong.gateway.replica import routes_replica
from lienthong.kit.clock import SystemClock
from lienthong.kit.replica_copy import DiskCopy
from lienthong.kit.rpc import open_channel
from lienthong.kit.rpc_trust import RpcTrust
from tests.bench.province import parties

if TYPE_CHECKING:
    from lienthong.gateway.table import RoutingTable

TICK_S = 0.001
REPORT_EVERY_S = 0.5
BEGAN = time.monotonic()


def say(event: str, **values: Any) -> None:  # noqa: ANN401
    """Print one line for whoever measures."""
    print(json.dumps({"event": event, "at": time.monotonic(), **values}), flush=True)


def memory() -> dict[str, float]:
    """Present and largest resident memory of this process, MiB."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {name: int(status[key].split()[0]) / 1024 for name, key in (("rss", "VmRSS"), ("peak", "VmHWM"))}


def is_allowed(table: RoutingTable, number: int, services: int) -> bool:
    """Decide one call as the gateway does."""
    consumer, service = parties(number, services)
    route = table.service(service.encode())
    if route is None:
        return False
    decision = decide(
        table, route, "getThing1", consumer, "land-registration", NO_CONTEXT, datetime.now(UTC), bound=False
    )
    return isinstance(decision, Grant)


async def follow(options: argparse.Namespace) -> None:
    """Follow and measure until killed."""
    live: list[RoutingTable | None] = [None]

    def show(table: RoutingTable | None) -> None:
        live[0] = table
        if table is not None:
            say("table", version=table.state.version)

    channel = open_channel(options.rpc, RpcTrust.load(options.trust))
    copy = DiskCopy(Path(options.folder) / "routes.copy")
    replica = routes_replica(
        channel, copy, SystemClock(), node="bench", max_age=timedelta(days=7), on_change=show
    )
    replica.load()
    if live[0] is not None:
        allowed = is_allowed(live[0], options.agreements - 1, options.services)
        say("decided", after_s=time.monotonic() - BEGAN, allowed=allowed, **memory())
    # As the gateway does when its worker starts.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 100)
    Ticks(options, live).start()
    await replica.run()


class Ticks:
    """A timer of the loop that notes how late it is called, and decides calls."""

    def __init__(self, options: argparse.Namespace, live: list[RoutingTable | None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._options = options
        self._live = live
        self._chance = random.Random(1)  # noqa: S311
        self._reported = self._worst = self._busiest = 0.0

    def start(self) -> None:
        """Be called again after a millisecond."""
        self._due, self._used = time.monotonic() + TICK_S, time.thread_time()
        self._loop.call_later(TICK_S, self._tick)

    def _tick(self) -> None:
        now = time.monotonic()
        self._worst = max(self._worst, now - self._due)
        self._busiest = max(self._busiest, time.thread_time() - self._used)
        if (table := self._live[0]) is not None:
            for _ in range(round(TICK_S * self._options.calls)):
                is_allowed(table, self._chance.randrange(self._options.agreements), self._options.services)
        if now - self._reported > REPORT_EVERY_S:
            say("stall", worst_ms=self._worst * 1000, busiest_ms=self._busiest * 1000, **memory())
            self._reported, self._worst, self._busiest = now, 0.0, 0.0
        self.start()


def main() -> None:
    """Read the command line and follow."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("rpc")
    parser.add_argument("trust", type=Path)
    parser.add_argument("--services", type=int, required=True)
    parser.add_argument("--agreements", type=int, required=True)
    parser.add_argument("--calls", type=float, default=0)
    asyncio.run(follow(parser.parse_args()))


if __name__ == "__main__":
    main()
