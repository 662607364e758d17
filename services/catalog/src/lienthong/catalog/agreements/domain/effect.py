"""Whether an agreement is in force at a time: its status and its period taken together."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from lienthong.catalog.agreements.domain.lifecycle import AgreementStatus
from lienthong.catalog.domain import validity
from lienthong.catalog.errors import Violation
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from datetime import datetime

    from lienthong.kit.json_text import JsonObject


class EffectiveStatus(StrEnum):
    """What an agreement amounts to at a time. Only one that is in force lets calls through."""

    DRAFT = "draft"
    REQUESTED = "requested"
    INFORMATION_NEEDED = "information-needed"
    ENDORSED = "endorsed"
    SUSPENDED = "suspended"
    REJECTED = "rejected"
    REVOKED = "revoked"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"
    NOT_YET_VALID = "not-yet-valid"
    IN_FORCE = "in-force"
    EXPIRED = "expired"


def effective_status(status: AgreementStatus, spec: JsonObject, now: datetime) -> EffectiveStatus:
    """Return the effective status of an agreement.

    Final decisions stand whatever the period. A request whose period has ended counts as expired: approving
    it could no longer have any effect.
    """
    if not status.is_open:
        return EffectiveStatus(status.value)
    if has_ended(spec, now):
        return EffectiveStatus.EXPIRED
    if status is not AgreementStatus.APPROVED:
        return EffectiveStatus(status.value)
    return EffectiveStatus.NOT_YET_VALID if _has_not_begun(spec, now) else EffectiveStatus.IN_FORCE


def period_notices(status: AgreementStatus, spec: JsonObject, now: datetime) -> list[Violation]:
    """Return what someone who requests or approves an agreement should know about its period.

    Paths are relative to the manifest.
    """
    if not status.is_open:
        return []
    if has_ended(spec, now):
        return [Violation(("spec", "validTo"), _ended(spec))]
    if _has_not_begun(spec, now):
        begins = spec["validFrom"]
        return [
            Violation(
                ("spec", "validFrom"),
                BilingualText(
                    f"the agreement is not valid before {begins}; until then it lets no call through",
                    f"thoả thuận chưa có hiệu lực trước {begins}; đến lúc đó mọi lời gọi vẫn bị từ chối",
                ),
            )
        ]
    return []


def never_in_force(spec: JsonObject) -> Violation:
    """Return why an agreement whose period has ended cannot be approved."""
    ended = _ended(spec)
    return Violation(
        (),
        BilingualText(
            f"{ended.en}; reject it and request a new one, or apply it with a later 'validTo'",
            f"{ended.vi}; hãy từ chối rồi đề nghị thoả thuận mới, hoặc áp dụng với 'validTo' muộn hơn",
        ),
        conflict=True,
    )


def has_ended(spec: JsonObject, now: datetime) -> bool:
    """Tell whether the period of an agreement has ended."""
    return "validTo" in spec and validity.read(spec["validTo"]) <= now


def _has_not_begun(spec: JsonObject, now: datetime) -> bool:
    return "validFrom" in spec and validity.read(spec["validFrom"]) > now


def _ended(spec: JsonObject) -> BilingualText:
    ended = spec["validTo"]
    return BilingualText(
        f"the period of the agreement ended on {ended}, so it lets no call through",
        f"thời hạn của thoả thuận đã kết thúc từ {ended} nên mọi lời gọi đều bị từ chối",
    )
