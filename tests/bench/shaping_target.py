"""What it costs to take an answer of 20 KiB apart and let only the agreed fields leave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.bench import peers
from tests.bench.agreed import FIELDS, agreed
from tests.bench.beside_plain import Calls, beside_plain
from tests.bench.call_targets import headers_of
from tests.support.platform import SERVICE

if TYPE_CHECKING:
    from lienthong.client import Client
    from tests.bench.target import Target
    from tests.support.platform import Platform

_PURPOSE: Final = "shaped"


def shaping(platform: Platform, client: Client, rounds: int, seconds: int) -> list[Target]:
    """Calls whose answer is shaped beside those of the same answer that passes as it is."""
    answer = agreed(platform, client, peers.LARGE_PATH, _PURPOSE, {"fields": {"*": FIELDS}})
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
