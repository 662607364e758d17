"""All that was done with an agreement, as an export of the catalog has it and a restore brings it back.

Versions are left out: they are those of one catalog. That an agreement was restored before is left out too,
for that was done here; the next catalog says of itself what it has restored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lienthong.catalog.agreements.domain.lifecycle import AgreementAction, AgreementStatus
from lienthong.catalog.domain import validity
from lienthong.catalog.errors import Violation
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from lienthong.catalog.agreements.domain.agreement import AgreementResource, AgreementStep
    from lienthong.catalog.agreements.domain.amendment import Amendment

_UNDECIDED = (AgreementStatus.DRAFT, AgreementStatus.REQUESTED)
"""The statuses of agreements of before there was a history: nobody had decided on them."""


@dataclass(frozen=True, slots=True)
class RecordedAmendment:
    """An amendment, whatever became of it, and when that was."""

    amendment: Amendment
    updated_at: datetime

    def document(self) -> dict[str, Any]:
        """Return it as JSON; what it has not is left out."""
        amendment = self.amendment
        document: dict[str, Any] = {
            "number": amendment.number,
            "status": amendment.status.value,
            "terms": amendment.spec,
            "reason": amendment.reason,
            "requestedBy": amendment.requested_by,
            "requestedAt": validity.write(amendment.requested_at),
            "updatedAt": validity.write(self.updated_at),
        }
        if amendment.asked_at is not None:
            document["askedAt"] = validity.write(amendment.asked_at)
        if amendment.first_approval is not None:
            document["firstApproval"] = amendment.first_approval
        return document


@dataclass(frozen=True, slots=True)
class AgreementRecord:
    """The steps in their order, and the amendments by their numbers."""

    steps: tuple[AgreementStep, ...] = ()
    amendments: tuple[RecordedAmendment, ...] = ()

    def document(self, agreement: AgreementResource) -> dict[str, Any]:
        """Return it as JSON, with the times that only the catalog itself keeps of the agreement."""
        document: dict[str, Any] = {}
        if agreement.asked_at is not None:
            document["askedAt"] = validity.write(agreement.asked_at)
        if agreement.told_at is not None:
            document["remindedAt"] = validity.write(agreement.told_at)
        document["steps"] = [_step_document(step) for step in self.steps]
        if self.amendments:
            document["amendments"] = [amended.document() for amended in self.amendments]
        return document


def _step_document(step: AgreementStep) -> dict[str, Any]:
    document: dict[str, Any] = {
        "action": step.action.value,
        "status": step.status.value,
        "by": step.by,
        "at": validity.write(step.at),
    }
    optional = {
        "legalGround": step.legal_ground,
        "reason": step.reason,
        "amendment": step.amendment,
        "changes": list(step.changes),
    }
    return document | {name: value for name, value in optional.items() if value}


def record_violations(agreement: AgreementResource, record: AgreementRecord) -> Iterator[Violation]:
    """Yield what does not fit together in what an export says of an agreement; paths are below `history`.

    Whoever decided on an agreement is named: no status but that of what nobody has decided on comes without
    the step that led to it.
    """
    status = AgreementStatus(agreement.status)
    of_itself = [(index, step) for index, step in enumerate(record.steps) if not step.amendment]
    if not of_itself and status not in _UNDECIDED:
        yield Violation(
            ("steps",),
            BilingualText(
                f"the agreement is {status}; the step that made it so is missing: who did it, and when",
                f"thoả thuận {status.label_vi} nhưng thiếu bước dẫn tới trạng thái đó: ai, khi nào",
            ),
        )
    elif of_itself and of_itself[-1][1].status is not status:
        yield Violation(
            ("steps", of_itself[-1][0], "status"),
            BilingualText(
                f"the last step says '{of_itself[-1][1].status}', and the agreement is '{status}'",
                f"bước cuối ghi '{of_itself[-1][1].status}' nhưng thoả thuận là '{status}'",
            ),
        )
    approved = any(step.action is AgreementAction.APPROVE for _, step in of_itself)
    if status is AgreementStatus.ENDORSED and not approved:
        yield Violation(("steps",), _NO_FIRST_APPROVAL)
    yield from _amendment_violations(record)


def _amendment_violations(record: AgreementRecord) -> Iterator[Violation]:
    number = len(record.amendments)
    for index, amended in enumerate(record.amendments):
        one = amended.amendment
        if one.number != index + 1:
            yield Violation(
                ("amendments", index, "number"),
                BilingualText(
                    f"amendments are numbered from 1 on without gaps; this is number {index + 1}",
                    f"các sửa đổi được đánh số liên tục từ 1; đây là số {index + 1}",
                ),
            )
        if one.status.is_waiting and index + 1 < number:
            yield Violation(
                ("amendments", index, "status"),
                BilingualText(
                    "only the newest amendment waits for a decision",
                    "chỉ sửa đổi mới nhất mới có thể chờ quyết định",
                ),
            )
        if one.status is AgreementStatus.ENDORSED and one.first_approval is None:
            yield Violation(("amendments", index, "firstApproval"), _NO_FIRST_APPROVAL)
    for index, step in enumerate(record.steps):
        if step.amendment > number:
            yield Violation(
                ("steps", index, "amendment"),
                BilingualText(
                    f"there is no amendment {step.amendment} in 'amendments'",
                    f"không có sửa đổi số {step.amendment} trong 'amendments'",
                ),
            )


_NO_FIRST_APPROVAL = BilingualText(
    "it is endorsed: say who has approved it first", "đã duyệt lần một: hãy nêu ai đã duyệt"
)
