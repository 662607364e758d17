"""The build before, measured in one process: run by `tests.bench.catalog` with that build's sources first.

    read DATABASE FILE     the catalog reads everything and makes one message of it, kept in FILE
    follow FILE COPY       a gateway builds its table of the message, takes changes, and saves its copy
    restart COPY           a gateway starts from the copy, up to its first decision

Prints one JSON object. It imports what that build has; type checkers see the present one.
"""
# mypy: ignore-errors

from __future__ import annotations

import asyncio
import json
import sys
import time
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path

BEGAN = time.monotonic()
CHANGES = 5


def memory_mib() -> int:
    """Resident memory of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) // 1024


async def read(database: str) -> tuple[float, float, bytes]:
    """What the catalog does when a gateway begins to watch: seconds, CPU seconds, and its message."""
    from lienthong.catalog.bootstrap import MESSAGES, REPOSITORIES, SCHEMA
    from lienthong.catalog.rpc import Routes
    from lienthong.catalog.service.unit_of_work import UnitsOfWork
    from lienthong.catalog.service.versions import VersionMonitor
    from lienthong.catalog.service.watch import WatchService
    from lienthong.contracts.catalog.v1 import routes_pb2
    from lienthong.gateway.replica import WATCHED_KINDS
    from lienthong.kit.clock import SystemClock
    from lienthong.kit.database import Database

    opened = Database.open(database, schema=SCHEMA)
    versions = VersionMonitor(None)
    units = UnitsOfWork(opened, REPOSITORIES, None, None, versions, SystemClock())
    routes = Routes(WatchService(units), versions, MESSAGES)
    began, used = time.monotonic(), time.process_time()
    request = routes_pb2.WatchRequest(node="bench", kinds=WATCHED_KINDS)
    async with aclosing(routes.Watch(request, None)) as updates:
        update = await anext(updates)
    took = time.monotonic() - began
    computed = time.process_time() - used
    await opened.close()
    return took, computed, update.SerializeToString()


def follow(message: Path, copy: Path) -> dict[str, object]:
    """What a gateway does with it."""
    from lienthong.contracts.catalog.v1 import routes_pb2
    from lienthong.gateway.replica import fold_routes
    from lienthong.kit.replica_copy import DiskCopy

    update = routes_pb2.WatchResponse.FromString(message.read_bytes())
    began = time.monotonic()
    state = fold_routes(None, update)
    took, stalls, computed = time.monotonic() - began, [], []
    del update
    revoked = [one for one in state.snapshot().resources if one.HasField("agreement")][:CHANGES]
    for one in revoked:
        one.agreement.status = routes_pb2.AGREEMENT_STATUS_REVOKED
        delta = routes_pb2.Delta(from_version=state.version, to_version=state.version + 1, upserts=[one])
        began, used = time.monotonic(), time.thread_time()
        state = fold_routes(state, routes_pb2.WatchResponse(delta=delta))
        stalls.append((time.monotonic() - began) * 1000)
        computed.append((time.thread_time() - used) * 1000)
    used = memory_mib()
    content = routes_pb2.WatchResponse(snapshot=state.snapshot()).SerializeToString()
    DiskCopy(copy).save(content, datetime.now(UTC))
    return {
        "table_s": round(took, 1),
        "worst_stall_ms": round(max(stalls)),
        "of_it_computed_ms": round(max(computed)),
        "memory_mib": used,
        "written_for_a_change_mib": round(len(content) / 2**20, 3),
    }


async def restart(copy: Path) -> dict[str, object]:
    """What a gateway does when it starts while the catalog is away."""
    from lienthong.gateway.replica import routes_replica
    from lienthong.kit.clock import SystemClock
    from lienthong.kit.replica_copy import DiskCopy
    from lienthong.kit.rpc import open_channel

    replica = routes_replica(
        open_channel("127.0.0.1:1"),
        DiskCopy(copy),
        SystemClock(),
        node="bench",
        max_age=timedelta(days=7),
        on_change=lambda _state: None,
    )
    replica.load()
    assert replica.fresh() is not None
    return {"copy_to_first_decision_s": round(time.monotonic() - BEGAN, 2)}


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["read", database, message]:
            took, computed, content = asyncio.run(read(database))
            Path(message).write_bytes(content)
            found = {
                "snapshot_s": round(took, 1),
                "catalog_cpu_s": round(computed, 1),
                "message_mib": round(len(content) / 2**20),
            }
        case ["follow", message, copy]:
            found = follow(Path(message), Path(copy))
        case ["restart", copy]:
            found = asyncio.run(restart(Path(copy)))
        case _:
            raise SystemExit(__doc__)
    print(json.dumps(found))
