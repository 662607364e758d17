"""Applying manifests: all of them or none, and nothing at all where nothing differs."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lienthong.catalog import errors
from lienthong.catalog.agencies.domain.agency import AgencyResource
from lienthong.catalog.agreements.domain.agreement import AgreementResource, AgreementStep, changed_terms
from lienthong.catalog.agreements.domain.lifecycle import AgreementAction, AgreementStatus
from lienthong.catalog.agreements.domain.terms import terms_of
from lienthong.catalog.agreements.service.agreements import use_of
from lienthong.catalog.agreements.service.announcements import announce_stage
from lienthong.catalog.agreements.service.requests import check_limits
from lienthong.catalog.agreements.service.writing import add_step, step_detail
from lienthong.catalog.apply.domain.breaks import refused_breaks
from lienthong.catalog.apply.domain.building import built
from lienthong.catalog.apply.domain.destinations import (
    new_destinations,
    others_destinations,
    refused_addresses,
    taken,
)
from lienthong.catalog.apply.domain.planning import CREATED, plan_apply
from lienthong.catalog.apply.domain.rights import (
    approved_alone,
    asked_for,
    demand_rights,
    demand_rights_in_plan,
    foreign_names,
    registered,
)
from lienthong.catalog.apply.schemas import cpu_seconds, read_apply_text
from lienthong.catalog.apply.service.excerpts import excerpt_for
from lienthong.catalog.domain.drafts import Draft
from lienthong.catalog.domain.resources import ACTIVE, Resource, ResourceKind, portions
from lienthong.catalog.errors import Violation, raise_for, too_costly
from lienthong.catalog.service.unit_of_work import AuditEntry
from lienthong.catalog.services.domain.service import ServiceResource
from lienthong.catalog.services.service import all_upstreams
from lienthong.catalog.systems.domain.shared_factors import rsa_keys_of
from lienthong.catalog.systems.domain.system import SystemResource
from lienthong.catalog.systems.service.quota import check_quota
from lienthong.kit.workers import TooCostlyError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from lienthong.catalog.agreements.service.requests import RequestLimits
    from lienthong.catalog.apply.domain.planning import ApplyPlan, PlannedChange
    from lienthong.catalog.service.unit_of_work import CatalogView, UnitOfWork, UnitsOfWork
    from lienthong.catalog.systems.service.factors import KeyComparison
    from lienthong.kit.actors import Actor
    from lienthong.kit.addresses import ProviderAddresses
    from lienthong.kit.json_text import JsonObject
    from lienthong.kit.workers import Workers

_MOST_PATHS = 50
_MOST_BREAKS, _LONGEST_BREAK = 20, 200
_LARGE_BODY: Final = 4 * 1024 * 1024
_LARGE_AT_ONCE: Final = 2
"""Bodies of that size whose documents are in memory at a time: each takes some times its size there."""
_LIFECYCLE = ("spec", "lifecycle")


@dataclass(frozen=True, slots=True)
class ApplyOutcome:
    """What an apply did, or in a dry run would do; `version` is the catalog's afterwards."""

    dry_run: bool
    version: int
    changes: tuple[PlannedChange, ...]

    def document(self) -> dict[str, Any]:
        """Return the result as JSON."""
        return {
            "dry_run": self.dry_run,
            "version": self.version,
            "results": [_result(change) for change in self.changes],
        }


class ApplyService:
    """Applies manifests."""

    def __init__(
        self,
        units: UnitsOfWork,
        workers: Workers,
        keys: KeyComparison,
        providers: ProviderAddresses,
        limits: RequestLimits,
        systems_per_agency: int,
    ) -> None:
        self._units = units
        self._workers = workers
        self._keys = keys
        self._providers = providers
        self._limits = limits
        self._systems_per_agency = systems_per_agency
        self._large = asyncio.Semaphore(_LARGE_AT_ONCE)

    async def apply(
        self, body: bytes, actor: Actor, *, dry_run: bool, allow_breaking: bool = False
    ) -> ApplyOutcome:
        """Apply the manifests of a request body.

        `allow_breaking` takes new documents of services although they break who has an open agreement.

        Raises:
            ProblemError: `malformed-request`, the body is not JSON; `too-costly`, reading it takes too long.
            ProblemError: `role-required`, a part of it is nothing that the person may do.
            ProblemError: `invalid-manifests`, something in the body is wrong; names every violation.
            ProblemError: `conflict`, nothing is wrong but something contradicts what was decided before;
                `changed-since`, something has another version than its manifest states.
            ProblemError: `too-many-systems`, a person registers more systems of an agency than it may have;
                `too-many-open-requests`, `rate-limited`, more agreements of a system than may be asked for.
        """
        async with self._large if len(body) > _LARGE_BODY else nullcontext():
            return await self._apply(body, actor, dry_run=dry_run, allow_breaking=allow_breaking)

    async def _apply(self, body: bytes, actor: Actor, *, dry_run: bool, allow_breaking: bool) -> ApplyOutcome:
        # Documents of providers are in it: how long they take is for them to say.
        try:
            read = await self._workers.run_each(actor.name, cpu_seconds(body), read_apply_text, body)
        except TooCostlyError:
            raise too_costly() from None
        drafts = [part for part in read if isinstance(part, Draft)]
        violations = [part for part in read if isinstance(part, Violation)]
        demand_rights(actor, drafts)
        violations += refused_addresses(drafts, self._providers)
        violations += await self._keys.violations(await asyncio.to_thread(rsa_keys_of, drafts), actor.name)
        if dry_run or violations:
            # References are checked as well, so that one answer names everything that is wrong.
            async with self._units.view() as view:
                plan = await self._plan(actor, drafts, violations, view, allow_breaking=allow_breaking)
            return ApplyOutcome(dry_run=True, version=view.version, changes=plan.changes)
        async with self._units.begin(actor) as work:
            plan = await self._plan(actor, drafts, [], work, allow_breaking=allow_breaking)
            await _carry_out(plan, work)
        return ApplyOutcome(dry_run=False, version=work.version, changes=plan.changes)

    async def _plan(
        self,
        actor: Actor,
        drafts: Sequence[Draft],
        violations: Sequence[Violation],
        view: CatalogView,
        *,
        allow_breaking: bool,
    ) -> ApplyPlan:
        """Plan drafts against the catalog.

        Raises:
            ProblemError: `role-required`; `invalid-manifests`, there are violations, these or more;
                `changed-since`, something has another version than its manifest states; `conflict`, all
                violations are conflicts; `too-many-systems`; `too-many-open-requests`, `rate-limited`.
        """
        # To compare large documents takes a while; watches and other requests need not wait for it.
        excerpt = await excerpt_for(drafts, view, actor)
        plan, more = await asyncio.to_thread(plan_apply, drafts, excerpt, view.now)
        # Who may not do it is told that, not what else is wrong with it.
        demand_rights_in_plan(actor, plan)
        found = sorted(dict.fromkeys([*violations, *more]), key=_manifest_index)
        if all(one.conflict for one in found):
            # What contradicts the catalog may do so because somebody else has changed it meanwhile.
            await _refuse_overtaken(plan, view)
        raise_for(found)
        raise_for([*approved_alone(actor, plan)])
        if not allow_breaking:
            # Agreements are read only where a document breaks anything: a service may have very many.
            broken = [change.id for change in plan.changes if change.breaking]
            raise_for([*refused_breaks(drafts, plan, {one: await use_of(view, one) for one in broken})])
        raise_for([*foreign_names(actor, plan), *await _taken_destinations(actor, plan, view)])
        for agency, number in registered(actor, plan).items():
            await check_quota(self._systems_per_agency, agency, view, new=number)
        for system, new in asked_for(actor, plan).items():
            waiting = sum(change.decision is None for change in new)
            await check_limits(self._limits, system, view, new=len(new), waiting=waiting)
        return plan


async def _refuse_overtaken(plan: ApplyPlan, view: CatalogView) -> None:
    """Refuse manifests that would undo what somebody else has changed since they were read.

    Raises:
        ProblemError: `changed-since`, which names each, and who changed it when.
    """
    overtaken = {change.spec_path[:-1]: change for change in plan.overtaken()}
    if not overtaken:
        return
    versions = [change.before.version for change in overtaken.values() if change.before is not None]
    made = await view.made(versions)
    raise errors.changed_since_read(
        [
            Violation(
                (*path, "metadata", "version"),
                errors.overtaken(change.stated_version, change.before.version, made[change.before.version]),
            )
            for path, change in overtaken.items()
            if change.before is not None and change.stated_version is not None
        ]
    )


async def _taken_destinations(actor: Actor, plan: ApplyPlan, view: CatalogView) -> list[Violation]:
    new = new_destinations(actor, plan)
    if not new:
        return []
    others = set[str]()
    async for agency, upstreams in all_upstreams(view):
        others.update(others_destinations(actor, agency, upstreams))
    return list(taken(new, others))


async def _carry_out(plan: ApplyPlan, work: UnitOfWork) -> None:
    """Write a plan: rows, decisions, change log, events and audit records."""
    changes = plan.in_write_order()
    versions = {change.key: work.next_version() for change in changes}
    for kind in ResourceKind:
        of_kind = [change for change in changes if change.kind is kind]
        repository = work.resources(kind)
        created = [
            _resource(change, versions[change.key], work) for change in of_kind if change.before is None
        ]
        for some in portions(kind, created):
            await repository.create(some)
        for change in of_kind:
            if change.before is not None:
                await repository.update(_resource(change, versions[change.key], work))
    steps = {change.key: _step(change, work) for change in changes if change.kind is ResourceKind.AGREEMENT}
    for key, step in steps.items():
        await add_step(work, key[1], step, versions[key])
    entries = [
        AuditEntry(
            _action(change, steps.get(change.key)),
            change.key,
            _detail(change, steps.get(change.key), versions[change.key]),
        )
        for change in changes
    ]
    await work.record_changes(versions | {key: work.next_version() for key in plan.affected})
    await work.audit(entries)
    for change in changes:
        if change.kind is ResourceKind.SERVICE and any(one.path[:2] == _LIFECYCLE for one in change.changes):
            service = _resource(change, versions[change.key], work)
            if isinstance(service, ServiceResource) and isinstance(change.before, ServiceResource):
                before = change.before.lifecycle.stage.value
                await announce_stage(work, service, before, versions[change.key])


def _result(change: PlannedChange) -> dict[str, Any]:
    result: dict[str, Any] = {
        "kind": change.kind.value,
        "id": change.id,
        "action": change.action,
        "changes": [member.document() for member in change.changes],
    }
    if change.notices:
        result["warnings"] = [notice.document() for notice in change.notices]
    return result


def _resource(change: PlannedChange, version: int, work: UnitOfWork) -> Resource:
    """Build the resource as it is after a change."""
    before = change.before
    members: dict[str, Any] = {
        "id": change.id,
        "status": before.status if before else ACTIVE,
        "version": version,
        "created_at": before.created_at if before else work.now,
        "updated_at": work.now,
        "owner": before.owner if before else "",
    }
    if change.kind is ResourceKind.AGENCY:
        members["merged_into"] = before.merged_into if isinstance(before, AgencyResource) else None
    if isinstance(before, SystemResource):
        members |= {"suspended_by": before.suspended_by, "told_at": before.told_at}
    if change.kind is ResourceKind.AGREEMENT:
        status = AgreementStatus(change.spec["status"])
        earlier = before if isinstance(before, AgreementResource) else None
        asked = work.now if status is AgreementStatus.REQUESTED else None
        if status is AgreementStatus.ENDORSED and earlier is not None:
            asked = earlier.asked_at
        members |= {
            "status": status.value,
            "asked_at": asked,
            "told_at": _told_at(earlier, change.spec, asked),
            "suspended_by": None if earlier is None else earlier.suspended_by,
        }
    return built(change.kind, change.spec, change.operations, members)


def _told_at(before: AgreementResource | None, spec: JsonObject, asked: datetime | None) -> datetime | None:
    """The last reminder that was told of an agreement, if it still has the same period and turn."""
    if before is None or asked != before.asked_at or spec.get("validTo") != before.spec.get("validTo"):
        return None
    return before.told_at


def _step(change: PlannedChange, work: UnitOfWork) -> AgreementStep:
    """What applying a manifest does with an agreement."""
    status = AgreementStatus(change.spec["status"])
    before = {} if change.before is None else change.before.spec
    if status is AgreementStatus.APPROVED:
        # One that was approved before is approved anew, with other terms.
        action, ground = AgreementAction.APPROVE, str(change.spec["legalGround"])
    else:
        action, ground = (AgreementAction.REQUEST if change.before is None else AgreementAction.CHANGE), ""
    changes = changed_terms(before, terms_of(change.spec))
    return AgreementStep(action, status, work.actor.name, work.now, ground, changes=changes)


def _action(change: PlannedChange, step: AgreementStep | None) -> str:
    if step is not None:
        return f"agreement.{step.action}"
    verb = "create" if change.action == CREATED else "update"
    return f"{change.kind.value[0].lower()}{change.kind.value[1:]}.{verb}"


def _detail(change: PlannedChange, step: AgreementStep | None, version: int) -> dict[str, Any]:
    """Say what was changed; of others than agreements not the values: they may be personal data, like a
    contact."""
    paths = [member.document()["path"] for member in change.changes]
    detail: dict[str, Any] = {"version": version, "change": change.action}
    if paths:
        detail["paths"] = [path[:200] for path in paths[:_MOST_PATHS]]
    if len(paths) > _MOST_PATHS:
        detail["more_paths"] = len(paths) - _MOST_PATHS
    if change.breaking:
        detail["breaking"] = [
            f"{one.operation}: {one.text.en}"[:_LONGEST_BREAK] for one in change.breaking[:_MOST_BREAKS]
        ]
        detail["breaking_changes"] = len(change.breaking)
    return detail if step is None else detail | step_detail(step, change.spec)


def _manifest_index(violation: Violation) -> int:
    """Sort by manifest, keeping the order in which violations of one manifest were found."""
    path = violation.path
    return path[1] if len(path) > 1 and isinstance(path[1], int) else -1
