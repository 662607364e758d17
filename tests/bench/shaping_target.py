"""What it costs to take an answer of 20 KiB apart and let only the agreed fields leave."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from tests.bench import peers
from tests.bench.beside_plain import Calls, beside_plain
from tests.bench.call_targets import headers_of
from tests.support.platform import CONSUMER, SERVICE, manifest

if TYPE_CHECKING:
    from lienthong.client import Client
    from tests.bench.target import Target
    from tests.support.platform import Platform

_PURPOSE: Final = "shaped"
_FIELDS: Final = ["total", "items[*].parcelId", "items[*].area", "items[*].owners[*].fullName"]
_WITHIN_S: Final = 15.0


def shaping(platform: Platform, client: Client, rounds: int, seconds: int) -> list[Target]:
    """Calls whose answer is shaped beside those of the same answer that passes as it is."""
    terms = {
        "consumer": CONSUMER,
        "service": SERVICE,
        "purposes": [_PURPOSE],
        "legalGround": "Luật Đất đai 2024",
        "fields": {"*": _FIELDS},
        "status": "approved",
    }
    with platform.operator() as operator:
        operator.apply([manifest("Agreement", "one-stop-shaped", terms)])
    until = time.monotonic() + _WITHIN_S
    while not (answer := client.call(SERVICE, "GET", peers.LARGE_PATH, purpose=_PURPOSE)).ok:
        if time.monotonic() > until:
            raise RuntimeError("the gateway did not learn of the agreement in time")
        time.sleep(0.1)
    whole, left = len(peers.LARGE_BODY.encode()), len(answer.content)
    url = f"{platform.gateway}/api/{SERVICE}{peers.LARGE_PATH}"
    return beside_plain(
        platform,
        "an answer of 20 KiB shortened to agreed fields",
        plain=Calls(url, lambda: headers_of(client)),
        other=Calls(url, lambda: headers_of(client) | {"LGSP-Purpose": _PURPOSE}),
        goal=0.8,
        rounds=rounds,
        seconds=seconds,
        note=f"{whole:,} bytes to {left:,}",
    )
