"""Searching, and keeping the index as the catalog is."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from lienthong.catalog import events
from lienthong.catalog.domain.resources import ResourceKind, portions
from lienthong.catalog.search.domain.entries import FORM, KINDS, entry_of
from lienthong.catalog.search.domain.hits import Hit, hit
from lienthong.catalog.search.repository import SearchRepository
from lienthong.catalog.services.domain.service import ServiceResource
from lienthong.catalog.services.service import own_agencies
from lienthong.kit.actors import Actor

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lienthong.catalog.domain.resources import Resource
    from lienthong.catalog.search.domain.asked import Asked
    from lienthong.catalog.search.domain.entries import Entry
    from lienthong.catalog.search.domain.place import Place
    from lienthong.catalog.service.unit_of_work import CatalogView, UnitOfWork, UnitsOfWork
    from lienthong.kit.ids import NewId

MOST_AGENCIES: Final = 50
_AT_ONCE: Final = 50
_PROVIDED: Final = (ResourceKind.SERVICE, ResourceKind.EVENT_TYPE)


@dataclass(frozen=True, slots=True)
class KindCount:
    """How many entries of a kind were found."""

    kind: ResourceKind
    count: int


@dataclass(frozen=True, slots=True)
class AgencyCount:
    """How many entries of an agency were found."""

    agency: str
    count: int


@dataclass(frozen=True, slots=True)
class Found:
    """A page of what was found: the hits, how many there are in all, and of what.

    Kinds are counted whatever kind was chosen, and agencies whatever agency, so that one can choose another.
    `agency_names` has the names of all agencies in it that the catalog has.
    """

    hits: Sequence[Hit]
    total: int
    kinds: Sequence[KindCount]
    agencies: Sequence[AgencyCount]
    agency_names: Mapping[str, Mapping[str, str]]
    next: Place | None


class SearchService:
    """Finds resources by words."""

    def __init__(self, units: UnitsOfWork) -> None:
        self._units = units

    async def search(
        self,
        asked: Asked,
        actor: Actor,
        *,
        kind: ResourceKind | None,
        agency: str | None,
        after: Place | None,
        limit: int,
    ) -> Found:
        """Return up to `limit` of those that have all words, the best first; without words, of all.

        Services that are not published yet are found by those who see them.
        """
        seen_by = own_agencies(actor)
        async with self._units.view() as view:
            index = SearchRepository(view.session)
            counts = await index.counts(asked, seen_by)
            rows = await index.page(asked, seen_by, kind, agency, after, limit + 1)
            page = rows[:limit]
            texts = await index.texts([row.id for row in page])
            agencies = _agencies(counts, kind)
            named = {row.agency for row in page} | {one.agency for one in agencies}
            names = await index.agency_names(named)
        hits = [hit(row.kind, row.resource_id, row.agency, texts[row.id], asked) for row in page]
        return Found(
            hits,
            sum(count for of, by, count in counts if kind in {None, of} and agency in {None, by}),
            _kinds(counts, agency),
            agencies,
            names,
            page[-1].place if len(rows) > limit else None,
        )


def _kinds(counts: Iterable[tuple[ResourceKind, str, int]], agency: str | None) -> list[KindCount]:
    found = dict.fromkeys(KINDS, 0)
    for kind, of, count in counts:
        if agency in {None, of}:
            found[kind] += count
    return [KindCount(kind, count) for kind, count in found.items() if count]


def _agencies(
    counts: Iterable[tuple[ResourceKind, str, int]], kind: ResourceKind | None
) -> list[AgencyCount]:
    found: dict[str, int] = {}
    for of, agency, count in counts:
        if kind in {None, of}:
            found[agency] = found.get(agency, 0) + count
    most = sorted(found.items(), key=lambda of: (-of[1], of[0]))
    return [AgencyCount(agency, count) for agency, count in most[:MOST_AGENCIES]]


class SearchIndex:
    """Keeps the index: what is written is in it with the same commit, what is not, it catches up with."""

    def __init__(self, units: UnitsOfWork, new_id: NewId) -> None:
        self._units = units
        self._new_id = new_id

    async def catch_up(self) -> int:
        """Take in what the index lacks: everything after an upgrade, or what a catalog of before it wrote.

        Returns how many resources that were. Some at a time: other writers wait meanwhile.
        """
        taken = 0
        while True:
            async with self._units.view() as view:
                if await _next(view) is None:
                    return taken
            async with self._units.begin(Actor(events.SERVICE, transaction_id=self._new_id())) as work:
                taken += await _catch_up(work)


async def put(work: UnitOfWork, written: Sequence[Resource], before: int) -> None:
    """Bring what a unit of work has written into the index. `before` is the version that it began at."""
    newest = {resource.key: resource for resource in written if resource.kind in KINDS}
    index = SearchRepository(work.session)
    for some in _some(list(newest.values())):
        owned = await _with_owners(await _with_documents(some, work), work)
        await index.put(await asyncio.to_thread(_entries, owned))
    if work.version != before:
        await index.note_all(FORM, before, work.version)


async def give_to(work: UnitOfWork, agencies: Sequence[str], agency: str) -> None:
    """Have the index show what agencies have as another one's."""
    await SearchRepository(work.session).give_to(agencies, agency)


async def _next(view: CatalogView) -> tuple[ResourceKind, int] | None:
    """Return a kind of which the index lacks something, and after which version; None where there is none."""
    states = await SearchRepository(view.session).states()
    for kind in KINDS:
        form, version = states[kind]
        after = version if form == FORM else 0
        if form != FORM or version < view.version:
            return kind, after
    return None


async def _catch_up(work: UnitOfWork) -> int:
    found = await _next(work)
    if found is None:
        return 0
    kind, after = found
    index, repository = SearchRepository(work.session), work.resources(kind)
    ids = [resource_id for resource_id, _ in await repository.versions_between(after, None, _AT_ONCE)]
    entries: list[Entry] = []
    for some in portions(kind, ids):
        loaded = list((await repository.load(some, documents=True)).values())
        entries += await asyncio.to_thread(_entries, loaded)
    await index.put(entries)
    reached = max((entry.version for entry in entries), default=after)
    await index.note(kind, FORM, reached if len(ids) == _AT_ONCE else work.version)
    return len(ids)


async def _with_documents(resources: Sequence[Resource], view: CatalogView) -> list[Resource]:
    """Load the documents of services that were written without them."""
    found: list[Resource] = []
    for resource in resources:
        if isinstance(resource, ServiceResource) and resource.openapi is None and resource.wsdl is None:
            found.append(await view.get(resource.key))
        else:
            found.append(resource)
    return found


async def _with_owners(resources: Sequence[Resource], view: CatalogView) -> list[Resource]:
    """Say of what systems provide which agency has them now: of what is new, only its system tells."""
    of = {one.key: one.id.rpartition("/")[0] for one in resources if one.kind in _PROVIDED}
    systems = await view.resources(ResourceKind.SYSTEM).load(set(of.values()))
    return [replace(one, owner=systems[of[one.key]].owner) if one.key in of else one for one in resources]


def _entries(resources: Sequence[Resource]) -> list[Entry]:
    return [entry_of(resource) for resource in resources]


def _some(resources: Sequence[Resource]) -> Iterable[Sequence[Resource]]:
    for start in range(0, len(resources), _AT_ONCE):
        yield resources[start : start + _AT_ONCE]
