"""Limits on how often something may happen: token buckets, one for all or one for each caller.

They count in this process only. The library `limits` keeps an entry for every key until that expires, however
many keys come; here the number of keys is bounded.
"""

from __future__ import annotations

import ipaddress
import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_KEYS: Final = 10_000
_LONGEST_WAIT_S: Final = 86_400
_IPV6_NETWORK: Final = 64
_UNITS: Final = {
    "requests": BilingualText("requests", "yêu cầu"),
    "events": BilingualText("events", "sự kiện"),
    "content-bytes": BilingualText("bytes", "byte"),
}


@dataclass(frozen=True, slots=True)
class RateLimit:
    """`per_second` on average, `burst` at once; `name` is what callers are told."""

    name: str
    per_second: float
    burst: float
    unit: Literal["requests", "events", "content-bytes"] = "requests"
    """What is counted; of these draft-ietf-httpapi-ratelimit-headers-10 §3.1 has the first and the last."""
    most_debt: float = math.inf
    """How much a caller can owe; more is forgiven."""


class TokenBucket:
    """Limits a rate: `per_second` on average, `burst` at once. `now` is a monotonic clock in seconds."""

    __slots__ = ("_burst", "_filled_at", "_least", "_now", "_per_second", "_tokens")

    def __init__(
        self, *, per_second: float, burst: float, now: Callable[[], float], most_debt: float = math.inf
    ) -> None:
        self._per_second = per_second
        self._burst = burst
        self._least = -most_debt
        self._now = now
        self._tokens = burst
        self._filled_at = now()

    def take(self) -> bool:
        """Take one token; False when there is none."""
        self._fill()
        if self._tokens < min(1, self._burst):
            return False
        self._tokens = max(self._least, self._tokens - 1)
        return True

    def wait(self, amount: float) -> float:
        """Take `amount` tokens and return 0; or take none and return in how many seconds there are enough.

        A full bucket gives more than it has, so that an amount over the burst is possible at all; what was
        given too much is missing afterwards.
        """
        wait = self.due(amount)
        if wait == 0:
            self.spend(amount)
        return wait

    def due(self, amount: float) -> float:
        """In how many seconds `amount` tokens can be taken; 0 if they can be now. Takes none."""
        self._fill()
        missing = min(amount, self._burst) - self._tokens
        if missing > 0:
            return missing / self._per_second if self._per_second > 0 else math.inf
        return 0

    def spend(self, amount: float) -> None:
        """Take `amount` tokens whether they are there or not."""
        self._fill()
        self._tokens = max(self._least, self._tokens - amount)

    def _fill(self) -> None:
        now = self._now()
        self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._per_second)
        self._filled_at = now


class TokenBuckets:
    """One bucket for each key, such as a client or an address.

    At most `most` of them are kept, whatever keys come: the one that was used least recently is forgotten
    first, which makes it a full one.
    """

    def __init__(self, limit: RateLimit, *, now: Callable[[], float], most: int = MOST_KEYS) -> None:
        self.limit = limit
        self._now = now
        self._most = most
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, key: str) -> bool:
        """Take one token of this key; False when there is none."""
        return self._bucket(key).take()

    def wait(self, key: str, amount: float = 1) -> float:
        """Take `amount` tokens of this key and return 0, or none and return when to come again.

        In seconds; infinite where the rate is 0.
        """
        return self._bucket(key).wait(amount)

    def due(self, key: str, amount: float = 1) -> float:
        """In how many seconds `amount` tokens of this key can be taken; 0 if they can be now. Takes none."""
        return self._bucket(key).due(amount)

    def spend(self, key: str, amount: float = 1) -> None:
        """Take `amount` tokens of this key whether they are there or not."""
        self._bucket(key).spend(amount)

    def _bucket(self, key: str) -> TokenBucket:
        bucket = self._buckets.get(key)
        if bucket is not None:
            self._buckets.move_to_end(key)
            return bucket
        while len(self._buckets) >= self._most:
            self._buckets.popitem(last=False)
        limit = self.limit
        bucket = TokenBucket(
            per_second=limit.per_second, burst=limit.burst, now=self._now, most_debt=limit.most_debt
        )
        self._buckets[key] = bucket
        return bucket


def network_of(address: str | None) -> str:
    """What stands for the owner of an address: an IPv4 address itself, of IPv6 the first 64 bits.

    Whoever has one IPv6 address usually has all 2^64 of its network (RFC 6177 §2).
    """
    if address is None or ":" not in address:
        return address or ""
    try:
        found = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return ""
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(found), _IPV6_NETWORK), strict=False))


def limit_headers(limit: RateLimit, wait: float) -> dict[str, str]:
    """The fields of a 429 (RFC 6585 §4, draft-ietf-httpapi-ratelimit-headers-10); `wait` in seconds."""
    seconds = _seconds(wait)
    window = _seconds(limit.burst / limit.per_second if limit.per_second > 0 else math.inf)
    unit = "" if limit.unit == "requests" else f';qu="{limit.unit}"'
    return {
        "Retry-After": str(seconds),
        "RateLimit-Policy": f'"{limit.name}";q={math.floor(limit.burst)}{unit};w={window}',
        "RateLimit": f'"{limit.name}";r=0;t={seconds}',
    }


def _seconds(time: float) -> int:
    """Whole seconds that somebody may be asked to wait."""
    return max(math.ceil(min(time, _LONGEST_WAIT_S)), 1)


def limit_detail(limit: RateLimit) -> BilingualText:
    """What the limit allows."""
    unit, burst, rate = _UNITS[limit.unit], _number(limit.burst), _number(limit.per_second)
    return BilingualText(
        f"The limit {limit.name} is {burst} {unit.en} at once and {rate} per second.",
        f"Giới hạn {limit.name} là {burst} {unit.vi} cùng lúc và {rate} mỗi giây.",
    )


def _number(value: float) -> str:
    """As people write it: `5`, `0.2`, `1048576`."""
    return f"{value:.0f}" if value == math.floor(value) else f"{value:g}"
