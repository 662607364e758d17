"""Applying manifests: all of them or none, and nothing at all where nothing differs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lienthong.catalog import planning
from lienthong.catalog.agreements import Decision
from lienthong.catalog.changes import Act
from lienthong.catalog.errors import refuse
from lienthong.catalog.kinds import Kind
from lienthong.catalog.resources import ACTIVE, Resource
from lienthong.catalog.schemas.drafts import read_apply

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from lienthong.catalog.changes import Author, Change, Changes
    from lienthong.catalog.json_text import Json
    from lienthong.catalog.mistakes import Mistake
    from lienthong.catalog.planning import Plan, Step
    from lienthong.catalog.repository import Repository
    from lienthong.catalog.schemas.drafts import Draft

MAX_PATHS = 50


@dataclass(frozen=True, slots=True)
class Applied:
    """What an apply did, or in a dry run would do; `version` is the catalog's afterwards."""

    dry_run: bool
    version: int
    steps: tuple[Step, ...]

    def document(self) -> dict[str, Any]:
        """Return the answer."""
        return {
            "dry_run": self.dry_run,
            "version": self.version,
            "results": [
                {
                    "kind": step.kind.value,
                    "id": step.id,
                    "action": step.action,
                    "changes": [change.document() for change in step.changes],
                }
                for step in self.steps
            ],
        }


class Applying:
    """Applies manifests."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    async def apply(self, body: Json, author: Author, *, dry_run: bool) -> Applied:
        """Apply the manifests of a request body.

        Raises:
            InvalidManifestsError: something in the body is wrong; names every mistake.
            ConflictError: nothing is wrong but something contradicts what was decided before.
        """
        # Checking a large body takes a while; watchers and other requests need not wait for it.
        drafts, mistakes = await asyncio.to_thread(read_apply, body)
        if dry_run or mistakes:
            # What is wrong by itself still gets its references checked, so that one round names all mistakes.
            async with self._changes.rehearse() as (repository, version, now):
                plan = await plan_or_refuse(drafts, mistakes, repository, now)
            return Applied(dry_run=True, version=version, steps=plan.steps)
        async with self._changes.begin(author) as change:
            plan = await plan_or_refuse(drafts, [], change.repository, change.now)
            await carry_out(plan, change)
        return Applied(dry_run=False, version=change.version, steps=plan.steps)


async def plan_or_refuse(
    drafts: Sequence[Draft], mistakes: Sequence[Mistake], repository: Repository, now: datetime
) -> Plan:
    """Plan drafts against the catalog.

    Raises:
        InvalidManifestsError: there are mistakes, these or more.
        ConflictError: all mistakes are conflicts.
    """
    named = {draft.key for draft in drafts}
    referred = {key for draft in drafts for _, key in draft.references}
    plan, more = planning.make(drafts, await repository.state(named, referred), now)
    refuse(sorted(dict.fromkeys([*mistakes, *more]), key=_place))
    return plan


async def carry_out(plan: Plan, change: Change) -> None:
    """Write a plan: rows, decisions, change log, events and audit records."""
    steps = plan.writes()
    versions = {step.key: change.next_version() for step in steps}
    written = [_written(step, versions[step.key], change) for step in steps]
    repository = change.repository
    await repository.create(
        [resource for step, resource in zip(steps, written, strict=True) if step.before is None]
    )
    await repository.update([resource for step, resource in zip(steps, written, strict=True) if step.before])
    for step in steps:
        if step.decision is not None:
            await repository.add_decision(step.id, _decision(step, change), versions[step.key])
    # Read again: services show the status of their systems, systems the class of their agencies.
    versions |= {key: change.next_version() for key in plan.touched}
    await change.log(versions)
    await change.audit([Act(_action(step), step.key, _detail(step, versions[step.key])) for step in steps])


def _written(step: Step, version: int, change: Change) -> Resource:
    before = step.before
    spec = {name: value for name, value in step.spec.items() if name not in {"openapi", "status"}}
    return Resource(
        step.kind,
        step.id,
        spec,
        status=step.spec["status"] if step.kind is Kind.AGREEMENT else before.status if before else ACTIVE,
        version=version,
        created_at=before.created_at if before else change.now,
        updated_at=change.now,
        openapi=step.spec.get("openapi"),
        operations=step.operations,
    )


def _decision(step: Step, change: Change) -> Decision:
    assert step.decision is not None  # noqa: S101 - the caller looked
    return Decision(
        step.decision, change.author.client_id, change.now, legal_ground=step.spec["legalGround"], reason=""
    )


def _action(step: Step) -> str:
    if step.decision is not None:
        return "agreement.approve"
    if step.kind is Kind.AGREEMENT and step.action == planning.CREATED:
        return "agreement.request"
    verb = "create" if step.action == planning.CREATED else "update"
    return f"{step.kind.value[0].lower()}{step.kind.value[1:]}.{verb}"


def _detail(step: Step, version: int) -> dict[str, Any]:
    """Say what was changed, not the values: they may be personal data, like a contact."""
    paths = [change.document()["path"] for change in step.changes]
    detail: dict[str, Any] = {"version": version, "change": step.action}
    if paths:
        detail["paths"] = [path[:200] for path in paths[:MAX_PATHS]]
    if len(paths) > MAX_PATHS:
        detail["more_paths"] = len(paths) - MAX_PATHS
    if step.kind is Kind.AGREEMENT:
        detail |= terms(step.spec)
    return detail


def terms(spec: dict[str, Any]) -> dict[str, Any]:
    """Return what an audit record says about an agreement."""
    target = {"service": spec["service"]} if "service" in spec else {"event_type": spec["eventType"]}
    return {
        "consumer": spec["consumer"],
        **target,
        "purposes": spec["purposes"],
        "legal_ground": spec["legalGround"],
    }


def _place(mistake: Mistake) -> int:
    """Sort by manifest, keeping the order in which mistakes of one manifest were found."""
    parts = mistake.pointer.split("/")
    return int(parts[2]) if len(parts) > 2 and parts[2].isdigit() else -1
