"""Exports the catalog, a page at a time, and restores what a catalog lacks of an export."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lienthong.catalog.agreements.domain.agreement import AgreementResource, AgreementStep, audit_detail
from lienthong.catalog.agreements.domain.lifecycle import AgreementAction, AgreementStatus
from lienthong.catalog.agreements.domain.record import AgreementRecord
from lienthong.catalog.agreements.service.records import add_record, records_of
from lienthong.catalog.agreements.service.writing import add_step
from lienthong.catalog.apply.domain.destinations import refused_addresses
from lienthong.catalog.apply.schemas import cpu_seconds
from lienthong.catalog.domain.comparison import compare, dotted_path
from lienthong.catalog.domain.resources import ResourceKind, portions
from lienthong.catalog.errors import Violation, raise_for, too_costly
from lienthong.catalog.restore.domain.exported import exported, without_version
from lienthong.catalog.restore.domain.planning import Exported, RestorePlan, plan_restore
from lienthong.catalog.restore.schemas import read_restore_text
from lienthong.catalog.service.resources import PAGE_BYTES
from lienthong.catalog.service.unit_of_work import AuditEntry
from lienthong.catalog.services.domain.service import ServiceResource
from lienthong.catalog.systems.domain.shared_factors import rsa_keys_of
from lienthong.kit.json_text import canonical, size
from lienthong.kit.workers import TooCostlyError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from lienthong.catalog.domain.resources import Resource, ResourceKey, ServiceOperation
    from lienthong.catalog.service.unit_of_work import CatalogView, UnitOfWork, UnitsOfWork
    from lienthong.catalog.systems.service.factors import KeyComparison
    from lienthong.kit.actors import Actor
    from lienthong.kit.addresses import ProviderAddresses
    from lienthong.kit.workers import Workers

ORDER: Final = tuple(reversed(ResourceKind))
"""The kinds in the order of an export. Nothing is ever removed from the catalog, so what a resource refers to
is still there when its kind is read later: an export has no references that lead out of it."""
_FILTERS: Final = {
    ResourceKind.SYSTEM: "agency",
    ResourceKind.SERVICE: "agency",
    ResourceKind.EVENT_TYPE: "agency",
    ResourceKind.AGREEMENT: "concerns",
}
_MOST_DECISIONS, _LONGEST_GROUND = 20, 200
_REASON: Final = "Khôi phục từ bản xuất của danh mục · Restored from an export of the catalog"


@dataclass(frozen=True, slots=True)
class ExportedPage:
    """Some of the catalog at a version; the next page begins after `last`, None at the end."""

    version: int
    items: Sequence[dict[str, Any]]
    last: tuple[ResourceKind, str] | None


@dataclass(frozen=True, slots=True)
class RestoreOutcome:
    """What a restore did, or in a dry run would do; `version` is the catalog's afterwards."""

    dry_run: bool
    version: int
    plan: RestorePlan

    def document(self) -> dict[str, Any]:
        """Return the result as JSON, in the form of an apply's."""
        results = [(one, "created") for one in self.plan.new] + [
            (one, "unchanged") for one in self.plan.known
        ]
        return {
            "dry_run": self.dry_run,
            "version": self.version,
            "results": [
                {"kind": one.draft.kind.value, "id": one.draft.id, "action": action, "changes": []}
                for one, action in results
            ],
        }


class ExportService:
    """Shows all that the catalog has."""

    def __init__(self, units: UnitsOfWork) -> None:
        self._units = units

    async def page(
        self, after: tuple[ResourceKind, str], limit: int, agencies: Collection[str] = ()
    ) -> ExportedPage:
        """Return up to `limit` resources after a kind and id, by `ORDER` and then by id.

        There are fewer where they are large: a page ends with the one that makes it `PAGE_BYTES` long. With
        `agencies` it is what these have, and the agreements that they are a party of.
        """
        items: list[dict[str, Any]] = []
        room, (begun, last_id) = PAGE_BYTES, after
        async with self._units.view() as view:
            for kind in ORDER[ORDER.index(begun) :]:
                while room > 0 and len(items) < limit:
                    ids = await self._ids(view, kind, last_id, limit - len(items), agencies)
                    for some in portions(kind, ids):
                        for document in await _exported(view, kind, some):
                            items.append(document)
                            last_id = document["metadata"]["id"]
                            room -= size(document)
                            if room <= 0:
                                return ExportedPage(view.version, items, (kind, last_id))
                    if not ids:
                        break
                if len(items) == limit:
                    return ExportedPage(view.version, items, (kind, last_id))
                last_id = ""
        return ExportedPage(view.version, items, None)

    async def _ids(
        self, view: CatalogView, kind: ResourceKind, after: str, limit: int, agencies: Collection[str]
    ) -> list[str]:
        if agencies and kind is ResourceKind.AGENCY:
            found = await view.resources(kind).load(agencies)
            return sorted(one for one in found if one > after)[:limit]
        filters = {_FILTERS[kind]: agencies} if agencies else {}
        page = await view.resources(kind).page(filters, after, limit)
        return [one.id for one in page]


class RestoreService:
    """Brings back what the catalog lacks."""

    def __init__(
        self, units: UnitsOfWork, workers: Workers, keys: KeyComparison, providers: ProviderAddresses
    ) -> None:
        self._units = units
        self._workers = workers
        self._keys = keys
        self._providers = providers
        self._turn = asyncio.Semaphore()

    async def restore(self, body: bytes, actor: Actor, *, dry_run: bool) -> RestoreOutcome:
        """Restore the resources of a request body, all or none; what is there just so stays as it is.

        Raises:
            ProblemError: `malformed-request`, the body is not JSON; `too-costly`; `invalid-manifests`,
                something in it is wrong; `conflict`, the catalog has something of it with other values.
        """
        async with self._turn:
            try:
                cost = cpu_seconds(body)
                read = await self._workers.run_each(actor.name, cost, read_restore_text, body)
            except TooCostlyError:
                raise too_costly() from None
            found = [part for part in read if isinstance(part, Exported)]
            violations = [part for part in read if isinstance(part, Violation)]
            drafts = [one.draft for one in found]
            violations += refused_addresses(drafts, self._providers)
            violations += await self._keys.violations(
                await asyncio.to_thread(rsa_keys_of, drafts), actor.name
            )
            if dry_run or violations:
                async with self._units.view() as view:
                    plan = await _plan(found, violations, view)
                return RestoreOutcome(dry_run=True, version=view.version, plan=plan)
            async with self._units.begin(actor) as work:
                plan = await _plan(found, [], work)
                await _carry_out(plan, work)
            return RestoreOutcome(dry_run=False, version=work.version, plan=plan)


async def _exported(view: CatalogView, kind: ResourceKind, ids: Sequence[str]) -> list[dict[str, Any]]:
    loaded: dict[str, Resource] = await view.resources(kind).load(ids, documents=True)
    records: Mapping[str, AgreementRecord] = {}
    if kind is ResourceKind.AGREEMENT:
        records = await records_of(view, ids)
    return [exported(loaded[one], records.get(one)) for one in ids]


async def _plan(found: Sequence[Exported], violations: Sequence[Violation], view: CatalogView) -> RestorePlan:
    """Plan a restore against the catalog.

    Raises:
        ProblemError: `invalid-manifests`, there are violations, these or more; `conflict`.
    """
    known: dict[ResourceKey, list[str]] = {}
    for kind in ResourceKind:
        given = {one.draft.id: one for one in found if one.draft.kind is kind}
        for some in portions(kind, sorted(given)):
            there = await view.resources(kind).load(some)
            for document in await _exported(view, kind, sorted(there)):
                one = given[document["metadata"]["id"]]
                known[one.draft.key] = await asyncio.to_thread(_differing, document, one)
    referenced: set[ResourceKey] = set()
    operations: dict[str, Sequence[ServiceOperation]] = {}
    for kind in ResourceKind:
        ids = {key[1] for one in found for _, key in one.draft.references if key[0] is kind}
        for some in portions(kind, sorted(ids)):
            there = await view.resources(kind).load(some)
            referenced |= {resource.key for resource in there.values()}
            operations |= {
                one.id: one.operations for one in there.values() if isinstance(one, ServiceResource)
            }
    plan, more = plan_restore(found, known, referenced, operations, view.now)
    raise_for([*violations, *more])
    return plan


def _differing(document: dict[str, Any], given: Exported) -> list[str]:
    """Return the places in which the catalog has something otherwise than an export says."""
    if given.draft.spec is None:
        return []
    wanted = exported(given.resource(), given.record)
    return [dotted_path(one.path) for one in compare(without_version(wanted), without_version(document))]


async def _carry_out(plan: RestorePlan, work: UnitOfWork) -> None:
    """Write what is restored: rows, what was done with agreements, change log, events and audit records."""
    versions: dict[ResourceKey, int] = {}
    entries = []
    for kind in ResourceKind:
        of_kind = [one for one in plan.new if one.draft.kind is kind]
        for some in portions(kind, of_kind):
            resources = []
            steps = []
            for one in some:
                record = one.record or AgreementRecord()
                steps.append([work.next_version() for _ in record.steps])
                versions[one.draft.key] = work.next_version()
                resources.append(one.resource(versions[one.draft.key]))
            await work.resources(kind).create(resources)
            for one, resource, at in zip(some, resources, steps, strict=True):
                if isinstance(resource, AgreementResource) and one.record is not None:
                    await add_record(work, resource.id, one.record, at)
                    await add_step(work, resource.id, _restoration(resource, work), resource.version)
                entries.append(_audited(resource, one.record))
    await work.record_changes(versions)
    await work.audit(entries)


def _restoration(agreement: AgreementResource, work: UnitOfWork) -> AgreementStep:
    """The step that says from which on the catalog has seen by itself what was done with an agreement."""
    status = AgreementStatus(agreement.status)
    return AgreementStep(AgreementAction.RESTORE, status, work.actor.name, work.now, reason=_REASON)


def _audited(resource: Resource, record: AgreementRecord | None) -> AuditEntry:
    """What the audit says of a restore: of what, by its digest, and the decisions that it states."""
    document = without_version(exported(resource, record))
    kind = resource.kind.value
    detail: dict[str, Any] = {
        "version": resource.version,
        "change": "restored",
        "export_sha256": hashlib.sha256(canonical(document).encode("utf-8", "surrogatepass")).hexdigest(),
    }
    if "status" in document:
        detail["status"] = document["status"]
    if isinstance(resource, AgreementResource) and record is not None:
        decisions = [step for step in record.steps if step.action.is_decision]
        detail |= audit_detail(resource.spec)
        detail["steps"] = len(record.steps)
        detail["decisions"] = [
            {
                **one.document(),
                "legalGround": one.legal_ground[:_LONGEST_GROUND],
                "reason": one.reason[:_LONGEST_GROUND],
            }
            for one in decisions[-_MOST_DECISIONS:]
        ]
    return AuditEntry(f"{kind[0].lower()}{kind[1:]}.restore", resource.key, detail)
