"""Agreements under which the bench calls the platform's service, each told apart by its purpose."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from tests.support.platform import CONSUMER, SERVICE, manifest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lienthong.client import Answer, Client
    from tests.support.platform import Platform

NEVER_REACHED: Final = dict.fromkeys(("perSecond", "perMinute", "perDay", "bytesPerDay"), 1_000_000_000) | {
    "concurrent": 100_000
}
"""Limits of all kinds."""
FIELDS: Final = ["total", "items[*].parcelId", "items[*].area", "items[*].owners[*].fullName"]
"""What leaves of the large answer."""
_WITHIN_S: Final = 15.0


def agreed(platform: Platform, client: Client, path: str, purpose: str, terms: Mapping[str, Any]) -> Answer:
    """Have an agreement for this purpose, with these terms, in force; gives the answer to a call under it."""
    common = {
        "consumer": CONSUMER,
        "service": SERVICE,
        "purposes": [purpose],
        "legalGround": "Luật Đất đai 2024",
        "status": "approved",
    }
    with platform.operator() as operator:
        operator.apply([manifest("Agreement", f"one-stop-{purpose}", {**common, **terms})])
    until = time.monotonic() + _WITHIN_S
    while not (answer := client.call(SERVICE, "GET", path, purpose=purpose)).ok:
        if time.monotonic() > until:
            raise RuntimeError("the gateway did not learn of the agreement in time")
        time.sleep(0.1)
    return answer
