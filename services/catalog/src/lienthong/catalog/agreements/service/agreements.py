"""The service of agreements: it shows them, takes requests for them and what is decided on them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from lienthong.catalog import errors, events
from lienthong.catalog.agreements.domain.agreement import AgreementResource, AgreementStep, changed_terms
from lienthong.catalog.agreements.domain.effect import has_ended, never_in_force
from lienthong.catalog.agreements.domain.lifecycle import (
    AgreementAction,
    AgreementStatus,
    DecisionConflictError,
    approve,
    take,
)
from lienthong.catalog.agreements.domain.offered import service_notices
from lienthong.catalog.agreements.repository.agreements import AgreementRepository
from lienthong.catalog.agreements.schemas import read_step
from lienthong.catalog.agreements.service import rights
from lienthong.catalog.agreements.service.requests import (
    check_agencies,
    check_limits,
    check_references,
    check_same_request,
    read_change,
    read_request,
)
from lienthong.catalog.agreements.service.two_people import needs_two_people
from lienthong.catalog.agreements.service.writing import create, write_step
from lienthong.catalog.domain.resources import ResourceKind
from lienthong.catalog.errors import Violation, raise_for
from lienthong.catalog.service.resources import ResourceService
from lienthong.catalog.services.domain.service import ServiceResource
from lienthong.kit.actors import Actor
from lienthong.kit.problems.load import charge

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from lienthong.catalog.agreements.domain.operations import OpenAgreement, ServiceUse
    from lienthong.catalog.agreements.schemas import StepRequest
    from lienthong.catalog.agreements.service.requests import AgreementRates, RequestLimits
    from lienthong.catalog.service.resources import ResourcePage
    from lienthong.catalog.service.unit_of_work import CatalogView, UnitOfWork, UnitsOfWork
    from lienthong.kit.ids import NewId
    from lienthong.kit.json_text import Json

LAPSED_AT_ONCE = 100


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

    @property
    def decide_within(self) -> timedelta:
        """How long an owner may take to decide."""
        return timedelta(days=self._limits.decide_within_days)

    async def seen(self, agreement_id: str, actor: Actor) -> AgreementResource:
        """Return an agreement.

        Raises:
            ProblemError: `unknown-resource`, there is none, or it is another agency's draft.
        """
        agreement = await self.get(agreement_id)
        rights.demand_to_see(actor, agreement)
        return agreement

    async def seen_page(
        self, filters: Mapping[str, Collection[str]], actor: Actor, *, after: str, limit: int
    ) -> ResourcePage[AgreementResource]:
        """Return a page of agreements, without other agencies' drafts."""
        drafts = rights.drafts_of(actor)
        shown = filters if drafts is None else {**filters, "drafts_of": drafts}
        return await self.page(shown, after=after, limit=limit)

    async def history(
        self, agreement_id: str, actor: Actor, *, after: int, limit: int
    ) -> tuple[Sequence[AgreementStep], int | None]:
        """Return what was done with an agreement, after a version; and the version to go on after.

        Raises:
            ProblemError: `unknown-resource`, there is no such agreement, or it is another agency's draft.
        """
        async with self._units.view() as view:
            rights.demand_to_see(actor, await view.get((self.kind, agreement_id)))
            found = await AgreementRepository(view.session).steps(agreement_id, after, limit + 1)
        return found[:limit], found[limit - 1].version if len(found) > limit else None

    async def request(self, body: Json, actor: Actor) -> tuple[AgreementResource, bool]:
        """Request an agreement; returns it, and whether it is new (the same request sent twice is not).

        Raises:
            ProblemError: `invalid-manifests`, something in the body is wrong.
            ProblemError: `not-allowed`, a system requests an agreement for another one; `role-required`.
            ProblemError: `conflict`, another agreement has this id, or an agency's code has ended.
            ProblemError: `rate-limited`, the client has asked too often, now or within a day.
            ProblemError: `too-many-open-requests`, as many requests of the system wait for a decision as may.
        """
        charge(self._rates.requests, actor.name)
        request = read_request(body, actor, self._new_id)
        draft = request.draft
        if request.violations:
            # References are checked as well, so that one answer names everything that is wrong.
            async with self._units.view() as view:
                await check_references(draft, request.violations, view)
        async with self._units.begin(actor) as work:
            before = await AgreementRepository(work.session).get(draft.id)
            if before is not None:
                check_same_request(before, draft)
                return before, False
            await check_references(draft, [], work)
            await check_agencies(draft, work)
            assert draft.spec is not None  # noqa: S101 - a draft without violations has one
            if not actor.is_operator:
                # Of the system, whoever asks for it.
                await check_limits(self._limits, draft.spec["consumer"], work)
            return await create(draft, work, is_draft=request.is_draft), True

    async def service_notices(self, agreement: AgreementResource) -> list[Violation]:
        """Return what someone who requests an agreement should know of the service that it is on."""
        async with self._units.view() as view:
            services = await view.resources(ResourceKind.SERVICE).load([agreement.target])
            lifecycles = [one.lifecycle for one in services.values() if isinstance(one, ServiceResource)]
            return [text for one in lifecycles for text in service_notices(agreement.spec, one, view.now)]

    async def change(
        self, agreement_id: str, body: Json, actor: Actor, stated_version: int | None
    ) -> AgreementResource:
        """Change the terms of what waits. Who approved other terms of it already has to do so again.

        Raises:
            ProblemError: what `request` raises; `unknown-resource`; `changed-since`, it has another version
                than was stated; `conflict`, it does not wait any more, or is about something else.
        """
        charge(self._rates.requests, actor.name)
        async with self._units.view() as view:
            known: AgreementResource = await view.get((self.kind, agreement_id))
            rights.demand_to_see(actor, known)
            rights.demand(actor, AgreementAction.CHANGE, known)
            draft, violations = read_change(body, known)
            await check_references(draft, violations, view)
        assert draft.spec is not None  # noqa: S101 - a draft without violations has one
        spec = {name: value for name, value in draft.spec.items() if name != "status"}
        async with self._units.begin(actor) as work:
            agreement: AgreementResource = await work.get((self.kind, agreement_id))
            await work.check_version(agreement, stated_version)
            await check_references(draft, [], work)
            if agreement.spec == spec:
                return agreement
            status = AgreementStatus(agreement.status)
            if not status.is_waiting:
                raise errors.conflict([_does_not_wait(status)])
            after = replace(agreement, spec=spec, asked_at=agreement.asked_at and work.now, told_at=None)
            if status is AgreementStatus.ENDORSED:
                after = replace(after, status=AgreementStatus.REQUESTED.value)
            step = AgreementStep(
                AgreementAction.CHANGE,
                AgreementStatus(after.status),
                actor.name,
                work.now,
                changes=changed_terms(agreement.spec, spec),
            )
            return await write_step(after, step, work)

    async def lapse(self) -> int:
        """Let what waits lapse that nobody has decided in time, the oldest first; returns how many did.

        At most a hundred do at once: other writers wait meanwhile.
        """
        limit, after = LAPSED_AT_ONCE, timedelta(days=self._limits.lapse_after_days)
        async with self._units.view() as view:
            if not await AgreementRepository(view.session).waiting_since_before(view.now - after, 1):
                return 0
        async with self._units.begin(Actor(events.SERVICE, transaction_id=self._new_id())) as work:
            found = await AgreementRepository(work.session).waiting_since_before(work.now - after, limit)
            for agreement in found:
                days = self._limits.lapse_after_days
                reason = f"Không được quyết định trong {days} ngày · Not decided within {days} days"
                status = take(AgreementStatus(agreement.status), AgreementAction.LAPSE)
                step = AgreementStep(AgreementAction.LAPSE, status, work.actor.name, work.now, reason=reason)
                await write_step(_after(agreement, step), step, work)
        return len(found)

    async def take(
        self,
        agreement_id: str,
        action: AgreementAction,
        body: Json,
        actor: Actor,
        stated_version: int | None = None,
    ) -> AgreementResource:
        """Take a step with an agreement. The same step sent twice changes nothing the second time.

        Raises:
            ProblemError: `unknown-resource`, there is no such agreement.
            ProblemError: `rate-limited`, the client has decided too often. The operator is never kept from
                revoking.
            ProblemError: `not-allowed`, `role-required`, `suspended-by-platform`: the step is not the
                caller's to take; or the data are personal, and no person approves.
            ProblemError: `invalid-manifests`, the legal ground or reason is missing or wrong.
            ProblemError: `changed-since`, it has another version than was stated.
            ProblemError: `conflict`, the agreement's status does not allow it, the same person would approve
                twice, or it would be approved though its period has ended.
        """
        rights.demand_somewhere(actor, action)
        if not actor.is_operator:
            charge(self._rates.decisions, actor.name)
        request, violations = read_step(action, body)
        async with self._units.begin(actor) as work:
            agreement: AgreementResource = await work.get((self.kind, agreement_id))
            rights.demand_to_see(actor, agreement)
            rights.demand(actor, action, agreement)
            raise_for(violations)
            last = await AgreementRepository(work.session).last_step(agreement_id)
            if last is not None and _is_repeated(last, agreement, action, request, actor):
                return agreement
            await work.check_version(agreement, stated_version)
            status = await _status_after(agreement, action, actor, work)
            step = AgreementStep(
                action,
                status,
                actor.name,
                work.now,
                _legal_ground(agreement, action, request),
                request.reason or "",
            )
            after = _after(agreement, step)
            if status is AgreementStatus.SUSPENDED:
                after = replace(after, suspended_by=rights.suspender(actor))
            return await write_step(after, step, work)


async def agreements_naming(
    view: CatalogView, service: str, operations: Collection[str]
) -> list[OpenAgreement]:
    """Return the open agreements that name one of these operations of a service."""
    return await AgreementRepository(view.session).naming(service, operations)


async def use_of(view: CatalogView, service: str) -> ServiceUse | None:
    """Return what the open agreements on a service allow; None where there are none."""
    return await AgreementRepository(view.session).use_of(service)


async def _status_after(
    agreement: AgreementResource, action: AgreementAction, actor: Actor, work: UnitOfWork
) -> AgreementStatus:
    """Return the status after a step.

    Raises:
        ProblemError: `conflict`; `not-allowed`.
    """
    status = AgreementStatus(agreement.status)
    try:
        if action is not AgreementAction.APPROVE:
            return take(status, action)
        two_people = await needs_two_people(agreement, agreement.spec, work)
        after = approve(status, actor.name, agreement.first_approval, two_people=two_people)
    except DecisionConflictError as conflict:
        raise errors.conflict([Violation((), conflict.text, conflict=True)]) from None
    if two_people:
        rights.demand_people(actor, agreement)
    if has_ended(agreement.spec, work.now):
        raise errors.conflict([never_in_force(agreement.spec)])
    return after


def _after(agreement: AgreementResource, step: AgreementStep) -> AgreementResource:
    """Return the agreement after a step, before it has another version."""
    asked = step.at if step.status is AgreementStatus.REQUESTED else None
    if step.status is AgreementStatus.ENDORSED:
        asked = agreement.asked_at
    stays = asked == agreement.asked_at
    decisions = (*agreement.decisions, step) if step.action.is_decision else agreement.decisions
    return replace(
        agreement,
        status=step.status.value,
        asked_at=asked,
        told_at=agreement.told_at if stays else None,
        suspended_by=None,
        decisions=decisions,
    )


def _does_not_wait(status: AgreementStatus) -> Violation:
    return Violation(
        (),
        DecisionConflictError(
            f"the agreement is {status}, so its terms stay; ask for an amendment, or under a new id",
            f"thoả thuận {status.label_vi} nên nội dung giữ nguyên; hãy đề nghị sửa đổi, hoặc dùng mã mới",
        ).text,
        conflict=True,
    )


def _is_repeated(
    last: AgreementStep,
    agreement: AgreementResource,
    action: AgreementAction,
    request: StepRequest,
    actor: Actor,
) -> bool:
    """Tell whether the last step with an agreement is the same one by the same client."""
    return last.status == agreement.status and last == replace(
        last,
        action=action,
        by=actor.name,
        legal_ground=_legal_ground(agreement, action, request),
        reason=request.reason or "",
    )


def _legal_ground(agreement: AgreementResource, action: AgreementAction, request: StepRequest) -> str:
    """Return the legal ground of a step; an approval without one takes that of the agreement."""
    if request.legal_ground is not None:
        return request.legal_ground
    return str(agreement.spec["legalGround"]) if action is AgreementAction.APPROVE else ""
