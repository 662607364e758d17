"""The life cycle of an agreement, as a pure state machine.

    requested ──approve──▶ approved ──revoke──▶ revoked
        ├─────reject────▶ rejected
        └──(in silence)─▶ lapsed

Rejected, revoked and lapsed are final: a new request needs a new id, so that every decision keeps its own
record. A rejection names its legal ground (NĐ 194/2025 Đ16), a revocation its reason. A request lapses when
nobody has decided on it in time: that is no rejection, which has a legal ground and someone to answer for it.
"""

from __future__ import annotations

from enum import StrEnum

from lienthong.catalog.errors import InvalidValueError


class AgreementStatus(StrEnum):
    """The status of an agreement, as it was decided."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    REVOKED = "revoked"
    LAPSED = "lapsed"

    @property
    def is_open(self) -> bool:
        """Whether the agreement allows calls, or may do so once it is decided on."""
        return self in {AgreementStatus.REQUESTED, AgreementStatus.APPROVED}

    @property
    def label_vi(self) -> str:
        """The status in Vietnamese."""
        return _LABELS_VI[self]


_LABELS_VI = {
    AgreementStatus.REQUESTED: "đang chờ duyệt",
    AgreementStatus.APPROVED: "đã duyệt",
    AgreementStatus.REJECTED: "đã bị từ chối",
    AgreementStatus.REVOKED: "đã bị thu hồi",
    AgreementStatus.LAPSED: "đã quá hạn chờ duyệt",
}


class DecisionAction(StrEnum):
    """What can be decided on an agreement."""

    APPROVE = "approve"
    REJECT = "reject"
    REVOKE = "revoke"


_TRANSITIONS = {
    (AgreementStatus.REQUESTED, DecisionAction.APPROVE): AgreementStatus.APPROVED,
    (AgreementStatus.REQUESTED, DecisionAction.REJECT): AgreementStatus.REJECTED,
    (AgreementStatus.APPROVED, DecisionAction.REVOKE): AgreementStatus.REVOKED,
}


OUTCOMES = {action: after for (_, action), after in _TRANSITIONS.items()}
"""The status that each action leads to."""


class DecisionConflictError(InvalidValueError):
    """The agreement's status does not allow what was asked."""


def decide(status: AgreementStatus, action: DecisionAction) -> AgreementStatus:
    """Return the status after an action.

    Raises:
        DecisionConflictError: the status does not allow the action.
    """
    after = _TRANSITIONS.get((status, action))
    if after is None:
        if not status.is_open:
            raise _final(status)
        needed = next(before for before, possible in _TRANSITIONS if possible is action)
        raise DecisionConflictError(
            f"the agreement is {status}; only one that is {needed} can be decided by '{action}'",
            f"thoả thuận {status.label_vi}; '{action}' chỉ áp dụng cho thoả thuận {needed.label_vi}",
        )
    return after


def reapply(
    status: AgreementStatus, declared: AgreementStatus, *, terms_changed: bool
) -> AgreementStatus | None:
    """Return the decision (if any) that an operator's manifest means for an agreement that exists.

    `declared` is the status in the manifest: requested or approved. None means: no decision, the status
    stays. A manifest that says `approved` with changed terms is a new decision; one that says `requested`
    cannot change terms that were approved, since nobody would have decided on the new ones.

    Raises:
        DecisionConflictError: the status is final, or approved terms would change without a decision.
    """
    if not status.is_open:
        raise _final(status)
    if declared is AgreementStatus.APPROVED and (status is AgreementStatus.REQUESTED or terms_changed):
        return AgreementStatus.APPROVED
    if status is AgreementStatus.APPROVED and terms_changed:
        raise DecisionConflictError(
            "the agreement was approved with other terms; apply it with 'status: approved' to decide on "
            "the new terms, or ask under a new id",
            "thoả thuận đã được duyệt với nội dung khác; hãy áp dụng với 'status: approved' để quyết "
            "định nội dung mới, hoặc đề nghị bằng mã mới",
        )
    return None


def _final(status: AgreementStatus) -> DecisionConflictError:
    return DecisionConflictError(
        f"the agreement is {status}, which is final; use a new id to ask again",
        f"thoả thuận {status.label_vi}, không thể mở lại; hãy dùng mã mới để đề nghị lại",
    )
