"""Merging agencies, in one transaction: codes end, and what they have goes over to their successor.

Ids stay for ever, for programs, agreements and records name them: what goes over is to whom they belong
(decision 0074). Identity learns of it from the events of agencies and systems.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from lienthong.catalog.agencies.domain.agency import has_ended
from lienthong.catalog.domain.resources import ResourceKind, owner_of, portions
from lienthong.catalog.errors import raise_for
from lienthong.catalog.mergers.domain.merging import (
    MOST_PREDECESSORS,
    Known,
    Wanted,
    closed,
    moved,
    violations,
)
from lienthong.catalog.mergers.schemas import MergerRequest
from lienthong.catalog.schemas.specs import unportable, validate
from lienthong.catalog.search.service import give_to
from lienthong.catalog.service.unit_of_work import AuditEntry

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from lienthong.catalog.agencies.domain.agency import AgencyResource
    from lienthong.catalog.domain.resources import ResourceKey
    from lienthong.catalog.service.unit_of_work import CatalogView, UnitOfWork, UnitsOfWork
    from lienthong.catalog.systems.domain.system import SystemResource
    from lienthong.kit.actors import Actor
    from lienthong.kit.json_text import Json

_MOST_NAMED: Final = 100
"""Ids of a kind that the record of a merger names; each system has a record of its own."""


@dataclass(frozen=True, slots=True)
class Merger:
    """What a merger did, or in a dry run would do; `version` is the catalog's afterwards.

    `closed` are the agencies that end, as they are then, `children` those that come below the other one.
    `moved` are the ids that go over, by the names of `MovedIds`.
    """

    dry_run: bool
    version: int
    wanted: Wanted
    closed: Sequence[AgencyResource]
    children: Sequence[AgencyResource]
    moved: Mapping[str, Sequence[str]]

    def document(self) -> dict[str, Any]:
        """Return the result as JSON."""
        ending = {one.id for one in self.closed}
        return {
            "dry_run": self.dry_run,
            "version": self.version,
            "into": self.wanted.into,
            "on": self.wanted.on,
            "agencies": [
                {"id": code, "action": "merged" if code in ending else "unchanged"}
                for code in self.wanted.agencies
            ],
            "moved": {name: list(ids) for name, ids in self.moved.items()},
        }


class MergerService:
    """Merges agencies. Whether the actor may is asked before."""

    def __init__(self, units: UnitsOfWork) -> None:
        self._units = units

    async def merge(self, body: Json, actor: Actor, *, dry_run: bool) -> Merger:
        """Merge agencies, as the body of a request says.

        Raises:
            ProblemError: `invalid-manifests`, something in the body is wrong; `conflict`, the codes have
                ended otherwise, the other one has ended, or one of them stands in the way of the merger.
        """
        raise_for(unportable(body))
        parsed, wrong = validate(MergerRequest, body, ())
        raise_for(wrong)
        assert parsed is not None  # noqa: S101 - it has no violations
        wanted = Wanted(tuple(parsed.agencies), parsed.into, parsed.on)
        if dry_run:
            async with self._units.view() as view:
                return await _plan(wanted, view, dry_run=True)
        async with self._units.begin(actor) as work:
            planned = await _plan(wanted, work, dry_run=False)
            await _carry_out(planned, work)
        return replace(planned, version=work.version)


async def _plan(wanted: Wanted, view: CatalogView, *, dry_run: bool) -> Merger:
    known = await _known(wanted, view)
    raise_for([*violations(wanted, known, view.now)])
    ending = closed(wanted, known)
    codes = [one.id for one in ending]
    agencies = view.resources(ResourceKind.AGENCY)
    below = [one for one in await agencies.find_ids({"parent": codes}) if one not in wanted.agencies]
    loaded: list[AgencyResource] = []
    for some in portions(ResourceKind.AGENCY, below):
        loaded += (await agencies.load(some)).values()
    children = [moved(one, wanted) for one in loaded if not has_ended(one.spec, view.now)]
    of_agency = {
        name: await view.resources(kind).find_ids({"agency": codes})
        for name, kind in (
            ("systems", ResourceKind.SYSTEM),
            ("services", ResourceKind.SERVICE),
            ("event_types", ResourceKind.EVENT_TYPE),
        )
    }
    agreements = await view.resources(ResourceKind.AGREEMENT).find_ids({"concerns": codes})
    ids = {"agencies": [one.id for one in children], **of_agency, "agreements": agreements}
    return Merger(dry_run, view.version, wanted, ending, children, ids)


async def _known(wanted: Wanted, view: CatalogView) -> Known:
    """Read the agencies that are named, with those to which their members lead."""
    agencies = view.resources(ResourceKind.AGENCY)
    found: dict[str, AgencyResource] = {}
    missing: Collection[str] = {*wanted.agencies, wanted.into}
    while missing:
        found |= (loaded := await agencies.load(missing))
        named = {code for one in loaded.values() for code in (one.replaced_by, one.parent)}
        missing = {code for code in named if code is not None and code not in found}
    predecessors: set[str] = set()
    level = [wanted.into]
    while level and len(predecessors) <= MOST_PREDECESSORS:
        level = [one for one in await agencies.find_ids({"merged_into": level}) if one not in predecessors]
        predecessors.update(level)
    return Known(found, frozenset(predecessors))


async def _carry_out(planned: Merger, work: UnitOfWork) -> None:
    """Write a merger: rows, index, change log, events and audit records."""
    agencies = work.resources(ResourceKind.AGENCY)
    before = await agencies.load([one.id for one in planned.closed])
    versions: dict[ResourceKey, int] = {}
    entries: list[AuditEntry] = []
    counts = {name: len(ids) for name, ids in planned.moved.items()}
    named = {name: list(ids[:_MOST_NAMED]) for name, ids in planned.moved.items() if ids}
    for one in planned.closed:
        version = versions[one.key] = work.next_version()
        await agencies.update(replace(one, version=version, updated_at=work.now))
        changes = {
            member: {"old": before[one.id].spec.get(member), "new": one.spec[member]}
            for member in ("validTo", "replacedBy")
        }
        detail = {"version": version, "into": planned.wanted.into, "changes": changes}
        entries.append(AuditEntry("agency.merge", one.key, {**detail, "moved": counts, "ids": named}))
    for child in planned.children:
        version = versions[child.key] = work.next_version()
        old = (await work.get(child.key)).parent
        await agencies.update(replace(child, version=version, updated_at=work.now))
        changes = {"parent": {"old": old, "new": child.parent}}
        entries.append(AuditEntry("agency.update", child.key, {"version": version, "changes": changes}))
    systems = work.resources(ResourceKind.SYSTEM)
    for some in portions(ResourceKind.SYSTEM, planned.moved["systems"]):
        loaded: Mapping[str, SystemResource] = await systems.load(some)
        for system in (loaded[one] for one in some):
            version = versions[system.key] = work.next_version()
            owner = owner_of(system.id, planned.wanted.into)
            await systems.update(replace(system, owner=owner, version=version, updated_at=work.now))
            changes = {"agency": {"old": system.agency, "new": planned.wanted.into}}
            entries.append(AuditEntry("system.move", system.key, {"version": version, "changes": changes}))
    await give_to(work, [one.id for one in planned.closed], planned.wanted.into)
    if versions:
        await work.record_changes(versions)
        await work.audit(entries)
