"""The life cycle of an agreement, as a pure state machine.

    draft ──submit──▶ requested ──approve──▶ approved ◀──resume── suspended
                       │    ▲ │                  └──────suspend──────▶
                  ask  │    │ └─approve─▶ endorsed ──approve (another person)──▶ approved
                       ▼    │ answer
               information-needed

Where data are personal, two people approve: the first makes the request endorsed, another one approves it.
Whatever waits can be rejected by the owner, be withdrawn by who asks, or lapse; an endorsed request can be
asked about too, and then needs both people again. Approved and suspended agreements can be revoked by the
owner and withdrawn by the consumer.

Rejected, revoked, lapsed and withdrawn are final: a new request needs a new id, so that every decision keeps
its own record. A rejection names its legal ground (NĐ 194/2025 Đ16), a revocation and a suspension their
reason. A request lapses when nobody has decided on it in time: that is no rejection, which has a legal ground
and someone to answer for it.

What an export of another catalog says was decided is no step that anybody takes here: the operator restores
it as a whole, in whatever status, and that it was restored is a step of its own.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from lienthong.catalog.errors import InvalidValueError


class AgreementStatus(StrEnum):
    """The status of an agreement, as it was decided."""

    DRAFT = "draft"
    REQUESTED = "requested"
    INFORMATION_NEEDED = "information-needed"
    ENDORSED = "endorsed"
    APPROVED = "approved"
    SUSPENDED = "suspended"
    REJECTED = "rejected"
    REVOKED = "revoked"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"

    @property
    def is_final(self) -> bool:
        """Whether nothing can be decided on it any more."""
        return self in _FINAL

    @property
    def is_waiting(self) -> bool:
        """Whether it still waits to be submitted, answered or decided; it lapses when that takes too long."""
        return self in WAITING

    @property
    def is_open(self) -> bool:
        """Whether the owner has been asked for it and it allows calls, or may do so once it is decided on."""
        return not self.is_final and self is not AgreementStatus.DRAFT

    @property
    def label_vi(self) -> str:
        """The status in Vietnamese."""
        return _LABELS_VI[self]


WAITING: Final = (
    AgreementStatus.DRAFT,
    AgreementStatus.REQUESTED,
    AgreementStatus.INFORMATION_NEEDED,
    AgreementStatus.ENDORSED,
)
_FINAL: Final = frozenset(
    (
        AgreementStatus.REJECTED,
        AgreementStatus.REVOKED,
        AgreementStatus.LAPSED,
        AgreementStatus.WITHDRAWN,
    )
)
_LABELS_VI: Final = {
    AgreementStatus.DRAFT: "đang soạn",
    AgreementStatus.REQUESTED: "đang chờ duyệt",
    AgreementStatus.INFORMATION_NEEDED: "đang chờ bổ sung thông tin",
    AgreementStatus.ENDORSED: "đã duyệt lần một",
    AgreementStatus.APPROVED: "đã duyệt",
    AgreementStatus.SUSPENDED: "đang tạm ngừng",
    AgreementStatus.REJECTED: "đã bị từ chối",
    AgreementStatus.REVOKED: "đã bị thu hồi",
    AgreementStatus.LAPSED: "đã quá hạn chờ duyệt",
    AgreementStatus.WITHDRAWN: "đã được rút lại",
}


class AgreementAction(StrEnum):
    """What can be done with an agreement: by who asks for it, by the owner of the data, or in silence."""

    REQUEST = "request"
    CHANGE = "change"
    SUBMIT = "submit"
    ANSWER = "answer"
    WITHDRAW = "withdraw"
    ASK = "ask"
    APPROVE = "approve"
    REJECT = "reject"
    SUSPEND = "suspend"
    RESUME = "resume"
    REVOKE = "revoke"
    LAPSE = "lapse"
    RESTORE = "restore"
    """Brought back by the operator, with all steps before it, from the export of a catalog."""

    @property
    def is_consumers(self) -> bool:
        """Whether it is done by the side that asks."""
        return self in _CONSUMERS

    @property
    def is_decision(self) -> bool:
        """Whether it is shown among the decisions on an agreement."""
        return self not in _NO_DECISIONS


_CONSUMERS: Final = frozenset(
    (
        AgreementAction.REQUEST,
        AgreementAction.CHANGE,
        AgreementAction.SUBMIT,
        AgreementAction.ANSWER,
        AgreementAction.WITHDRAW,
    )
)
_NO_DECISIONS: Final = _CONSUMERS - {AgreementAction.WITHDRAW}
STEPS: Final = (
    AgreementAction.SUBMIT,
    AgreementAction.ANSWER,
    AgreementAction.WITHDRAW,
    AgreementAction.ASK,
    AgreementAction.APPROVE,
    AgreementAction.REJECT,
    AgreementAction.SUSPEND,
    AgreementAction.RESUME,
    AgreementAction.REVOKE,
)
"""What somebody may ask for by name, once there is an agreement."""

_S, _A = AgreementStatus, AgreementAction
_TRANSITIONS: Final = {
    (_S.DRAFT, _A.SUBMIT): _S.REQUESTED,
    (_S.REQUESTED, _A.APPROVE): _S.APPROVED,
    (_S.ENDORSED, _A.APPROVE): _S.APPROVED,
    (_S.REQUESTED, _A.ASK): _S.INFORMATION_NEEDED,
    (_S.ENDORSED, _A.ASK): _S.INFORMATION_NEEDED,
    (_S.INFORMATION_NEEDED, _A.ANSWER): _S.REQUESTED,
    (_S.REQUESTED, _A.REJECT): _S.REJECTED,
    (_S.ENDORSED, _A.REJECT): _S.REJECTED,
    (_S.INFORMATION_NEEDED, _A.REJECT): _S.REJECTED,
    (_S.APPROVED, _A.SUSPEND): _S.SUSPENDED,
    (_S.SUSPENDED, _A.RESUME): _S.APPROVED,
    (_S.APPROVED, _A.REVOKE): _S.REVOKED,
    (_S.SUSPENDED, _A.REVOKE): _S.REVOKED,
    **{(status, _A.WITHDRAW): _S.WITHDRAWN for status in (*WAITING, _S.APPROVED, _S.SUSPENDED)},
    **{(status, _A.LAPSE): _S.LAPSED for status in WAITING},
}


class DecisionConflictError(InvalidValueError):
    """The agreement's status does not allow what was asked."""


class WidenedError(DecisionConflictError):
    """An approved agreement would allow more, by what one side alone does."""

    def __init__(self) -> None:
        super().__init__(
            "the agreement would allow more than its owner has approved; ask for an amendment, on which the "
            "owner decides: lienthong agreement amend",
            "thoả thuận sẽ cho phép nhiều hơn mức chủ dữ liệu đã duyệt; hãy đề nghị sửa đổi để chủ dữ liệu "
            "quyết định: lienthong agreement amend",
        )


class SamePersonError(DecisionConflictError):
    """Who approved first cannot be the second one to approve."""

    def __init__(self) -> None:
        super().__init__(
            "you approved it first, and a second person has to approve it too, since the data are personal",
            "bạn đã duyệt lần một; dữ liệu cá nhân cần người thứ hai cùng duyệt",
        )


def take(status: AgreementStatus, action: AgreementAction) -> AgreementStatus:
    """Return the status after a step, where one person is enough to approve.

    Raises:
        DecisionConflictError: the status does not allow it.
    """
    after = _TRANSITIONS.get((status, action))
    if after is None:
        if status.is_final:
            raise _final(status)
        possible = [before for before, other in _TRANSITIONS if other is action]
        needed = " or ".join(possible)
        needed_vi = " hoặc ".join(before.label_vi for before in possible)
        raise DecisionConflictError(
            f"the agreement is {status}; only one that is {needed} can be decided by '{action}'",
            f"thoả thuận {status.label_vi}; '{action}' chỉ áp dụng cho thoả thuận {needed_vi}",
        )
    return after


def approve(status: AgreementStatus, by: str, first: str | None, *, two_people: bool) -> AgreementStatus:
    """Return the status after `by` approves. `first` is who approved already, of a request that is endorsed.

    Raises:
        DecisionConflictError: the status does not allow it.
        SamePersonError: the same one has approved already, and another one has to.
    """
    after = take(status, AgreementAction.APPROVE)
    if status is AgreementStatus.ENDORSED and by == first:
        raise SamePersonError
    if two_people and status is not AgreementStatus.ENDORSED:
        return AgreementStatus.ENDORSED
    return after


def reapply(
    status: AgreementStatus,
    declared: AgreementStatus,
    *,
    terms_changed: bool,
    widened: bool = False,
    two_people: bool = False,
) -> AgreementStatus | None:
    """Return the status that an operator's manifest means for an agreement that exists; None leaves it.

    `declared` is the status in the manifest: requested or approved. A manifest that says `approved` with
    narrower terms is a new decision. One that says `requested` cannot change terms that were approved, since
    nobody would have decided on the new ones. `widened` terms of an approved agreement nobody decides alone:
    they are asked for as an amendment. Where two people approve, a manifest does not.

    Raises:
        DecisionConflictError: the status is final, or approved terms would change without a decision.
        WidenedError: they would allow more.
    """
    if status.is_final:
        raise _final(status)
    if status is AgreementStatus.APPROVED:
        _check_approved(declared, terms_changed=terms_changed, widened=widened)
        return AgreementStatus.APPROVED if terms_changed else None
    if status is AgreementStatus.SUSPENDED:
        if terms_changed:
            raise DecisionConflictError(
                "the agreement is suspended; let it go on, or revoke it, before its terms change",
                "thoả thuận đang tạm ngừng; hãy cho tiếp tục hoặc thu hồi trước khi đổi nội dung",
            )
        return None
    if declared is AgreementStatus.APPROVED:
        if status is AgreementStatus.DRAFT:
            raise DecisionConflictError(
                "the agreement is a draft, which nobody has asked for yet; submit it first",
                "thoả thuận đang soạn, chưa được đề nghị; hãy gửi đề nghị trước",
            )
        if two_people:
            raise DecisionConflictError(
                "the data are personal, so two people of the providing agency approve it, not a file",
                "dữ liệu cá nhân do hai người của cơ quan cung cấp cùng duyệt, không duyệt bằng tệp",
            )
        return AgreementStatus.APPROVED
    # Who approved the terms of before has not seen these.
    return AgreementStatus.REQUESTED if terms_changed and status is AgreementStatus.ENDORSED else None


def _check_approved(declared: AgreementStatus, *, terms_changed: bool, widened: bool) -> None:
    if terms_changed and declared is not AgreementStatus.APPROVED:
        raise DecisionConflictError(
            "the agreement was approved with other terms; apply it with 'status: approved' to decide on "
            "the new terms, or ask under a new id",
            "thoả thuận đã được duyệt với nội dung khác; hãy áp dụng với 'status: approved' để quyết "
            "định nội dung mới, hoặc đề nghị bằng mã mới",
        )
    if widened:
        raise WidenedError


def _final(status: AgreementStatus) -> DecisionConflictError:
    return DecisionConflictError(
        f"the agreement is {status}, which is final; use a new id to ask again",
        f"thoả thuận {status.label_vi}, không thể mở lại; hãy dùng mã mới để đề nghị lại",
    )
