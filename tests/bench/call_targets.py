"""What a call costs beside its throughput: added latency, a second worker, refusals, idle connections."""

from __future__ import annotations

import os
import socket
import statistics
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from tests.bench import peers
from tests.bench.answered import alone_on_its_core, ledger_size, wait_for_ledger
from tests.bench.load import measure
from tests.bench.machine import OTHER_CORE, family, pin, processor_s, resident_mib
from tests.bench.sender import request, send
from tests.bench.target import Target
from tests.support.platform import PURPOSE, SERVICE

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from lienthong.client import Client
    from tests.support.platform import Platform

CALL = f"/api/{SERVICE}{peers.PATH}"
RATE = 1000.0
CONNECTIONS = 32
IDLE = 5000
ENOUGH_CORES = 4
"""Two for the workers, two for what loads them and what they call."""


def headers_of(client: Client) -> dict[str, str]:
    """What a call has to carry."""
    return {"Authorization": f"Bearer {client.token().value}", "LGSP-Purpose": PURPOSE}


def added_latency(
    platform: Platform, client: Client, sender: Executor, upstream_port: int, rounds: int, seconds: int
) -> list[Target]:
    """Latency through the gateway less that of the direct call, both at a fixed rate."""
    number = round(RATE * seconds)
    found = []
    before = ledger_size(platform)
    with alone_on_its_core(platform):
        for turn in range(rounds):
            content = {
                "direct": (upstream_port, request("GET", peers.PATH, headers_of(client))),
                "gateway": (platform.settings.port("gateway"), request("GET", CALL, headers_of(client))),
            }
            one: dict[str, float] = {}
            for name in sorted(content, reverse=bool(turn % 2)):
                port, call = content[name]
                sent = sender.submit(
                    send, port, [call] * number, connections=CONNECTIONS, per_s=RATE, core=OTHER_CORE
                ).result()
                one |= {
                    f"{name}_p50_ms": sent.percentile(50),
                    f"{name}_p99_ms": sent.percentile(99),
                    f"{name}_sender_late_p99_ms": sent.late_p99_ms,
                }
            found.append(one)
    wait_for_ledger(platform, before + rounds * number)
    note = f"{RATE:,.0f} calls/s, each at its moment; from that moment on (no coordinated omission)"
    return [
        Target(
            f"latency added to the direct call, p{percent}",
            "ms",
            statistics.median(one[f"gateway_p{percent}_ms"] - one[f"direct_p{percent}_ms"] for one in found),
            "at most",
            goal,
            note,
            found if percent == 50 else [],
        )
        for percent, goal in ((50, 1.0), (99, 4.0))
    ]


def two_workers(
    one: Platform, two: Platform, clients: tuple[Client, Client], rounds: int, seconds: int
) -> list[Target]:
    """Two workers on two cores beside one on one.

    With four cores or more by throughput, the workers having cores of their own. With fewer, the load and
    the providers need the second core too: then by processor time of the gateway's processes for each call,
    all on the same two cores, which says what two workers would do on two cores of their own as long as they
    share nothing but the machine.
    """
    cores = os.cpu_count() or 1
    by_throughput = cores >= ENOUGH_CORES
    found = []
    sizes = [ledger_size(platform) for platform in (one, two)]
    answered = [0, 0]
    with ExitStack() as stack:
        processes = []
        for platform, workers in ((one, 1), (two, 2)):
            stack.enter_context(alone_on_its_core(platform))
            pid = platform.installation.supervisor.pid("gateway")
            pin(pid, *range(workers if by_throughput else cores))
            nats = platform.installation.supervisor.pid("nats")
            pin(nats, *(range(2, cores) if by_throughput else range(cores)))
            processes.append(family(pid))
        core = cores - 1 if by_throughput else None
        for turn in range(rounds):
            figures: dict[str, float] = {}
            for index in (0, 1) if turn % 2 else (1, 0):
                platform, client = (one, two)[index], clients[index]
                for lasting in (1, seconds):
                    used = processor_s(processes[index])
                    seen = measure(
                        f"{platform.gateway}{CALL}",
                        connections=CONNECTIONS * (index + 1),
                        seconds=lasting,
                        headers=headers_of(client),
                        core=core,
                    )
                    used = processor_s(processes[index]) - used
                    answered[index] += seen.requests
                figures[f"workers_{index + 1}_per_s"] = seen.requests_per_s
                figures[f"workers_{index + 1}_us_per_call"] = used / seen.requests * 1e6
            found.append(figures)
    for index, platform in enumerate((one, two)):
        wait_for_ledger(platform, sizes[index] + answered[index])
    throughput = statistics.median(one["workers_2_per_s"] / one["workers_1_per_s"] for one in found)
    if by_throughput:
        note, seen_ratio = "throughput, each worker on its own core", throughput
    else:
        seen_ratio = statistics.median(
            2 * one["workers_1_us_per_call"] / one["workers_2_us_per_call"] for one in found
        )
        note = (
            f"by the workers' processor time a call; as throughput not measurable with {cores} cores, "
            f"which the load, the provider and NATS share: {throughput:.2f} there"
        )
    return [Target("two workers", "× one", seen_ratio, "at least", 1.8, note, found)]


def refused_calls(platform: Platform, client: Client, rounds: int, seconds: int) -> list[Target]:
    """The gateway's processor time for a call without a token beside that for a served one."""
    found = []
    size, refused_before = ledger_size(platform), _refused(platform)
    answered = {"served": 0, "refused": 0}
    with alone_on_its_core(platform):
        processes = family(platform.installation.supervisor.pid("gateway"))
        for turn in range(rounds):
            figures = {}
            for name in sorted(answered, reverse=bool(turn % 2)):
                headers = headers_of(client) if name == "served" else {"LGSP-Purpose": PURPOSE}
                used = processor_s(processes)
                seen = measure(
                    f"{platform.gateway}{CALL}",
                    connections=CONNECTIONS,
                    seconds=seconds,
                    headers=headers,
                    core=OTHER_CORE,
                    refused=name == "refused",
                )
                figures[f"{name}_us"] = (processor_s(processes) - used) / seen.requests * 1e6
                answered[name] += seen.requests
            found.append(figures)
    wait_for_ledger(platform, size + answered["served"])
    deadline = time.monotonic() + 60
    while (counted := _refused(platform) - refused_before) < answered["refused"]:
        if time.monotonic() > deadline:
            raise SystemExit(f"{answered['refused']} calls were refused, the ledger has {counted} of them")
        time.sleep(1)
    ratio = statistics.median(one["refused_us"] / one["served_us"] for one in found)
    refused, served = (statistics.median(one[name] for one in found) for name in ("refused_us", "served_us"))
    note = f"processor time: {refused:.1f} µs beside {served:.1f} µs"
    return [
        Target("a call refused without a token, beside a served one", "×", ratio, "at most", 0.5, note, found)
    ]


def idle_connections(platform: Platform, client: Client, rounds: int) -> list[Target]:
    """The resident memory that connections cost which have had a call answered, and wait.

    Each round has a gateway that was just started: memory that was used once is used again.
    """
    supervisor = platform.installation.supervisor
    call = request("GET", CALL, headers_of(client))
    port = platform.settings.port("gateway")
    size, found = ledger_size(platform), []
    for _ in range(rounds):
        supervisor.stop("gateway")
        supervisor.start("gateway")
        _wait_for(port)
        send(port, [call] * 2000, connections=8)
        processes = family(supervisor.pid("gateway"))
        before = resident_mib(processes)
        with ExitStack() as stack:
            for _ in range(IDLE):
                connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
                connection.sendall(call)
                answer = connection.recv(65536)
                if not answer.startswith(b"HTTP/1.1 200 "):
                    raise SystemExit(f"not answered: {answer[:200]!r}")
            time.sleep(0.5)
            found.append({"before_mib": before, "with_mib": resident_mib(processes)})
    wait_for_ledger(platform, size + rounds * (IDLE + 2000))
    seen = statistics.median(one["with_mib"] - one["before_mib"] for one in found)
    note = f"{seen * 1024 / IDLE:.1f} KiB each; every one has had a call answered"
    return [Target(f"resident memory of {IDLE:,} idle connections", "MiB", seen, "at most", 25, note, found)]


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("the gateway did not start again")


def _refused(platform: Platform) -> int:
    """How many calls without a token the ledger has, one by one or counted."""
    with platform.auditor() as auditor:
        return sum(int(entry["record"].get("count", 1)) for entry in auditor.entries({"status": "401"}))
