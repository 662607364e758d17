"""What a feature costs: calls a second with it beside the plain call, both in each round of one run."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, NamedTuple

from tests.bench.answered import alone_on_its_core, ledger_size, wait_for_ledger
from tests.bench.load import measure
from tests.bench.machine import OTHER_CORE, family, processor_s
from tests.bench.sender import send
from tests.bench.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Executor
    from pathlib import Path

    from tests.support.platform import Platform

CONNECTIONS = 32


class Calls(NamedTuple):
    """Calls that are made over and over; `headers` are asked for anew in each round, as tokens end."""

    url: str
    headers: Callable[[], Mapping[str, str]]


class PreparedCalls(NamedTuple):
    """Calls that differ, made before each round: `make` gives so many, as they are written to `port`.

    Where `authority` is given they are sent over TLS, to a server that it has certified.
    """

    port: int
    make: Callable[[int], list[bytes]]
    authority: Path | None = None


def beside_plain(
    platform: Platform,
    name: str,
    *,
    plain: Calls,
    other: Calls,
    goal: float,
    rounds: int,
    seconds: int,
    note: str = "",
) -> list[Target]:
    """The calls a second of `other` beside those of `plain`; the ledger must hold every one of both."""
    contenders = {"plain": plain, "other": other}
    found, answered = [], 0
    size = ledger_size(platform)
    with alone_on_its_core(platform):
        processes = family(platform.installation.supervisor.pid("gateway"))
        for turn in range(rounds):
            figures = {}
            for which in sorted(contenders, reverse=bool(turn % 2)):
                calls = contenders[which]
                for lasting in (1, seconds):
                    used = processor_s(processes)
                    seen = measure(
                        calls.url,
                        connections=CONNECTIONS,
                        seconds=lasting,
                        headers=dict(calls.headers()),
                        core=OTHER_CORE,
                    )
                    answered += seen.requests
                figures[f"{which}_per_s"] = seen.requests_per_s
                figures[f"{which}_us"] = (processor_s(processes) - used) / seen.requests * 1e6
            found.append(figures)
    wait_for_ledger(platform, size + answered)
    return [_target(name, found, goal, note)]


def prepared_beside_plain(
    platform: Platform,
    sender: Executor,
    name: str,
    *,
    plain: PreparedCalls,
    other: PreparedCalls,
    most_per_s: int,
    goal: float,
    rounds: int,
    seconds: int,
    note: str,
) -> list[Target]:
    """As `beside_plain`, sent from one thread; `most_per_s` is more than are to be expected."""
    contenders = {"plain": plain, "other": other}
    found, answered, size = [], 0, ledger_size(platform)
    with alone_on_its_core(platform):
        processes = family(platform.installation.supervisor.pid("gateway"))
        for turn in range(rounds):
            figures = {}
            for which in sorted(contenders, reverse=bool(turn % 2)):
                port, make, authority = contenders[which]
                calls = make(most_per_s * seconds)
                used = processor_s(processes)
                sent = sender.submit(
                    send,
                    port,
                    calls,
                    connections=CONNECTIONS,
                    seconds=seconds,
                    core=OTHER_CORE,
                    authority=authority,
                ).result()
                answered += sent.requests
                figures[f"{which}_per_s"] = sent.per_s
                figures[f"{which}_us"] = (processor_s(processes) - used) / sent.requests * 1e6
            found.append(figures)
    wait_for_ledger(platform, size + answered)
    return [_target(name, found, goal, note)]


def _target(name: str, found: list[dict[str, float]], goal: float, note: str) -> Target:
    ratio = statistics.median(one["other_per_s"] / one["plain_per_s"] for one in found)
    rates = [statistics.median(one[f"{which}_per_s"] for one in found) for which in ("other", "plain")]
    times = [statistics.median(one[f"{which}_us"] for one in found) for which in ("other", "plain")]
    told = f"{rates[0]:,.0f} calls/s beside {rates[1]:,.0f}; {times[0]:.1f} µs of the gateway's processor"
    told += f" time beside {times[1]:.1f}" + (f"; {note}" if note else "")
    return Target(f"{name}, beside the plain call", "×", ratio, "at least", goal, told, found)
