"""What processes that follow the catalog are sent of an agreement: who it is about, and what it allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lienthong.catalog.agreements.domain.lifecycle import AgreementStatus
from lienthong.catalog.domain.resources import ResourceKind

if TYPE_CHECKING:
    from datetime import datetime

    from lienthong.catalog.domain.resources import ResourceKey

WATCHED_STATUSES = (AgreementStatus.APPROVED, AgreementStatus.REQUESTED, AgreementStatus.REVOKED)
"""Those that a consumer is told of; with any other there is no agreement."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What an approved agreement allows, and when."""

    purposes: tuple[str, ...]
    operations: tuple[str, ...] | None
    """None allows all."""
    valid_from: datetime | None
    valid_to: datetime | None


@dataclass(frozen=True, slots=True)
class WatchedAgreement:
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
