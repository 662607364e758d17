"""The life of an agreement, as a pure state machine.

    requested ──approve──▶ approved ──revoke──▶ revoked
        └─────reject────▶ rejected

Rejected and revoked are ends: whoever wants to try again asks under a new id, so that every decision keeps
its own record. A refusal names its legal ground (NĐ 194/2025 Đ16), a revocation its reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from lienthong.catalog.mistakes import ValueRefusedError

if TYPE_CHECKING:
    from datetime import datetime


class Status(StrEnum):
    """Where an agreement stands."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    REVOKED = "revoked"

    @property
    def in_force(self) -> bool:
        """Whether the agreement may still let calls through, now or once it is decided."""
        return self in {Status.REQUESTED, Status.APPROVED}

    @property
    def word_vi(self) -> str:
        """The status as Vietnamese words."""
        return _WORDS_VI[self]


_WORDS_VI = {
    Status.REQUESTED: "đang chờ duyệt",
    Status.APPROVED: "đã duyệt",
    Status.REJECTED: "đã bị từ chối",
    Status.REVOKED: "đã bị thu hồi",
}


class Verdict(StrEnum):
    """What can be decided."""

    APPROVE = "approve"
    REJECT = "reject"
    REVOKE = "revoke"


_TRANSITIONS = {
    (Status.REQUESTED, Verdict.APPROVE): Status.APPROVED,
    (Status.REQUESTED, Verdict.REJECT): Status.REJECTED,
    (Status.APPROVED, Verdict.REVOKE): Status.REVOKED,
}


#: The status that a verdict leads to.
OUTCOMES = {verdict: after for (_, verdict), after in _TRANSITIONS.items()}


class DecisionConflictError(ValueRefusedError):
    """The agreement's status does not allow what was asked."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decided what, when and on which ground."""

    status: Status
    by: str
    at: datetime
    legal_ground: str
    reason: str


def decide(status: Status, verdict: Verdict) -> Status:
    """Return the status after a verdict.

    Raises:
        DecisionConflictError: the status does not allow the verdict.
    """
    after = _TRANSITIONS.get((status, verdict))
    if after is None:
        if not status.in_force:
            raise _end(status)
        needed = next(before for before, possible in _TRANSITIONS if possible is verdict)
        raise DecisionConflictError(
            f"the agreement is {status}; only one that is {needed} can be decided by '{verdict}'",
            f"thoả thuận {status.word_vi}; '{verdict}' chỉ áp dụng cho thoả thuận {needed.word_vi}",
        )
    return after


def reapply(status: Status, declared: Status, *, terms_changed: bool) -> Status | None:
    """Return the decision (if any) that an operator's manifest means for an agreement that exists.

    `declared` is the status in the manifest: requested or approved. None means: no decision, the status
    stays. A manifest that says `approved` over changed terms decides anew; one that says `requested` cannot
    change terms that were approved, since nobody would have decided on the new ones.

    Raises:
        DecisionConflictError: the agreement has ended, or its approved terms would change without a decision.
    """
    if not status.in_force:
        raise _end(status)
    if declared is Status.APPROVED and (status is Status.REQUESTED or terms_changed):
        return Status.APPROVED
    if status is Status.APPROVED and terms_changed:
        raise DecisionConflictError(
            "the agreement was approved with other terms; apply it with 'status: approved' to decide on "
            "the new "
            "terms, or ask under a new id",
            "thoả thuận đã được duyệt với nội dung khác; hãy áp dụng với 'status: approved' để quyết "
            "định nội dung "
            "mới, hoặc đề nghị bằng mã mới",
        )
    return None


def _end(status: Status) -> DecisionConflictError:
    return DecisionConflictError(
        f"the agreement was {status}, which is final; use a new id to ask again",
        f"thoả thuận {status.word_vi}, không thể mở lại; hãy dùng mã mới để đề nghị lại",
    )
