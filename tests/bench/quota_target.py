"""What limits of an agreement cost, while none of them is reached."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from tests.bench.beside_plain import Calls, beside_plain
from tests.bench.call_targets import CALL, headers_of
from tests.support.platform import CONSUMER, SERVICE, manifest

if TYPE_CHECKING:
    from lienthong.client import Client
    from tests.bench.target import Target
    from tests.support.platform import Platform

_PURPOSE: Final = "limited"
_NEVER_REACHED: Final = 1_000_000_000
_WITHIN_S: Final = 15.0


def quotas(platform: Platform, client: Client, rounds: int, seconds: int) -> list[Target]:
    """Calls under an agreement with every kind of limit beside those under one without."""
    terms = {
        "consumer": CONSUMER,
        "service": SERVICE,
        "purposes": [_PURPOSE],
        "legalGround": "Luật Đất đai 2024",
        "limits": dict.fromkeys(("perSecond", "perMinute", "perDay", "bytesPerDay"), _NEVER_REACHED)
        | {"concurrent": 100_000},
        "status": "approved",
    }
    with platform.operator() as operator:
        operator.apply([manifest("Agreement", "one-stop-limited", terms)])
    until = time.monotonic() + _WITHIN_S
    while not client.call(SERVICE, "GET", "/parcels/1", purpose=_PURPOSE).ok:
        if time.monotonic() > until:
            raise RuntimeError("the gateway did not learn of the agreement in time")
        time.sleep(0.1)
    url = f"{platform.gateway}{CALL}"
    return beside_plain(
        platform,
        "with limits",
        plain=Calls(url, lambda: headers_of(client)),
        other=Calls(url, lambda: headers_of(client) | {"LGSP-Purpose": _PURPOSE}),
        goal=0.95,
        rounds=rounds,
        seconds=seconds,
        note="an agreement with all five kinds",
    )
