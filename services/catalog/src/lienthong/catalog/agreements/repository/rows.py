"""Rows of the tables of agreements as the values that they hold, and the other way round."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lienthong.catalog.agreements.domain.agreement import AgreementStep
from lienthong.catalog.agreements.domain.amendment import Amendment
from lienthong.catalog.agreements.domain.lifecycle import AgreementAction, AgreementStatus

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from lienthong.catalog.agreements.models import AgreementStepRow, AmendmentRow

_ACTIONS_OF_BEFORE = {
    "approved": AgreementAction.APPROVE,
    "rejected": AgreementAction.REJECT,
    "revoked": AgreementAction.REVOKE,
    "lapsed": AgreementAction.LAPSE,
}


def read_amendment(row: AmendmentRow) -> Amendment:
    """Return the amendment that a row holds."""
    return Amendment(
        row.number,
        AgreementStatus(row.status),
        row.spec,
        row.reason,
        row.requested_by,
        row.requested_at,
        row.asked_at,
        row.first_approval,
    )


def amendment_values(amendment: Amendment, updated_at: datetime) -> dict[str, Any]:
    """Return the columns of an amendment but those that identify it."""
    return {
        "status": amendment.status.value,
        "spec": amendment.spec,
        "reason": amendment.reason,
        "requested_by": amendment.requested_by,
        "requested_at": amendment.requested_at,
        "asked_at": amendment.asked_at,
        "first_approval": amendment.first_approval,
        "updated_at": updated_at,
    }


def step_values(agreement_id: str, step: AgreementStep, version: int) -> dict[str, Any]:
    """Return the columns of a step that was done with an agreement at a version."""
    return {
        "version": version,
        "agreement_id": agreement_id,
        "action": step.action.value,
        "status": step.status.value,
        "by": step.by,
        "at": step.at,
        "legal_ground": step.legal_ground,
        "reason": step.reason,
        "amendment": step.amendment,
        "changes": list(step.changes),
    }


def marked(steps: Sequence[AgreementStep], restored_at: int) -> list[AgreementStep]:
    """Say of each step whether it is from before the agreement was restored, at a version; 0: never."""
    return [replace(step, restored=True) if step.version < restored_at else step for step in steps]


def read_step(row: AgreementStepRow) -> AgreementStep:
    """Return the step that a row holds."""
    action = AgreementAction(row.action) if row.action else _ACTIONS_OF_BEFORE[row.status]
    return AgreementStep(
        action,
        AgreementStatus(row.status),
        row.by,
        row.at,
        row.legal_ground,
        row.reason,
        row.amendment,
        tuple(row.changes),
        row.version,
    )
