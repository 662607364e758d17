"""What answers say of the limits of their agreement (draft-ietf-httpapi-ratelimit-headers-10, sections 3, 4).

RateLimit-Policy: "per-minute";q=600;w=60, "concurrent";q=10;qu="concurrent-requests"
RateLimit: "per-minute";r=584;t=60, "concurrent";r=9
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from lienthong.gateway.http1.fields import field_prefix

if TYPE_CHECKING:
    from lienthong.gateway.limits.terms import Limits
    from lienthong.gateway.limits.use import Use

_POLICY: Final = field_prefix(b"ratelimit-policy")
_USE: Final = field_prefix(b"ratelimit")


def policy_field(limits: Limits) -> bytes:
    """The limits that are set, each with its quota and its time."""
    found = []
    if limits.per_second:
        found.append(b'"per-second";q=%d;w=1' % limits.per_second)
    if limits.per_minute:
        found.append(b'"per-minute";q=%d;w=60' % limits.per_minute)
    if limits.per_day:
        found.append(b'"per-day";q=%d;w=86400' % limits.per_day)
    if limits.bytes_per_day:
        found.append(b'"bytes-per-day";q=%d;qu="content-bytes";w=86400' % limits.bytes_per_day)
    if limits.concurrent:
        found.append(b'"concurrent";q=%d;qu="concurrent-requests"' % limits.concurrent)
    return b", ".join(found)


def use_template(limits: Limits) -> bytes:
    """The field RateLimit with places for what `limit_fields` fills in: it is written for each answer."""
    found = []
    if limits.per_second:
        found.append(b'"per-second";r=%d;t=1')
    if limits.per_minute:
        found.append(b'"per-minute";r=%d;t=60')
    if limits.per_day:
        found.append(b'"per-day";r=%d;t=%d')
    if limits.bytes_per_day:
        found.append(b'"bytes-per-day";r=%d;t=%d')
    if limits.concurrent:
        found.append(b'"concurrent";r=%d')
    return b", ".join(found)


def limit_fields(use: Use, until_midnight: float) -> list[bytes]:
    """The fields of an answer, as written: what remains of each limit, and when all of it is there again."""
    if not use.policy:
        return []
    limits, places = use.limits, list[int]()
    if use.second is not None:
        places.append(max(limits.per_second - use.second.total, 0))
    if use.minute is not None:
        places.append(max(limits.per_minute - use.minute.total, 0))
    if limits.per_day or limits.bytes_per_day:
        rest = math.ceil(until_midnight)
        if limits.per_day:
            places.append(max(limits.per_day - use.all_day.calls, 0))
            places.append(rest)
        if limits.bytes_per_day:
            places.append(max(limits.bytes_per_day - use.all_day.size, 0))
            places.append(rest)
    if limits.concurrent:
        places.append(max(limits.concurrent - use.in_flight - use.in_flight_elsewhere, 0))
    return [_POLICY, use.policy, _USE, use.template % tuple(places)]
