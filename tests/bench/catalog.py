"""`make bench-catalog`: from a change in the catalog to the gateways, this build beside the one before.

At 10,000 services and 1,000,000 agreements (options for less) on SQLite: how long the first snapshot takes,
how long after the catalog's answer a revocation is in force on a gateway (idle, and while the catalog answers
readers and the gateway decides calls), how long the gateway's loop stalls for it, what a gateway's worker
needs in memory, and how long it takes from the copy on disk to the first decision. The build before is
checked out in a temporary work tree, and measured in one process: its one message of everything would not
pass through gRPC at this size. Writes build/bench/catalog.json.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import queue
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lienthong.catalog.bootstrap import PACKAGE, SCHEMA
from lienthong.kit.database import migrate
from tests.bench.province import agreement_id, fill
from tests.integration.catalog.running import Identity, running_catalog
from tests.support.nats import NatsServer
from tests.support.ports import take_free_port
from tests.support.rpc import rpc_trust

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.catalog.running import Catalog

BEFORE = "03f7f7e"
ROOT = Path(__file__).resolve().parents[2]
RESULT = ROOT / "build" / "bench" / "catalog.json"
PATIENCE_S = 900.0
CALLS_UNDER_LOAD = 1000
"""Decided by the gateway each second, on the loop that takes the changes."""
READERS = 2

Event = dict[str, Any]


class Follower:
    """The process of `tests.bench.follower`."""

    def __init__(self, folder: Path, rpc: str, options: argparse.Namespace, calls: int = 0) -> None:
        self.seen: list[Event] = []
        self._lines: queue.Queue[Event | None] = queue.Queue()
        size = ["--services", str(options.services), "--agreements", str(options.agreements)]
        command = [sys.executable, "-m", "tests.bench.follower", str(folder), rpc]
        command += [str(rpc_trust().folder), *size, "--calls", str(calls)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        self.pid = self._process.pid
        threading.Thread(target=self._read, daemon=True).start()

    def wait(self, event: str, version: int = 0) -> Event:
        """The next event of a name, of at least this version."""
        while True:
            found = self._lines.get(timeout=PATIENCE_S)
            if found is None:
                raise RuntimeError("the follower ended")
            if found.get("event") == event and found.get("version", 0) >= version:
                return found

    def stop(self) -> None:
        """End it as an orchestrator does, so that its copy is written."""
        self._process.terminate()
        self._process.wait(60)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith('{"event"'):
                self.seen.append(json.loads(line))
                self._lines.put(self.seen[-1])
        self._lines.put(None)


@contextmanager
def load_on(catalog: Catalog) -> Iterator[None]:
    """Readers of the catalog, without a pause."""
    ended = threading.Event()

    def read() -> None:
        client = catalog.operator()
        while not ended.is_set():
            client.get("/agreements?limit=20").raise_for_status()

    threads = [threading.Thread(target=read) for _ in range(READERS)]
    for thread in threads:
        thread.start()
    yield
    ended.set()
    for thread in threads:
        thread.join()


def cpu_seconds(process: int) -> float:
    """What a process has computed so far, in all its threads."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def changes(catalog: Catalog, follower: Follower, numbers: range) -> dict[str, float]:
    """Revoke agreements one by one: how long after each answer that was in force on the gateway."""
    operator, lags = catalog.operator(), list[float]()
    since = len(follower.seen)
    for number in numbers:
        answer = operator.post(f"/agreements/{agreement_id(number)}/revoke", json={"reason": "bench"})
        answered = time.monotonic()
        answer.raise_for_status()
        in_force = follower.wait("table", answer.json()["metadata"]["version"])["at"]
        lags.append((in_force - answered) * 1000)
        time.sleep(0.02)
    follower.wait("stall")
    stalls = [event for event in follower.seen[since:] if event["event"] == "stall"]
    lags.sort()
    return {
        "in_force_p50_ms": round(statistics.median(lags), 1),
        "in_force_p99_ms": round(lags[int(len(lags) * 0.99)], 1),
        "worst_stall_ms": round(max(event["worst_ms"] for event in stalls), 1),
        "of_it_computed_ms": round(max(event["busiest_ms"] for event in stalls), 1),
    }


def measure_now(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """This build, as processes."""
    found: dict[str, Any] = {}
    with ExitStack() as stack:
        identity = stack.enter_context(Identity())
        nats = NatsServer(folder / "nats", take_free_port()).start()
        stack.callback(nats.kill)
        database = f"sqlite+aiosqlite:///{folder}/catalog.db"
        catalog = stack.enter_context(
            running_catalog(folder / "home", identity, database_url=database, nats_url=nats.url)
        )
        idle = cpu_seconds(catalog.process.pid)
        follower = Follower(folder / "gateway", catalog.rpc, options)
        began = time.monotonic()
        found["first_table_s"] = round(follower.wait("table")["at"] - began, 1)
        found["memory_mib"] = round(follower.wait("stall")["rss"])
        found["catalog_cpu_s"] = round(cpu_seconds(catalog.process.pid) - idle, 1)
        found["gateway_cpu_s"] = round(cpu_seconds(follower.pid), 1)
        found["memory_peak_mib"] = round(follower.seen[-1]["peak"])
        found["snapshot_worst_stall_ms"] = round(max(one.get("worst_ms", 0) for one in follower.seen), 1)
        found["snapshot_of_it_computed_ms"] = round(max(one.get("busiest_ms", 0) for one in follower.seen), 1)
        if options.first_table_only:
            follower.stop()
            return found
        time.sleep(5)
        found["idle"] = changes(catalog, follower, range(options.changes))
        follower.stop()
        follower = Follower(folder / "gateway", catalog.rpc, options)
        found["copy_to_first_decision_s"] = round(follower.wait("decided")["after_s"], 2)
        follower.stop()
        follower = Follower(folder / "gateway", catalog.rpc, options, CALLS_UNDER_LOAD)
        stack.callback(follower.stop)
        follower.wait("decided")
        follower.wait("stall")
        with load_on(catalog):
            found["under_load"] = changes(catalog, follower, range(options.changes, 2 * options.changes))
        found["copy_mib"] = round((folder / "gateway/routes.copy").stat().st_size / 2**20)
    return found


def measure_before(folder: Path) -> dict[str, Any]:
    """The build before, each step in a process of its own."""
    sources = folder / "before"
    git = ["git", "-C", str(ROOT), "worktree"]
    subprocess.run([*git, "add", "--detach", "--quiet", str(sources), BEFORE], check=True)
    try:
        parts = ("gateway", "libs/kit", "services/catalog")
        path = os.pathsep.join([*(str(sources / part / "src") for part in parts), str(ROOT)])

        def step(*arguments: str | Path) -> dict[str, Any]:
            command = [sys.executable, "-m", "tests.bench.catalog_before", *map(str, arguments)]
            environment = {**os.environ, "PYTHONPATH": path}
            done = subprocess.run(
                command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=True
            )
            found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
            return found

        database = f"sqlite+aiosqlite:///{folder}/catalog.db"
        message, copy = folder / "snapshot.message", folder / "before.copy"
        return step("read", database, message) | step("follow", message, copy) | step("restart", copy)
    finally:
        subprocess.run([*git, "remove", "--force", str(sources)], check=True)


def main() -> None:
    """Read the command line, measure, and write the result."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--services", type=int, default=10_000)
    parser.add_argument("--agreements", type=int, default=1_000_000)
    parser.add_argument("--changes", type=int, default=200, help="revocations measured, idle and under load")
    parser.add_argument("--folder", type=Path, help="where a gigabyte fits; a temporary one by default")
    parser.add_argument("--now-only", action="store_true", help="leave out the build before")
    parser.add_argument("--first-table-only", action="store_true", help="of this build, and nothing else")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="lienthong-bench-", dir=options.folder))
    try:
        database = folder / "catalog.db"
        asyncio.run(migrate(f"sqlite+aiosqlite:///{database}", SCHEMA, PACKAGE))
        fill(database, options.services, options.agreements)
        found: dict[str, Any] = {
            "services": options.services,
            "agreements": options.agreements,
            "load_average": os.getloadavg()[0],
        }
        if not (options.now_only or options.first_table_only):
            found["before"] = measure_before(folder)
        found["now"] = measure_now(folder, options)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
