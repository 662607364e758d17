"""The service of amendments: other terms of approved agreements are asked for, and decided on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from lienthong.catalog import errors, events
from lienthong.catalog.agreements.domain.agreement import AgreementResource, AgreementStep, changed_terms
from lienthong.catalog.agreements.domain.amendment import AMENDABLE, Amendment
from lienthong.catalog.agreements.domain.effect import has_ended, never_in_force
from lienthong.catalog.agreements.domain.lifecycle import (
    AgreementAction,
    AgreementStatus,
    DecisionConflictError,
    approve,
    take,
)
from lienthong.catalog.agreements.repository.agreements import AgreementRepository
from lienthong.catalog.agreements.schemas import read_step
from lienthong.catalog.agreements.service import rights
from lienthong.catalog.agreements.service.requests import check_references, read_amendment, read_change
from lienthong.catalog.agreements.service.two_people import needs_two_people
from lienthong.catalog.agreements.service.writing import write_step
from lienthong.catalog.domain.resources import ResourceKind
from lienthong.catalog.errors import Violation, raise_for
from lienthong.kit.actors import Actor
from lienthong.kit.problems.load import charge
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from lienthong.catalog.agreements.schemas import StepRequest
    from lienthong.catalog.agreements.service.requests import AgreementRates, RequestLimits
    from lienthong.catalog.service.unit_of_work import UnitOfWork, UnitsOfWork
    from lienthong.kit.ids import NewId
    from lienthong.kit.json_text import Json

_LAPSED_AT_ONCE = 100


class AmendmentService:
    """Keeps the life of amendments: one of an agreement may wait at a time."""

    def __init__(
        self, units: UnitsOfWork, new_id: NewId, rates: AgreementRates, limits: RequestLimits
    ) -> None:
        self._units = units
        self._new_id = new_id
        self._rates = rates
        self._limits = limits

    async def request(
        self, agreement_id: str, body: Json, actor: Actor, stated_version: int | None = None
    ) -> AgreementResource:
        """Ask for other terms; returns the agreement, which stays as it is until the owner decides.

        Raises:
            ProblemError: `unknown-resource`; `rate-limited`; `not-allowed`, `role-required`, it is not the
                caller's to ask; `invalid-manifests`, something in the body is wrong; `changed-since`;
                `conflict`, the agreement is not approved, another amendment waits, or nothing would change.
        """
        charge(self._rates.requests, actor.name)
        async with self._units.view() as view:
            known: AgreementResource = await view.get((ResourceKind.AGREEMENT, agreement_id))
            rights.demand_to_see(actor, known)
            rights.demand(actor, AgreementAction.REQUEST, known)
            terms, reason, violations = read_amendment(body, known)
            raise_for(violations)
            draft, violations = read_change(terms, known)
            await check_references(draft, violations, view)
        assert draft.spec is not None  # noqa: S101 - a draft without violations has one
        spec = {name: value for name, value in draft.spec.items() if name != "status"}
        async with self._units.begin(actor) as work:
            agreement: AgreementResource = await work.get((ResourceKind.AGREEMENT, agreement_id))
            waiting = agreement.amendment
            if waiting is not None and (waiting.spec, waiting.requested_by) == (spec, actor.name):
                return agreement
            await work.check_version(agreement, stated_version)
            _check_amendable(agreement)
            if agreement.spec == spec:
                raise errors.conflict([Violation((), _NOTHING_CHANGES, conflict=True)])
            await check_references(draft, [], work)
            repository = AgreementRepository(work.session)
            last = await repository.last_amendment(agreement_id)
            amendment = Amendment(
                1 if last is None else last.number + 1,
                AgreementStatus.REQUESTED,
                spec,
                reason,
                actor.name,
                work.now,
                work.now,
            )
            step = AgreementStep(
                AgreementAction.REQUEST,
                AgreementStatus.REQUESTED,
                actor.name,
                work.now,
                reason=reason,
                amendment=amendment.number,
                changes=changed_terms(agreement.spec, spec),
            )
            return await _write(agreement, amendment, step, work)

    async def take(
        self,
        agreement_id: str,
        action: AgreementAction,
        body: Json,
        actor: Actor,
        stated_version: int | None = None,
    ) -> AgreementResource:
        """Take a step with the amendment that waits. With the last approval its terms become the agreement's.

        The same step sent twice changes nothing the second time.

        Raises:
            ProblemError: as a step with an agreement; `conflict` where no amendment waits, too.
        """
        rights.demand_somewhere(actor, action)
        if not actor.is_operator:
            charge(self._rates.decisions, actor.name)
        request, violations = read_step(action, body)
        async with self._units.begin(actor) as work:
            agreement: AgreementResource = await work.get((ResourceKind.AGREEMENT, agreement_id))
            rights.demand_to_see(actor, agreement)
            rights.demand(actor, action, agreement)
            raise_for(violations)
            repository = AgreementRepository(work.session)
            amendment = await repository.last_amendment(agreement_id)
            if amendment is None:
                raise errors.conflict([Violation((), _NONE_WAITS, conflict=True)])
            last = await repository.last_step(agreement_id, amendment.number)
            step = _step(action, amendment, request, actor, work)
            if last is not None and _is_repeated(last, step):
                return agreement
            await work.check_version(agreement, stated_version)
            if amendment.status.is_final or amendment.status is AgreementStatus.APPROVED:
                raise errors.conflict([Violation((), _NONE_WAITS, conflict=True)])
            status = await _status_after(agreement, amendment, action, actor, work)
            return await _write(
                agreement, _after(amendment, status, step), replace(step, status=status), work
            )

    async def lapse(self) -> int:
        """Let amendments lapse that nobody has decided in time; returns how many did, at most a hundred."""
        days = self._limits.lapse_after_days
        after = timedelta(days=days)
        async with self._units.view() as view:
            repository = AgreementRepository(view.session)
            if not await repository.amendments_waiting_since_before(view.now - after, 1):
                return 0
        async with self._units.begin(Actor(events.SERVICE, transaction_id=self._new_id())) as work:
            repository = AgreementRepository(work.session)
            found = await repository.amendments_waiting_since_before(work.now - after, _LAPSED_AT_ONCE)
            for agreement in (await repository.load(found)).values():
                amendment = agreement.amendment
                if amendment is None:
                    continue
                step = AgreementStep(
                    AgreementAction.LAPSE,
                    AgreementStatus.LAPSED,
                    work.actor.name,
                    work.now,
                    reason=f"Không được quyết định trong {days} ngày · Not decided within {days} days",
                    amendment=amendment.number,
                )
                await _write(agreement, _after(amendment, AgreementStatus.LAPSED, step), step, work)
        return len(found)


async def _status_after(
    agreement: AgreementResource,
    amendment: Amendment,
    action: AgreementAction,
    actor: Actor,
    work: UnitOfWork,
) -> AgreementStatus:
    """Return the status of an amendment after a step.

    Raises:
        ProblemError: `conflict`; `not-allowed`; `invalid-manifests`, what it names has gone meanwhile.
    """
    two_people = False
    try:
        if action is not AgreementAction.APPROVE:
            return take(amendment.status, action)
        two_people = await needs_two_people(agreement, amendment.spec, work)
        after = approve(amendment.status, actor.name, amendment.first_approval, two_people=two_people)
    except DecisionConflictError as conflict:
        raise errors.conflict([Violation((), conflict.text, conflict=True)]) from None
    if two_people:
        rights.demand_people(actor, agreement)
    _check_agreement_stands(agreement)
    if has_ended(amendment.spec, work.now):
        raise errors.conflict([never_in_force(amendment.spec)])
    draft, violations = read_change(amendment.spec, agreement)
    await check_references(draft, violations, work)
    return after


async def _write(
    agreement: AgreementResource, amendment: Amendment, step: AgreementStep, work: UnitOfWork
) -> AgreementResource:
    """Write an amendment and a step with it, and the agreement: with its terms once it is approved."""
    await AgreementRepository(work.session).write_amendment(agreement.id, amendment, work.now)
    after = replace(agreement, amendment=amendment if amendment.status.is_waiting else None)
    if step.status is AgreementStatus.APPROVED:
        same_end = after.spec.get("validTo") == amendment.spec.get("validTo")
        after = replace(after, spec=amendment.spec, told_at=after.told_at if same_end else None)
        step = replace(step, changes=changed_terms(agreement.spec, amendment.spec))
    return await write_step(after, step, work)


def _step(
    action: AgreementAction, amendment: Amendment, request: StepRequest, actor: Actor, work: UnitOfWork
) -> AgreementStep:
    ground = request.legal_ground
    if ground is None:
        ground = str(amendment.spec["legalGround"]) if action is AgreementAction.APPROVE else ""
    return AgreementStep(
        action, amendment.status, actor.name, work.now, ground, request.reason or "", amendment.number
    )


def _after(amendment: Amendment, status: AgreementStatus, step: AgreementStep) -> Amendment:
    asked = step.at if status is AgreementStatus.REQUESTED else None
    if status is AgreementStatus.ENDORSED:
        asked = amendment.asked_at
    first = step.by if status is AgreementStatus.ENDORSED else None
    return replace(amendment, status=status, asked_at=asked, first_approval=first)


def _is_repeated(last: AgreementStep, step: AgreementStep) -> bool:
    """Tell whether the last step with the amendment is the same one by the same client."""
    known = (last.action, last.status, last.by, last.legal_ground, last.reason)
    return known == (step.action, step.status, step.by, step.legal_ground, step.reason)


def _check_amendable(agreement: AgreementResource) -> None:
    _check_agreement_stands(agreement)
    if agreement.amendment is not None:
        raise errors.conflict([Violation((), _ONE_WAITS, conflict=True)])


def _check_agreement_stands(agreement: AgreementResource) -> None:
    status = AgreementStatus(agreement.status)
    if status not in AMENDABLE:
        text = BilingualText(
            f"the agreement is {status}; only one that is approved is amended",
            f"thoả thuận {status.label_vi}; chỉ sửa đổi được thoả thuận đã duyệt",
        )
        raise errors.conflict([Violation((), text, conflict=True)])


_NOTHING_CHANGES = BilingualText(
    "these are the terms that are agreed already; name what is to change",
    "đây là nội dung đang có hiệu lực; hãy nêu điều cần thay đổi",
)
_ONE_WAITS = BilingualText(
    "another amendment of it waits for a decision; withdraw that one first",
    "một đề nghị sửa đổi khác đang chờ duyệt; hãy rút đề nghị đó trước",
)
_NONE_WAITS = BilingualText(
    "no amendment of it waits for anything", "không có đề nghị sửa đổi nào đang chờ xử lý"
)
