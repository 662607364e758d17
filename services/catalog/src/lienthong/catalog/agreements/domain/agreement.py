"""An agreement as the catalog keeps it, with the decisions on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from lienthong.catalog.agreements.domain.effect import effective_status, period_notices
from lienthong.catalog.agreements.domain.lifecycle import AgreementStatus
from lienthong.catalog.domain import validity
from lienthong.catalog.domain.resources import Resource, ResourceKind, agency_of

if TYPE_CHECKING:
    from datetime import datetime

    from lienthong.catalog.errors import Violation
    from lienthong.kit.json_text import JsonObject


@dataclass(frozen=True, slots=True)
class AgreementDecision:
    """Who decided what on an agreement, when and on which legal ground."""

    status: AgreementStatus
    by: str
    at: datetime
    legal_ground: str
    reason: str

    def document(self) -> dict[str, str]:
        """Return the decision as JSON."""
        return {
            "status": self.status.value,
            "by": self.by,
            "at": validity.write(self.at),
            "legalGround": self.legal_ground,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementResource(Resource):
    """What lets one system use a service or event type. `decisions` are in the order they were made."""

    kind: Literal[ResourceKind.AGREEMENT] = ResourceKind.AGREEMENT
    decisions: tuple[AgreementDecision, ...] = ()

    @property
    def target(self) -> str:
        """The id of the service or event type that the agreement is about."""
        return str(self.spec.get("service") or self.spec.get("eventType"))

    @property
    def provider_agency(self) -> str:
        """The code of the agency whose data the agreement is about."""
        return agency_of(self.target)

    def declared_spec(self) -> JsonObject:
        """Return the spec as a manifest would declare it: `status` is requested unless it is approved."""
        approved = self.status == AgreementStatus.APPROVED
        declared = AgreementStatus.APPROVED if approved else AgreementStatus.REQUESTED
        return {**self.spec, "status": declared.value}

    def manifest(self) -> dict[str, Any]:
        """Return the manifest as the catalog answers it, with the decisions."""
        decisions = [decision.document() for decision in self.decisions]
        return {**Resource.manifest(self), "decisions": decisions}

    def manifest_at(self, now: datetime) -> dict[str, Any]:
        """Return the manifest with what depends on the time of reading: `effectiveStatus`."""
        effective = effective_status(AgreementStatus(self.status), self.spec, now)
        return {**self.manifest(), "effectiveStatus": effective.value}

    def notices(self, now: datetime) -> list[Violation]:
        """Return what someone who requests or approves the agreement should know about its period."""
        return period_notices(AgreementStatus(self.status), self.spec, now)


def audit_detail(spec: JsonObject) -> dict[str, Any]:
    """Return what an audit record says about the terms of an agreement."""
    target = {"service": spec["service"]} if "service" in spec else {"event_type": spec["eventType"]}
    return {
        "consumer": spec["consumer"],
        **target,
        "purposes": spec["purposes"],
        "legal_ground": spec["legalGround"],
    }
