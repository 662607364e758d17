"""Counting calls: which records count, under what, and which counts make up a period."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Literal, get_args

import msgspec

from lienthong.ledger.domain.records import searchable_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TypeAlias


HOUR: Final = 1
DAY: Final = 24
LONGEST: Final = timedelta(days=92)
"""The longest period: a quarter of a year."""

Dimension = Literal[
    "consumer", "consumer_agency", "service", "provider", "operation", "purpose", "status", "error"
]
DIMENSIONS: Final[tuple[Dimension, ...]] = get_args(Dimension)
"""What calls are counted by; columns of the table `call_count`."""

_HOUR: Final = timedelta(hours=1)
_CALL, _SAMPLE = "call", "refused-sample"
_LARGEST_SAMPLE: Final = 2**31 - 1

Bucket: TypeAlias = tuple[int, datetime, "CallKind"]
"""So many hours from this moment on, and what calls in them are counted as."""


@dataclass(frozen=True, slots=True)
class CallKind:
    """What a call is counted as; "" where its record says nothing, `status` the first digit of its status, 0
    without one."""

    consumer: str
    consumer_agency: str
    service: str
    provider: str
    operation: str
    purpose: str
    status: int
    error: str

    @property
    def key(self) -> bytes:
        """A digest of it, of 32 bytes."""
        named = (self.consumer, self.service, self.operation, self.purpose, str(self.status), self.error)
        return sha256("\0".join(named).encode()).digest()


@dataclass(frozen=True, slots=True)
class CountedEntry:
    """What is read of an entry to count it: its search columns, and its record for the rest."""

    index: int
    kind: str | None
    consumer: str | None
    consumer_agency: str | None
    service: str | None
    provider: str | None
    operation: str | None
    status: int | None
    error: str | None
    at: datetime | None
    data: bytes


@dataclass(frozen=True, slots=True)
class Counts:
    """What a portion of the log adds: calls by bucket, and the first and last index of the entries of each
    hour."""

    calls: Counter[Bucket]
    hours: dict[datetime, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Period:
    """From the beginning of an hour to the beginning of another, `end` exclusive."""

    start: datetime
    end: datetime

    @classmethod
    def around(cls, since: datetime, until: datetime) -> Period:
        """The whole hours in which something between these moments may have been."""
        end = whole_hour(until)
        return cls(whole_hour(since), end if end == until else end + _HOUR)

    @property
    def spans(self) -> Sequence[tuple[int, datetime, datetime]]:
        """What makes it up, each as hours or days from a moment to another: whole days as days."""
        first_day, last_day = _day(self.start + timedelta(days=1) - timedelta.resolution), _day(self.end)
        if first_day >= last_day:
            return [(HOUR, self.start, self.end)]
        parts = [
            (HOUR, self.start, first_day),
            (DAY, first_day, last_day),
            (HOUR, last_day, self.end),
        ]
        return [part for part in parts if part[1] < part[2]]


@dataclass(frozen=True, slots=True)
class UsageQuery:
    """Which calls are counted, and by what they are grouped; `filters` are values of dimensions."""

    period: Period
    by: Sequence[Dimension]
    limit: int
    filters: Sequence[tuple[Dimension, str | int]] = ()
    agency: str | None = None
    """On either side."""
    within: frozenset[str] | None = None
    """The agencies whose calls the reader may see, on either side; None for those of all."""

    @property
    def agencies(self) -> frozenset[str] | None:
        """The agencies one of which a call has to be of; None where it may be of any."""
        return self.within if self.agency is None else frozenset([self.agency])


@dataclass(frozen=True, slots=True)
class UsageGroup:
    """Calls with the same values of what was asked for, in that order."""

    values: Sequence[str | int]
    calls: int
    refused: int
    """Answered with 4xx."""
    failed: int
    """Answered with 5xx."""


@dataclass(frozen=True, slots=True)
class Usage:
    """The largest groups, how many groups and calls there are in all, and how much of the log is counted."""

    groups: Sequence[UsageGroup]
    all_groups: int
    calls: int
    refused: int
    failed: int
    counted: int
    entries: int


class _Members(msgspec.Struct):
    purpose: object = None
    count: object = None


_decoder = msgspec.json.Decoder(_Members)


def whole_hour(moment: datetime) -> datetime:
    """The beginning of its hour."""
    return moment.replace(minute=0, second=0, microsecond=0)


def count(entries: Iterable[CountedEntry]) -> Counts:
    """Count the calls of entries: one for each record of a call, and as many as a record of a sample says."""
    calls: Counter[Bucket] = Counter()
    hours: dict[datetime, tuple[int, int]] = {}
    for entry in entries:
        if entry.at is None:
            continue
        hour = whole_hour(entry.at)
        first, last = hours.get(hour, (entry.index, entry.index))
        hours[hour] = min(first, entry.index), max(last, entry.index)
        if entry.kind not in {_CALL, _SAMPLE}:
            continue
        members = _decoder.decode(entry.data)
        number = 1 if entry.kind == _CALL else _number(members.count)
        kind = CallKind(
            consumer=entry.consumer or "",
            consumer_agency=entry.consumer_agency or "",
            service=entry.service or "",
            provider=entry.provider or "",
            operation=entry.operation or "",
            purpose=searchable_text(members.purpose) or "",
            status=_class(entry.status),
            error=entry.error or "",
        )
        calls[HOUR, hour, kind] += number
        calls[DAY, _day(hour), kind] += number
    return Counts(calls, hours)


def _day(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _number(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _LARGEST_SAMPLE:
        return value
    return 1


def _class(status: int | None) -> int:
    return status // 100 if status is not None and 100 <= status <= 599 else 0
