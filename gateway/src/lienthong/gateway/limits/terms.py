"""What limits there are: those that an agreement states, and those that its service does."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final


class Limit(Enum):
    """The kinds of limits; the value is the name that callers, records and figures have."""

    PER_SECOND = "per-second"
    PER_MINUTE = "per-minute"
    PER_DAY = "per-day"
    BYTES_PER_DAY = "bytes-per-day"
    CONCURRENT = "concurrent"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be used under one agreement; 0 sets no limit."""

    per_second: int = 0
    per_minute: int = 0
    per_day: int = 0
    bytes_per_day: int = 0
    """Of bodies, of requests and answers together."""
    concurrent: int = 0
    """Calls under way at a time."""


@dataclass(frozen=True, slots=True)
class ServiceLimits:
    """What a service says of the agreements on it."""

    default: Limits
    """For each agreement that does not set the limit itself."""
    maximum: Limits
    """For each agreement: one that states more has this."""


NOTHING_SAID: Final = Limits()

MEMBERS: Final = {
    Limit.PER_SECOND: "perSecond",
    Limit.PER_MINUTE: "perMinute",
    Limit.PER_DAY: "perDay",
    Limit.BYTES_PER_DAY: "bytesPerDay",
    Limit.CONCURRENT: "concurrent",
}
"""What each is called in manifests."""


def in_force(agreement: Limits | None, service: ServiceLimits | None) -> Limits | None:
    """The limits of the calls under an agreement; None: none at all."""
    if service is None:
        return agreement
    own = agreement or NOTHING_SAID
    default, most = service.default, service.maximum
    return Limits(
        _of(own.per_second, default.per_second, most.per_second),
        _of(own.per_minute, default.per_minute, most.per_minute),
        _of(own.per_day, default.per_day, most.per_day),
        _of(own.bytes_per_day, default.bytes_per_day, most.bytes_per_day),
        _of(own.concurrent, default.concurrent, most.concurrent),
    )


def value(limits: Limits, limit: Limit) -> int:
    """How much a limit allows; 0: it is not set."""
    match limit:
        case Limit.PER_SECOND:
            return limits.per_second
        case Limit.PER_MINUTE:
            return limits.per_minute
        case Limit.PER_DAY:
            return limits.per_day
        case Limit.BYTES_PER_DAY:
            return limits.bytes_per_day
        case Limit.CONCURRENT:
            return limits.concurrent


def _of(own: int, default: int, most: int) -> int:
    stated = own or default or most
    return min(stated, most) if most else stated
