"""What limits of an agreement cost, while none of them is reached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.bench import peers
from tests.bench.agreed import NEVER_REACHED, agreed
from tests.bench.beside_plain import Calls, beside_plain
from tests.bench.call_targets import CALL, headers_of

if TYPE_CHECKING:
    from lienthong.client import Client
    from tests.bench.target import Target
    from tests.support.platform import Platform

_PURPOSE: Final = "limited"


def quotas(platform: Platform, client: Client, rounds: int, seconds: int) -> list[Target]:
    """Calls under an agreement with every kind of limit beside those under one without."""
    agreed(platform, client, peers.PATH, _PURPOSE, {"limits": NEVER_REACHED})
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
