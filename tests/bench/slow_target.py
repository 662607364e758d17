"""What slow callers cost the others: thousands that send a head or a body, or read an answer, too slowly."""

from __future__ import annotations

import asyncio
import os
import resource
import socket
import statistics
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from typing import TYPE_CHECKING

from tests.bench.answered import alone_on_its_core, ledger_size, wait_for_ledger
from tests.bench.call_targets import CALL, headers_of
from tests.bench.machine import OTHER_CORE, family, resident_mib
from tests.bench.sender import request, send
from tests.bench.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor
    from multiprocessing.connection import Connection

    from lienthong.client import Client
    from tests.support.platform import Platform

OF_EACH_KIND = 1000
RATE = 200.0
"""Of the calls of others, per second."""
_CONNECTIONS = 16
_LARGE = "large"
_LARGE_BYTES = 3_000_000
_AT_ONCE = 50
"""So many connect, then there is a pause: the queue of a listener is not what is measured."""
_FILLING_S = 10
"""Until the large answers have filled every buffer: a gigabyte, which the provider sends from one thread."""
_ORDINARY = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
_LARGE_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % _LARGE_BYTES + b"x" * _LARGE_BYTES


@contextmanager
def provider_of_large_answers(port: int) -> Iterator[None]:
    """A provider whose `/…/large` is an answer of 3 MB."""
    process = get_context("spawn").Process(target=_provide, args=(port,), daemon=True)
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join()


def slow_callers(
    platform: Platform, client: Client, sender: Executor, rounds: int, seconds: int
) -> list[Target]:
    """The latency of calls at a fixed rate, without slow callers and beside them."""
    port = platform.settings.port("gateway")
    processes = family(platform.installation.supervisor.pid("gateway"))
    number = round(RATE * seconds)
    size, found = ledger_size(platform), []
    with alone_on_its_core(platform):
        for _ in range(rounds):
            call = request("GET", CALL, headers_of(client))

            def p99_ms(call: bytes = call) -> float:
                asked = sender.submit(
                    send, port, [call] * number, connections=_CONNECTIONS, per_s=RATE, core=OTHER_CORE
                )
                return asked.result().percentile(99)

            one = {"alone_p99_ms": p99_ms(), "before_mib": resident_mib(processes)}
            with _slow(port, _beginnings(client)) as still_open:
                one |= {"beside_p99_ms": p99_ms(), "with_mib": resident_mib(processes), "open": still_open()}
            found.append(one)
    wait_for_ledger(platform, size + 2 * rounds * number)
    median = {name: statistics.median(one[name] for one in found) for name in found[0]}
    note = (
        f"{OF_EACH_KIND:,} each that trickle a head, trickle a body, and hardly read an answer of 3 MB, "
        f"{median['open']:,.0f} open at the end; {median['alone_p99_ms']:.2f} ms without them; at "
        f"{RATE:g} calls/s; {median['with_mib'] - median['before_mib']:.0f} MiB of memory"
    )
    added = median["beside_p99_ms"] - median["alone_p99_ms"]
    name = f"latency that {3 * OF_EACH_KIND:,} slow callers add for others, p99"
    return [Target(name, "ms", added, "at most", 10.0, note, found)]


def _beginnings(client: Client) -> list[bytes]:
    """The request of each kind, of which the first two are never sent whole."""
    headers = headers_of(client)
    large = f"{CALL.rpartition('/')[0]}/{_LARGE}"
    return [
        request("GET", CALL, headers),
        request("POST", CALL.rpartition("/")[0], headers, b" " * 5000),
        request("GET", large, headers),
    ]


@contextmanager
def _slow(port: int, requests: list[bytes]) -> Iterator[Callable[[], int]]:
    """Slow callers; gives what tells how many of them still have their connection."""
    here, there = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=_be_slow, args=(port, requests, there), daemon=True)
    process.start()

    def still_open() -> int:
        here.send(None)
        return int(here.recv())

    try:
        here.recv()
        yield still_open
    finally:
        process.terminate()
        process.join()


def _on_the_other_core() -> None:
    """Run there, with as many open files as this process may have."""
    os.sched_setaffinity(0, {OTHER_CORE})
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _be_slow(port: int, requests: list[bytes], told: Connection) -> None:
    _on_the_other_core()
    asyncio.run(_all_of_them(port, requests, told))


async def _all_of_them(port: int, requests: list[bytes], told: Connection) -> None:
    head, body, large = requests
    whole_head = body.index(b"\r\n\r\n") + 4
    tasks = []
    for number in range(OF_EACH_KIND):
        for first, rest in ((b"", head), (body[:whole_head], body[whole_head:]), (large, b"")):
            tasks.append(asyncio.create_task(_one(port, first, rest)))
        if number % _AT_ONCE == 0:
            await asyncio.sleep(0.05)
    await asyncio.sleep(_FILLING_S)
    told.send(None)
    await asyncio.to_thread(told.recv)
    told.send(sum(not task.done() for task in tasks))
    await asyncio.gather(*tasks)


async def _one(port: int, first: bytes, rest: bytes) -> None:
    """Send `first`, then a byte of `rest` each second, or read ten bytes each second; ends with the
    connection."""
    connection = socket.socket()
    # Before connecting, so that little is on its way to who does not read.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.setblocking(False)
    loop = asyncio.get_running_loop()
    with connection, suppress(ConnectionError):
        await loop.sock_connect(connection, ("127.0.0.1", port))
        await loop.sock_sendall(connection, first)
        for byte in rest:
            await loop.sock_sendall(connection, bytes([byte]))
            await asyncio.sleep(1)
        read = await loop.sock_recv(connection, 10)
        while read:
            await asyncio.sleep(1)
            read = await loop.sock_recv(connection, 10)


def _provide(port: int) -> None:
    _on_the_other_core()
    asyncio.run(_serve(port))


async def _serve(port: int) -> None:
    server = await asyncio.start_server(_answer, "127.0.0.1", port, backlog=4096)
    async with server:
        await server.serve_forever()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            line = (await reader.readuntil(b"\r\n\r\n")).partition(b"\r\n")[0]
            writer.write(_LARGE_ANSWER if f"/{_LARGE} ".encode() in line else _ORDINARY)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()
