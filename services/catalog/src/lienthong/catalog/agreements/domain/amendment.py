"""An amendment: other terms for an agreement that is approved, on which its owner decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lienthong.catalog.agreements.domain.lifecycle import AgreementAction, AgreementStatus
from lienthong.catalog.agreements.domain.terms import widened
from lienthong.catalog.domain import validity
from lienthong.catalog.domain.comparison import compare

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from lienthong.kit.json_text import JsonObject

AMENDABLE: Final = (AgreementStatus.APPROVED, AgreementStatus.SUSPENDED)
"""The statuses of agreements whose terms are changed by an amendment alone."""
AMENDMENT_STEPS: Final = (
    AgreementAction.ANSWER,
    AgreementAction.WITHDRAW,
    AgreementAction.ASK,
    AgreementAction.APPROVE,
    AgreementAction.REJECT,
)
"""What can be done with an amendment, by the same table as with a request for an agreement."""


@dataclass(frozen=True, slots=True)
class Amendment:
    """Other terms for an agreement. Its status goes by the life cycle of agreements, from requested on.

    `spec` are all terms as they would be. `asked_at` is since when the owner has been asked to decide, and
    `first_approval` who has approved one that is endorsed.
    """

    number: int
    status: AgreementStatus
    spec: JsonObject
    reason: str
    requested_by: str
    requested_at: datetime
    asked_at: datetime | None
    first_approval: str | None = None

    def document(self, now_agreed: JsonObject, now: datetime, decide_within: timedelta) -> dict[str, Any]:
        """Return the amendment as JSON, beside the terms that are agreed now."""
        document: dict[str, Any] = {
            "number": self.number,
            "status": self.status.value,
            "terms": self.spec,
            "changes": [member.document() for member in compare(now_agreed, self.spec)],
            "widens": widened(now_agreed, self.spec),
            "reason": self.reason,
            "requestedBy": self.requested_by,
            "requestedAt": validity.write(self.requested_at),
        }
        if self.asked_at is not None:
            due = self.asked_at + decide_within
            document |= {"dueAt": validity.write(due), "overdue": due <= now}
        return document
