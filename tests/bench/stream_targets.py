"""How long an event of a stream of server-sent events takes from the provider to the caller."""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TYPE_CHECKING

from tests.bench.answered import alone_on_its_core, ledger_size, wait_for_ledger
from tests.bench.call_targets import CALL, headers_of
from tests.bench.machine import OTHER_CORE
from tests.bench.sender import request
from tests.bench.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor

    from lienthong.client import Client
    from tests.support.platform import Platform

STREAMS = 50
EVENTS_PER_S = 20.0
"""Of each stream."""
EVENTS = "events"
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_ORDINARY = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"


@contextmanager
def events_provider(port: int) -> Iterator[None]:
    """A provider whose `/…/events` is a stream that says in each event when it was sent."""
    process = get_context("spawn").Process(target=_provide, args=(port,), daemon=True)
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join()


def event_latency(
    platform: Platform, client: Client, sender: Executor, provider_port: int, rounds: int, seconds: int
) -> list[Target]:
    """The time from the sending of an event to its receipt by the caller, and that without a gateway."""
    before, found = ledger_size(platform), []
    with alone_on_its_core(platform):
        for turn in range(rounds):
            one: dict[str, float] = {}
            ports = {"direct": provider_port, "gateway": platform.settings.port("gateway")}
            for name in sorted(ports, reverse=bool(turn % 2)):
                path = f"{CALL.rpartition('/')[0]}/{EVENTS}" if name == "gateway" else f"/parcels/{EVENTS}"
                call = request("GET", path, headers_of(client))
                latencies = sender.submit(_listen, ports[name], call, seconds).result()
                one[f"{name}_p50_ms"] = statistics.median(latencies)
                one[f"{name}_p99_ms"] = statistics.quantiles(latencies, n=100)[98]
            found.append(one)
    # Each stream has a record of its beginning and one of its end.
    wait_for_ledger(platform, before + 2 * rounds * STREAMS)
    median = {name: statistics.median(one[name] for one in found) for name in found[0]}
    note = (
        f"{STREAMS} streams of {EVENTS_PER_S:g} events/s each; without a gateway "
        f"{median['direct_p50_ms']:.2f} ms, p99 {median['gateway_p99_ms']:.2f} ms"
    )
    return [
        Target(
            "an event of a stream, from provider to caller, median",
            "ms",
            median["gateway_p50_ms"],
            "at most",
            5.0,
            note,
            found,
        )
    ]


def _provide(port: int) -> None:
    os.sched_setaffinity(0, {OTHER_CORE})
    asyncio.run(_serve(port))


async def _serve(port: int) -> None:
    server = await asyncio.start_server(_answer, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            if f"/{EVENTS} ".encode() not in head.partition(b"\r\n")[0]:
                writer.write(_ORDINARY)
                continue
            writer.write(_HEAD)
            while not writer.is_closing():
                event = b"data: %d\n\n" % time.monotonic_ns()
                writer.write(b"%x\r\n%b\r\n" % (len(event), event))
                await asyncio.sleep(1 / EVENTS_PER_S)
            return
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


def _listen(port: int, call: bytes, seconds: int) -> list[float]:
    """Listen to all streams for so many seconds; the latencies of all events, in milliseconds."""
    os.sched_setaffinity(0, {OTHER_CORE})
    return asyncio.run(_listen_to_all(port, call, seconds))


async def _listen_to_all(port: int, call: bytes, seconds: int) -> list[float]:
    latencies: list[float] = []

    async def listen() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(call)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 "):
            raise SystemExit(f"not answered: {head!r}")
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            line = await reader.readline()
            if line.startswith(b"data: "):
                latencies.append((time.monotonic_ns() - int(line[6:])) / 1e6)
        writer.close()

    await asyncio.gather(*(listen() for _ in range(STREAMS)))
    return latencies
