"""The service of agreements: it shows them, takes requests for them and decisions on them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

from lienthong.catalog import errors, events
from lienthong.catalog.agreements.domain.agreement import (
    AgreementDecision,
    AgreementResource,
    audit_detail,
)
from lienthong.catalog.agreements.domain.effect import has_ended, never_in_force
from lienthong.catalog.agreements.domain.lifecycle import (
    OUTCOMES,
    AgreementStatus,
    DecisionAction,
    DecisionConflictError,
    decide,
)
from lienthong.catalog.agreements.domain.offered import service_notices
from lienthong.catalog.agreements.repository import AgreementRepository
from lienthong.catalog.agreements.schemas import read_decision
from lienthong.catalog.agreements.service.requests import (
    check_limits,
    check_references,
    check_same_request,
    read_request,
)
from lienthong.catalog.domain.resources import ResourceKind
from lienthong.catalog.errors import Violation, raise_for
from lienthong.catalog.service.resources import ResourceService
from lienthong.catalog.service.unit_of_work import AuditEntry
from lienthong.catalog.services.domain.service import ServiceResource
from lienthong.kit.actors import Actor
from lienthong.kit.policy import Action
from lienthong.kit.problems.load import charge

if TYPE_CHECKING:
    from collections.abc import Collection

    from lienthong.catalog.agreements.domain.operations import OpenAgreement, ServiceUse
    from lienthong.catalog.agreements.schemas import DecisionRequest
    from lienthong.catalog.agreements.service.requests import AgreementRates, RequestLimits
    from lienthong.catalog.domain.drafts import Draft
    from lienthong.catalog.service.unit_of_work import CatalogView, UnitOfWork, UnitsOfWork
    from lienthong.kit.ids import NewId
    from lienthong.kit.json_text import Json


LAPSED_AT_ONCE = 100
_ACTIONS: Final = {
    DecisionAction.APPROVE: Action.DECIDE_AGREEMENTS,
    DecisionAction.REJECT: Action.DECIDE_AGREEMENTS,
    DecisionAction.REVOKE: Action.REVOKE_AGREEMENTS,
}
"""What a person who decides needs a role for, in the agency whose data it is."""


class AgreementService(ResourceService[AgreementResource]):
    """Shows agreements and keeps their life cycle."""

    kind: ClassVar = ResourceKind.AGREEMENT

    def __init__(
        self, units: UnitsOfWork, new_id: NewId, rates: AgreementRates, limits: RequestLimits
    ) -> None:
        super().__init__(units)
        self._new_id = new_id
        self._rates = rates
        self._limits = limits

    async def request(self, body: Json, actor: Actor) -> tuple[AgreementResource, bool]:
        """Request an agreement; returns it, and whether it is new (the same request sent twice is not).

        Raises:
            ProblemError: `invalid-manifests`, something in the body is wrong.
            ProblemError: `not-allowed`, a system requests an agreement for another one; `role-required`.
            ProblemError: `conflict`, another agreement has this id.
            ProblemError: `rate-limited`, the client has asked too often, now or within a day.
            ProblemError: `too-many-open-requests`, as many requests of the system wait for a decision as may.
        """
        charge(self._rates.requests, actor.name)
        draft, violations = read_request(body, actor, self._new_id)
        if violations:
            # References are checked as well, so that one answer names everything that is wrong.
            async with self._units.view() as view:
                await check_references(draft, violations, view)
        async with self._units.begin(actor) as work:
            before = await AgreementRepository(work.session).get(draft.id)
            if before is not None:
                check_same_request(before, draft)
                return before, False
            await check_references(draft, [], work)
            assert draft.spec is not None  # noqa: S101 - a draft without violations has one
            if not actor.is_operator:
                # Of the system, whoever asks for it.
                await check_limits(self._limits, draft.spec["consumer"], work)
            return await _create(draft, work), True

    async def service_notices(self, agreement: AgreementResource) -> list[Violation]:
        """Return what someone who requests an agreement should know of the service that it is on."""
        async with self._units.view() as view:
            services = await view.resources(ResourceKind.SERVICE).load([agreement.target])
            lifecycles = [one.lifecycle for one in services.values() if isinstance(one, ServiceResource)]
            return [text for one in lifecycles for text in service_notices(agreement.spec, one, view.now)]

    def demand_right(self, actor: Actor, action: DecisionAction) -> None:
        """Refuse a person who may decide so nowhere, before anything is read or looked up.

        Raises:
            ProblemError: `role-required`.
        """
        if actor.is_person:
            actor.demand_somewhere(_ACTIONS[action])

    async def lapse(self) -> int:
        """Let the requests lapse that nobody has decided in time, the oldest first; returns how many did.

        At most a hundred do at once: other writers wait meanwhile.
        """
        limit, after = LAPSED_AT_ONCE, timedelta(days=self._limits.lapse_after_days)
        async with self._units.view() as view:
            if not await AgreementRepository(view.session).requested_before(view.now - after, 1):
                return 0
        async with self._units.begin(Actor(events.SERVICE, transaction_id=self._new_id())) as work:
            found = await AgreementRepository(work.session).requested_before(work.now - after, limit)
            for agreement in found:
                days = self._limits.lapse_after_days
                reason = f"Không được quyết định trong {days} ngày · Not decided within {days} days"
                decision = AgreementDecision(AgreementStatus.LAPSED, work.actor.name, work.now, "", reason)
                await _record_decision(agreement, decision, "lapse", work)
        return len(found)

    async def decide(
        self, agreement_id: str, action: DecisionAction, body: Json, actor: Actor
    ) -> AgreementResource:
        """Decide on an agreement. The same decision sent twice changes nothing the second time.

        Raises:
            ProblemError: `unknown-resource`, there is no such agreement.
            ProblemError: `rate-limited`, the system has decided too often. The operator is never kept from
                revoking.
            ProblemError: `not-allowed`, the caller is neither the operator nor a system of the agency whose
                data it is; `role-required`, no role of the person reaches that agency.
            ProblemError: `invalid-manifests`, the legal ground or reason is missing or wrong.
            ProblemError: `conflict`, the agreement's status does not allow it, or it would be approved
                though its period has ended.
        """
        self.demand_right(actor, action)
        if not actor.is_operator:
            charge(self._rates.decisions, actor.name)
        request, violations = read_decision(action, body)
        async with self._units.begin(actor) as work:
            agreement: AgreementResource = await work.get((self.kind, agreement_id))
            _check_may_decide(actor, action, agreement)
            raise_for(violations)
            try:
                status = decide(AgreementStatus(agreement.status), action)
            except DecisionConflictError as conflict:
                if _is_repeated(agreement, action, request, actor):
                    return agreement
                raise errors.conflict([Violation((), conflict.text, conflict=True)]) from None
            if status is AgreementStatus.APPROVED and has_ended(agreement.spec, work.now):
                raise errors.conflict([never_in_force(agreement.spec)])
            decision = AgreementDecision(
                status,
                actor.name,
                work.now,
                _legal_ground(agreement, action, request),
                request.reason or "",
            )
            return await _record_decision(agreement, decision, action.value, work)


async def add_decision(
    work: UnitOfWork, agreement_id: str, decision: AgreementDecision, version: int
) -> None:
    """Add a decision that applying a manifest made, at a version of the catalog."""
    await AgreementRepository(work.session).add_decision(agreement_id, decision, version)


async def agreements_naming(
    view: CatalogView, service: str, operations: Collection[str]
) -> list[OpenAgreement]:
    """Return the open agreements that name one of these operations of a service."""
    return await AgreementRepository(view.session).naming(service, operations)


async def use_of(view: CatalogView, service: str) -> ServiceUse | None:
    """Return what the open agreements on a service allow; None where there are none."""
    return await AgreementRepository(view.session).use_of(service)


async def _create(draft: Draft, work: UnitOfWork) -> AgreementResource:
    assert draft.spec is not None  # noqa: S101 - a draft without violations has one
    version = work.next_version()
    agreement = AgreementResource(
        id=draft.id,
        spec={name: value for name, value in draft.spec.items() if name != "status"},
        status=AgreementStatus.REQUESTED.value,
        version=version,
        created_at=work.now,
        updated_at=work.now,
    )
    await AgreementRepository(work.session).create([agreement])
    await work.record_changes({agreement.key: version})
    detail = {"version": version, "change": "created", **audit_detail(agreement.spec)}
    await work.audit([AuditEntry("agreement.request", agreement.key, detail)])
    return agreement


async def _record_decision(
    agreement: AgreementResource, decision: AgreementDecision, action: str, work: UnitOfWork
) -> AgreementResource:
    version = work.next_version()
    after = replace(
        agreement,
        status=decision.status.value,
        version=version,
        updated_at=work.now,
        decisions=(*agreement.decisions, decision),
    )
    repository = AgreementRepository(work.session)
    await repository.update(after)
    await repository.add_decision(after.id, decision, version)
    await work.record_changes({after.key: version})
    detail: dict[str, Any] = {"version": version, **audit_detail(after.spec)}
    if decision.legal_ground:
        detail["decision_ground"] = decision.legal_ground
    await work.audit([AuditEntry(f"agreement.{action}", after.key, detail)])
    return after


def _check_may_decide(actor: Actor, action: DecisionAction, agreement: AgreementResource) -> None:
    if actor.is_person:
        actor.demand(_ACTIONS[action], agreement.provider_agency)
    elif not actor.is_operator and actor.agency != agreement.provider_agency:
        raise errors.not_allowed(
            f"Only the operator and systems of the agency '{agreement.provider_agency}' decide on this.",
            "Chỉ đơn vị vận hành nền tảng và hệ thống của cơ quan "
            f"'{agreement.provider_agency}' được quyết định.",
        )


def _is_repeated(
    agreement: AgreementResource, action: DecisionAction, request: DecisionRequest, actor: Actor
) -> bool:
    """Tell whether the last decision on an agreement is the same one by the same client."""
    if not agreement.decisions or OUTCOMES[action] != agreement.status:
        return False
    last = agreement.decisions[-1]
    return last == replace(
        last,
        by=actor.name,
        legal_ground=_legal_ground(agreement, action, request),
        reason=request.reason or "",
    )


def _legal_ground(agreement: AgreementResource, action: DecisionAction, request: DecisionRequest) -> str:
    """Return the legal ground of a decision; an approval without one takes that of the agreement."""
    if request.legal_ground is not None:
        return request.legal_ground
    return str(agreement.spec["legalGround"]) if action is DecisionAction.APPROVE else ""
