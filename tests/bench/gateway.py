"""The gateway's full way of a call beside its peers, one core each, in one run.

`make bench`. The thing measured has core 0 to itself; wrk, the upstream and whatever stands beside (NATS, the
collector of Envoy's access log) share core 1. Rounds are interleaved, so that noise meets everyone alike;
the figures are medians over the rounds, the ratios medians of each round's ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from lienthong.client import Client
from tests.bench import peers
from tests.bench.answered import alone_on_its_core, ledger_size, wait_for_ledger
from tests.bench.before import earlier_build
from tests.bench.load import Load, measure
from tests.bench.machine import MEASURED_CORE, OTHER_CORE, machine, machine_line, pin
from tests.support.platform import PURPOSE, SERVICE, Platform, running_platform
from tests.support.ports import take_free_port

GATEWAY = "lienthong gateway (full way, durable journal)"
ENVOY = "envoy (JWT, RBAC, gRPC access log)"
NGINX = "nginx (plain proxy)"
FORWARDER = "FastAPI and httpx (bare forwarder)"
BEFORE = "lienthong gateway of the build before"
CALL = f"/api/{SERVICE}{peers.PATH}"
TARGETS = {ENVOY: 0.6, FORWARDER: 15.0}
REPORT = Path("build/bench/gateway.json")


@dataclass(frozen=True, slots=True)
class Contender:
    """One thing to measure: where it listens, and whose token it takes."""

    name: str
    url: str
    client: Client


def main() -> None:
    """Measure, print and write the report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--connections", type=int, nargs="+", default=[32, 64])
    parser.add_argument(
        "--before",
        type=Path,
        metavar="CHECKOUT",
        help="another checkout, in which make setup was done: its gateway is measured too",
    )
    options = parser.parse_args()
    if (os.cpu_count() or 1) < 2:
        sys.exit("the bench needs two cores: one for what is measured, one for the load")
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="lienthong-bench-") as folder, ExitStack() as stack:
        home = Path(folder)
        upstream_port = take_free_port()
        stack.enter_context(peers.upstream(home, upstream_port, OTHER_CORE))
        platform = stack.enter_context(
            running_platform(home / "platform", f"http://127.0.0.1:{upstream_port}")
        )
        client = stack.enter_context(Client(platform.consumer))
        contenders = [
            Contender(GATEWAY, f"{platform.gateway}{CALL}", client),
            *_peers(stack, home, platform, client, upstream_port),
        ]
        if options.before is not None:
            before = stack.enter_context(
                earlier_build(options.before, home / "before", f"http://127.0.0.1:{upstream_port}")
            )
            for name, pid in before.pids.items():
                pin(pid, MEASURED_CORE if name == "gateway" else OTHER_CORE)
            contenders.append(Contender(BEFORE, f"{before.gateway}{CALL}", before.consumer))
        recorded_before = ledger_size(platform)
        answered = 0
        with alone_on_its_core(platform):
            for connections in options.connections:
                rounds = _rounds(contenders, connections, options.rounds, options.seconds)
                answered += sum(one[GATEWAY].requests for one in rounds)
                results[str(connections)] = _summary(rounds)
        recorded = wait_for_ledger(platform, recorded_before + answered) - recorded_before
    report = {"machine": machine(), "answered": answered, "recorded": recorded, "connections": results}
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=2) + "\n")
    _print(report)


def _peers(
    stack: ExitStack, home: Path, platform: Platform, client: Client, upstream_port: int
) -> list[Contender]:
    jwks = httpx.get(f"{platform.gateway}/oauth2/jwks").raise_for_status().text
    token = peers.TokenFacts(
        platform.settings.issuer, platform.settings.token_audience, platform.consumer.client_id
    )
    ports = {name: take_free_port() for name in (ENVOY, NGINX, FORWARDER)}
    stack.enter_context(peers.envoy(home, ports[ENVOY], MEASURED_CORE, upstream_port, jwks, token))
    stack.enter_context(peers.nginx_proxy(home, ports[NGINX], MEASURED_CORE, upstream_port))
    stack.enter_context(peers.forwarder(ports[FORWARDER], MEASURED_CORE, upstream_port))
    return [Contender(name, f"http://127.0.0.1:{port}{peers.PATH}", client) for name, port in ports.items()]


def _rounds(
    contenders: list[Contender], connections: int, rounds: int, seconds: int
) -> list[dict[str, Load]]:
    measured = []
    for number in range(rounds):
        # Each round begins with another contender, so that none always follows the same one.
        turn = number % len(contenders)
        loads = {}
        for contender in contenders[turn:] + contenders[:turn]:
            headers = {"Authorization": f"Bearer {contender.client.token().value}", "LGSP-Purpose": PURPOSE}
            measure(contender.url, connections=connections, seconds=1, headers=headers, core=OTHER_CORE)
            loads[contender.name] = measure(
                contender.url, connections=connections, seconds=seconds, headers=headers, core=OTHER_CORE
            )
        measured.append(loads)
    return measured


def _summary(rounds: list[dict[str, Load]]) -> dict[str, Any]:
    names = list(rounds[0])
    median = {
        name: {
            key: statistics.median(asdict(one[name])[key] for one in rounds)
            for key in ("requests_per_s", "p50_ms", "p99_ms")
        }
        for name in sorted(names)
    }
    ratios = {
        name: statistics.median(one[GATEWAY].requests_per_s / one[name].requests_per_s for one in rounds)
        for name in sorted(names)
        if name != GATEWAY
    }
    every = [{name: asdict(load) for name, load in one.items()} for one in rounds]
    return {"median": median, "gateway_to_peer": ratios, "rounds": every}


def _print(report: dict[str, Any]) -> None:
    console = Console()
    console.print(machine_line())
    for connections, summary in report["connections"].items():
        table = Table(title=f"{connections} connections, one core each, median of the rounds")
        for heading in ("", "requests/s", "p50 ms", "p99 ms", "gateway is"):
            table.add_column(heading, justify="left" if not heading else "right")
        for name, figures in summary["median"].items():
            ratio = summary["gateway_to_peer"].get(name)
            table.add_row(
                name,
                f"{figures['requests_per_s']:,.0f}",
                f"{figures['p50_ms']:.2f}",
                f"{figures['p99_ms']:.2f}",
                f"{ratio:.2f} ×" if ratio else "",
            )
        console.print(table)
    console.print(
        f"{report['answered']:,} calls answered, {report['recorded']:,} entries in the ledger since"
    )
    for peer, target in TARGETS.items():
        ratio = report["connections"][next(iter(report["connections"]))]["gateway_to_peer"][peer]
        verdict = "reached" if ratio >= target else "MISSED"
        console.print(f"target {target} of {peer}: {ratio:.2f}, {verdict}")
    console.print(f"written to {REPORT}")


if __name__ == "__main__":
    main()
