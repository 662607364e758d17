"""What processes that follow the catalog are sent of an agreement: who it is about, and what it allows."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from lienthong.catalog.agreements.domain.lifecycle import AgreementStatus
from lienthong.catalog.domain.resources import ResourceKind

if TYPE_CHECKING:
    from lienthong.catalog.domain.resources import ResourceKey

WATCHED_STATUSES = (
    AgreementStatus.APPROVED,
    AgreementStatus.REQUESTED,
    AgreementStatus.INFORMATION_NEEDED,
    AgreementStatus.ENDORSED,
    AgreementStatus.SUSPENDED,
    AgreementStatus.REVOKED,
)
"""Those that a consumer is told of; with any other there is no agreement."""


class Limits(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """How much may be used; 0 sets no limit."""

    per_second: int = 0
    per_minute: int = 0
    per_day: int = 0
    bytes_per_day: int = 0
    concurrent: int = 0


class OpenHours(msgspec.Struct, frozen=True, rename={"from_": "from"}, gc=False):
    """A part of some days, each time as it is written: `07:30`."""

    days: tuple[str, ...]
    from_: str
    to: str


class Hours(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """The times of the week at which calls may begin."""

    time_zone: str
    open: tuple[OpenHours, ...]


class Terms(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """What an approved agreement allows, and when; named as in its spec."""

    purposes: tuple[str, ...]
    operations: tuple[str, ...] | None = None
    """None allows all."""
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    requires: tuple[str, ...] = ()
    """What every call has to state besides what the service requires."""
    limits: Limits | None = None
    hours: Hours | None = None
    fields: dict[str, tuple[str, ...]] | None = None
    """What leaves of answers, by operation; None: everything."""


class WatchedAgreement(msgspec.Struct, frozen=True, gc=False):
    """One agreement. Without `terms`, where it is not approved, it allows nothing."""

    id: str
    consumer: str
    service: str | None
    event_type: str | None
    status: AgreementStatus
    terms: Terms | None

    @property
    def kind(self) -> ResourceKind:
        """Agreement."""
        return ResourceKind.AGREEMENT

    @property
    def key(self) -> ResourceKey:
        """What identifies the agreement."""
        return self.kind, self.id
