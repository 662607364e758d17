"""What needs no token is limited for each address, and what is refused says when to come again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lienthong.kit.rates import RateLimit, TokenBuckets
from tests.unit.gateway.way import Way

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def way(tmp_path: Path) -> AsyncIterator[Way]:
    way = Way(tmp_path, None, 1000)
    await way.open()
    way.gateway._open = TokenBuckets(RateLimit("open", 0.1, 3), now=way.clock.monotonic)
    yield way
    await way.close()


def outcome(found: dict[str, Any]) -> tuple[int, bool]:
    """The status of the answer, and whether the platform's service was asked."""
    return found["answer"]["status"], bool(found["sent"])


async def test_of_one_address_no_more_is_forwarded_than_the_limit(way: Way) -> None:
    for path in ("/oauth2/token", "/catalog/v1/x", "/oauth2/token"):
        assert outcome(await way.call("POST", path)) == (200, True)
    refused = await way.call("POST", "/oauth2/token")
    assert outcome(refused) == (429, False)
    assert refused["answer"]["body"] == "problem rate-limited"
    assert {
        "retry-after: 10",
        'ratelimit-policy: "open";q=3;w=30',
        'ratelimit: "open";r=0;t=10',
    } <= set(refused["answer"]["headers"])
    assert outcome(await way.call("POST", "/oauth2/token", ip="10.0.0.8")) == (200, True)
    way.clock.advance(10)
    assert outcome(await way.call("POST", "/oauth2/token")) == (200, True)


async def test_calls_with_a_token_are_not_counted_among_them(way: Way) -> None:
    token = way.token()
    for _ in range(5):
        assert outcome(await way.call("GET", "/catalog/v1/x", token=token)) == (200, True)
        assert outcome(await way.call("GET", "/api/H11.05/land/parcels-v1/p/1", token=token)) == (200, True)
    assert outcome(await way.call("GET", "/catalog/v1/x")) == (200, True)
