"""An agreement as the catalog keeps it, with the decisions on it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from lienthong.catalog.agreements.domain.effect import effective_status, period_notices
from lienthong.catalog.agreements.domain.lifecycle import AgreementAction, AgreementStatus
from lienthong.catalog.domain import validity
from lienthong.catalog.domain.comparison import compare
from lienthong.catalog.domain.resources import Resource, ResourceKind, agency_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, timedelta

    from lienthong.catalog.agreements.domain.amendment import Amendment
    from lienthong.catalog.errors import Violation
    from lienthong.catalog.systems.domain.system import Suspender
    from lienthong.kit.json_text import JsonObject

_MOST_RECORDED: Final = 16_000
"""Characters of old and new values in one audit record, which holds 60,000 bytes."""


@dataclass(frozen=True, slots=True)
class AgreementStep:
    """What was done with an agreement: who, when, on which legal ground, and which terms became which.

    `status` is that afterwards. `amendment` is the number of the amendment that it was about, 0 where it was
    the agreement itself.
    """

    action: AgreementAction
    status: AgreementStatus
    by: str
    at: datetime
    legal_ground: str = ""
    reason: str = ""
    amendment: int = 0
    changes: tuple[JsonObject, ...] = ()
    version: int = 0
    """The version of the catalog at which it was done; 0 before it is written."""
    restored: bool = False
    """Whether an export says so, from which the agreement was restored, and not this catalog itself."""

    def document(self) -> dict[str, Any]:
        """Return a decision as JSON, as manifests show it."""
        document: dict[str, Any] = {
            "status": self.status.value,
            "by": self.by,
            "at": validity.write(self.at),
            "legalGround": self.legal_ground,
            "reason": self.reason,
        }
        return {**document, "restored": True} if self.restored else document

    def history_document(self) -> dict[str, Any]:
        """Return the step as JSON, as the history shows it."""
        return {
            "version": self.version,
            "action": self.action.value,
            **self.document(),
            "amendment": self.amendment or None,
            "changes": list(self.changes),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementResource(Resource):
    """What lets one system use a service or event type.

    `decisions` are in the order they were made. `asked_at` is since when the owner has been asked to decide;
    None where it is nobody's turn, or that of who asks. `amendment` is the one that is not decided yet.
    `told_at` is the moment of the last reminder that was told of the period and of the decision as they are.
    """

    kind: Literal[ResourceKind.AGREEMENT] = ResourceKind.AGREEMENT
    decisions: tuple[AgreementStep, ...] = ()
    asked_at: datetime | None = None
    amendment: Amendment | None = None
    told_at: datetime | None = None
    suspended_by: Suspender | None = None

    @property
    def target(self) -> str:
        """The id of the service or event type that the agreement is about."""
        return str(self.spec.get("service") or self.spec.get("eventType"))

    @property
    def target_key(self) -> tuple[ResourceKind, str]:
        """What identifies the service or event type that the agreement is about."""
        kind = ResourceKind.SERVICE if "service" in self.spec else ResourceKind.EVENT_TYPE
        return kind, self.target

    @property
    def consumer(self) -> str:
        """The id of the system that calls."""
        return str(self.spec["consumer"])

    @property
    def provider_agency(self) -> str:
        """The code of the agency whose data the agreement is about."""
        return agency_of(self.target)

    @property
    def first_approval(self) -> str | None:
        """Who has approved a request that is endorsed; None of any other."""
        if self.status != AgreementStatus.ENDORSED:
            return None
        return next(one.by for one in reversed(self.decisions) if one.action is AgreementAction.APPROVE)

    def declared_spec(self) -> JsonObject:
        """Return the spec as a manifest would declare it: `status` is requested unless it is approved."""
        approved = self.status == AgreementStatus.APPROVED
        declared = AgreementStatus.APPROVED if approved else AgreementStatus.REQUESTED
        return {**self.spec, "status": declared.value}

    def manifest(self) -> dict[str, Any]:
        """Return the manifest as the catalog answers it, with the decisions."""
        decisions = [decision.document() for decision in self.decisions]
        manifest = {**Resource.manifest(self), "decisions": decisions}
        return manifest if self.suspended_by is None else {**manifest, "suspendedBy": self.suspended_by.value}

    def due_at(self, decide_within: timedelta) -> datetime | None:
        """Return until when the owner should decide; None where the owner is not asked."""
        return None if self.asked_at is None else self.asked_at + decide_within

    def manifest_at(self, now: datetime, decide_within: timedelta) -> dict[str, Any]:
        """Return the manifest with what depends on the time of reading: `effectiveStatus`, `dueAt`."""
        effective = effective_status(AgreementStatus(self.status), self.spec, now)
        manifest = {**self.manifest(), "effectiveStatus": effective.value}
        if (due := self.due_at(decide_within)) is not None:
            manifest |= {"dueAt": validity.write(due), "overdue": due <= now}
        if self.amendment is not None:
            manifest["amendment"] = self.amendment.document(self.spec, now, decide_within)
        return manifest

    def notices(self, now: datetime) -> list[Violation]:
        """Return what someone who requests or approves the agreement should know about its period."""
        return period_notices(AgreementStatus(self.status), self.spec, now)


def changed_terms(before: JsonObject, after: JsonObject) -> tuple[JsonObject, ...]:
    """Return the terms that became others, each with `path`, `old` and `new`."""
    return tuple(member.document() for member in compare(before, after))


def audit_detail(spec: JsonObject) -> dict[str, Any]:
    """Return what an audit record says about the terms of an agreement."""
    target = {"service": spec["service"]} if "service" in spec else {"event_type": spec["eventType"]}
    return {
        "consumer": spec["consumer"],
        **target,
        "purposes": spec["purposes"],
        "legal_ground": spec["legalGround"],
    }


def recorded_changes(changes: Iterable[JsonObject]) -> list[JsonObject]:
    """Return changed terms for an audit record: values that make it too long are left out, and it says so.

    The history has them whole.
    """
    found: list[JsonObject] = []
    room = _MOST_RECORDED
    for change in changes:
        room -= len(json.dumps(change, ensure_ascii=False))
        found.append(change if room > 0 else {"path": change["path"], "left_out": True})
    return found
