"""Agreements that are not in force: which of several to report to the caller, and the problem for it.

The gateway and the exchange refuse by the same rule. Only the consumer of an agreement may get these
problems: to any other client the agreement does not exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from lienthong.kit.clock import rfc3339
from lienthong.kit.problems import agreements
from lienthong.kit.problems.problem import ProblemError
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class NotYetValid:
    """The agreement is approved, and its validity begins at `valid_from`, later than now."""

    agreement: str
    valid_from: datetime


@dataclass(frozen=True, slots=True)
class Pending:
    """The agreement was requested and is neither approved nor rejected yet."""

    agreement: str


@dataclass(frozen=True, slots=True)
class Suspended:
    """The agreement was approved, and is stopped for a time."""

    agreement: str


@dataclass(frozen=True, slots=True)
class Expired:
    """The agreement was approved, and its validity ended at `valid_to`."""

    agreement: str
    valid_to: datetime


@dataclass(frozen=True, slots=True)
class Revoked:
    """The agreement was approved and later revoked."""

    agreement: str


NotInForce: TypeAlias = NotYetValid | Pending | Suspended | Expired | Revoked
"""Why an agreement permits nothing at the moment; `agreement` is its id."""


def nearest(candidates: Iterable[NotInForce]) -> NotInForce | None:
    """Return the agreement that is nearest to being in force; None if there are none.

    An approved one that begins later (the earliest first) comes before one that is suspended, that before one
    that awaits a decision, and that before those that must be requested anew: the expired (the latest to
    expire first), then the revoked. Of equals, the one with the lower id is taken.
    """
    return min(candidates, key=_rank, default=None)


def refusal(reason: NotInForce, target: str) -> ProblemError:
    """The problem that reports `reason`; `target` is the id of the service or event type agreed on."""
    name = reason.agreement
    match reason:
        case NotYetValid(valid_from=moment):
            kind = agreements.AGREEMENT_NOT_YET_VALID
            detail = BilingualText(
                f"The agreement {name} on {target} is valid from {rfc3339(moment)} on.",
                f"Thoả thuận {name} về {target} có hiệu lực từ {rfc3339(moment)}.",
            )
        case Pending():
            kind = agreements.AGREEMENT_PENDING
            detail = BilingualText(
                f"The agreement {name} on {target} is requested and not approved yet.",
                f"Thoả thuận {name} về {target} đã được đề nghị nhưng chưa được phê duyệt.",
            )
        case Suspended():
            kind = agreements.AGREEMENT_SUSPENDED
            detail = BilingualText(
                f"The agreement {name} on {target} is suspended.",
                f"Thoả thuận {name} về {target} đang tạm ngừng.",
            )
        case Expired(valid_to=moment):
            kind = agreements.AGREEMENT_EXPIRED
            detail = BilingualText(
                f"The agreement {name} on {target} was valid until {rfc3339(moment)}.",
                f"Thoả thuận {name} về {target} đã hết hiệu lực từ {rfc3339(moment)}.",
            )
        case Revoked():
            kind = agreements.AGREEMENT_REVOKED
            detail = BilingualText(
                f"The agreement {name} on {target} is revoked.",
                f"Thoả thuận {name} về {target} đã bị thu hồi.",
            )
    return ProblemError(kind, detail)


def _rank(reason: NotInForce) -> tuple[int, float, str]:
    match reason:
        case NotYetValid(agreement, valid_from):
            return 0, valid_from.timestamp(), agreement
        case Suspended(agreement):
            return 1, 0.0, agreement
        case Pending(agreement):
            return 2, 0.0, agreement
        case Expired(agreement, valid_to):
            return 3, -valid_to.timestamp(), agreement
        case Revoked(agreement):
            return 4, 0.0, agreement
