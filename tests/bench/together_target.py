"""What everything that a call may want costs together: TLS, a proof, limits, and an answer made shorter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.bench import peers
from tests.bench.agreed import FIELDS, NEVER_REACHED, agreed
from tests.bench.beside_plain import PreparedCalls, prepared_beside_plain
from tests.bench.call_targets import headers_of
from tests.bench.dpop_target import MOST_PER_S, Holder
from tests.bench.edge_target import running_edge
from tests.bench.sender import request
from tests.support.platform import SERVICE

if TYPE_CHECKING:
    from concurrent.futures import Executor
    from pathlib import Path

    from lienthong.client import Client
    from tests.bench.target import Target
    from tests.support.platform import Platform

_PURPOSE: Final = "together"
_PATH: Final = f"/api/{SERVICE}{peers.LARGE_PATH}"


def together(
    platform: Platform,
    client: Client,
    sender: Executor,
    home: Path,
    socket: Path,
    rounds: int,
    seconds: int,
) -> list[Target]:
    """Calls with all of it beside plain ones of the same answer; `socket` is the gateway's for the edge."""
    terms = {"limits": NEVER_REACHED, "fields": {"*": FIELDS}}
    agreed(platform, client, peers.LARGE_PATH, _PURPOSE, terms)
    with running_edge(home, socket) as (port, authority):
        return prepared_beside_plain(
            platform,
            sender,
            "edge, DPoP, limits and an answer of 20 KiB shortened, together",
            plain=PreparedCalls(
                platform.settings.port("gateway"),
                lambda number: [request("GET", _PATH, headers_of(client))] * number,
            ),
            other=PreparedCalls(port, Holder(platform, _PATH, _PURPOSE).calls, authority),
            most_per_s=MOST_PER_S,
            goal=0.65,
            rounds=rounds,
            seconds=seconds,
            note="Envoy, the sender, the provider and NATS on one core",
        )
