"""Who may take which step with an agreement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lienthong.catalog import errors
from lienthong.catalog.agreements.domain.lifecycle import AgreementAction, AgreementStatus
from lienthong.catalog.domain.resources import agency_of, unknown_resource
from lienthong.catalog.systems.domain.system import Suspender
from lienthong.kit.policy import Action
from lienthong.kit.problems.roles import suspended_by_platform

if TYPE_CHECKING:
    from collections.abc import Collection

    from lienthong.catalog.agreements.domain.agreement import AgreementResource
    from lienthong.kit.actors import Actor

_OWNERS: Final = {
    AgreementAction.ASK: Action.DECIDE_AGREEMENTS,
    AgreementAction.APPROVE: Action.DECIDE_AGREEMENTS,
    AgreementAction.REJECT: Action.DECIDE_AGREEMENTS,
    AgreementAction.RESUME: Action.REVOKE_AGREEMENTS,
    AgreementAction.SUSPEND: Action.REVOKE_AGREEMENTS,
    AgreementAction.REVOKE: Action.REVOKE_AGREEMENTS,
}
"""What a person of the owner's side needs a role for, in the agency whose data it is."""


def demand_somewhere(actor: Actor, action: AgreementAction) -> None:
    """Refuse a person who may take such a step nowhere, before anything is read or looked up.

    Raises:
        ProblemError: `role-required`.
    """
    if actor.is_person:
        actor.demand_somewhere(_OWNERS.get(action, Action.REQUEST_AGREEMENTS))


def demand(actor: Actor, action: AgreementAction, agreement: AgreementResource) -> None:
    """Refuse who may not take a step with this agreement: those of its consumer are for who asks, the others
    for whose data it is.

    Raises:
        ProblemError: `role-required`; `not-allowed`; `suspended-by-platform`.
    """
    if action.is_consumers:
        _demand_consumer(actor, agreement)
        return
    if actor.is_person:
        actor.demand(_OWNERS[action], agreement.provider_agency)
    elif not actor.is_operator and not actor.is_of(agreement.provider_agency):
        raise errors.not_allowed(
            f"Only the operator and systems of the agency '{agreement.provider_agency}' decide on this.",
            "Chỉ đơn vị vận hành nền tảng và hệ thống của cơ quan "
            f"'{agreement.provider_agency}' được quyết định.",
        )
    if (
        action is AgreementAction.RESUME
        and agreement.suspended_by is Suspender.PLATFORM
        and suspender(actor) is not Suspender.PLATFORM
    ):
        raise suspended_by_platform(agreement.id, Action.REVOKE_AGREEMENTS)


def _demand_consumer(actor: Actor, agreement: AgreementResource) -> None:
    if actor.is_person:
        actor.demand(Action.REQUEST_AGREEMENTS, agency_of(agreement.consumer))
    elif not actor.is_operator and actor.name != agreement.consumer:
        raise errors.not_allowed(
            f"Only the operator and the system '{agreement.consumer}', which asks for it, do this.",
            f"Chỉ đơn vị vận hành nền tảng và hệ thống đề nghị, '{agreement.consumer}', được làm việc này.",
        )


def demand_people(actor: Actor, agreement: AgreementResource) -> None:
    """Refuse to approve what is about personal data to anyone but people.

    Raises:
        ProblemError: `not-allowed`.
    """
    if not actor.is_person:
        raise errors.not_allowed(
            f"The data are personal, so two people who decide for '{agreement.provider_agency}' approve "
            "this, in the console; no program does.",
            "Dữ liệu cá nhân do hai người có quyền quyết định của "
            f"'{agreement.provider_agency}' cùng duyệt trong bảng điều khiển; chương trình không duyệt thay.",
        )


def suspender(actor: Actor) -> Suspender:
    """On whose behalf an actor suspends agreements: of the platform, who may do so everywhere."""
    return Suspender.PLATFORM if actor.may(Action.REVOKE_AGREEMENTS) else Suspender.AGENCY


def drafts_of(actor: Actor) -> Collection[str] | None:
    """The agencies whose drafts an actor is shown; None for all of them."""
    if actor.is_operator or any(not grant.agency for grant in actor.grants):
        return None
    return actor.codes if actor.is_system else {grant.agency for grant in actor.grants}


def demand_to_see(actor: Actor, agreement: AgreementResource) -> None:
    """Hide a draft from whom it is not for yet.

    Raises:
        ProblemError: `unknown-resource`.
    """
    if agreement.status == AgreementStatus.DRAFT and not actor.belongs_to(agency_of(agreement.consumer)):
        raise unknown_resource(agreement.key)
