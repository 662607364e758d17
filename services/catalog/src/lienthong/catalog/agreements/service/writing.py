"""Writing agreements: the row, the step, the change log, the event and the audit record commit together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lienthong.catalog.agreements.domain.agreement import (
    AgreementResource,
    AgreementStep,
    audit_detail,
    changed_terms,
    recorded_changes,
)
from lienthong.catalog.agreements.domain.lifecycle import AgreementAction, AgreementStatus
from lienthong.catalog.agreements.repository.agreements import AgreementRepository
from lienthong.catalog.service.unit_of_work import AuditEntry

if TYPE_CHECKING:
    from lienthong.catalog.domain.drafts import Draft
    from lienthong.catalog.service.unit_of_work import UnitOfWork
    from lienthong.kit.json_text import JsonObject


async def create(draft: Draft, work: UnitOfWork, *, is_draft: bool) -> AgreementResource:
    """Write a new agreement that is requested, or a draft of one."""
    assert draft.spec is not None  # noqa: S101 - a draft without violations has one
    version = work.next_version()
    status = AgreementStatus.DRAFT if is_draft else AgreementStatus.REQUESTED
    agreement = AgreementResource(
        id=draft.id,
        spec={name: value for name, value in draft.spec.items() if name != "status"},
        status=status.value,
        version=version,
        created_at=work.now,
        updated_at=work.now,
        asked_at=None if is_draft else work.now,
    )
    repository = AgreementRepository(work.session)
    await repository.create([agreement])
    changes = changed_terms({}, agreement.spec)
    step = AgreementStep(AgreementAction.REQUEST, status, work.actor.name, work.now, changes=changes)
    await repository.add_step(agreement.id, step, version)
    await work.record_changes({agreement.key: version})
    detail = {"version": version, "change": "created", **step_detail(step, agreement.spec)}
    await work.audit([AuditEntry("agreement.request", agreement.key, detail)])
    return agreement


async def write_step(
    agreement: AgreementResource, step: AgreementStep, work: UnitOfWork
) -> AgreementResource:
    """Write an agreement as it is after a step, and the step; returns it with its new version."""
    version = work.next_version()
    after = replace(agreement, version=version, updated_at=work.now)
    repository = AgreementRepository(work.session)
    await repository.update(after)
    await repository.add_step(after.id, step, version)
    await work.record_changes({after.key: version})
    detail = {"version": version, **step_detail(step, after.spec)}
    await work.audit([AuditEntry(f"agreement.{step.action}", after.key, detail)])
    return after


async def add_step(work: UnitOfWork, agreement_id: str, step: AgreementStep, version: int) -> None:
    """Add a step that applying a manifest took, at a version of the catalog."""
    await AgreementRepository(work.session).add_step(agreement_id, step, version)


def step_detail(step: AgreementStep, spec: JsonObject) -> dict[str, Any]:
    """Return what an audit record says about a step with an agreement of these terms."""
    detail: dict[str, Any] = audit_detail(spec)
    if step.status is AgreementStatus.ENDORSED:
        # Another approval is still to come.
        detail["status"] = step.status.value
    if step.legal_ground and step.action is not AgreementAction.REQUEST:
        detail["decision_ground"] = step.legal_ground
    if step.amendment:
        detail["amendment"] = step.amendment
    if step.changes:
        detail["changes"] = recorded_changes(step.changes)
    return detail
