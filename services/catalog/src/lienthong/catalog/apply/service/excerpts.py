"""Reading the part of the catalog that a request to apply manifests is planned against."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lienthong.catalog.agencies.domain.agency import AgencyResource
from lienthong.catalog.agreements.service.agreements import agreements_naming
from lienthong.catalog.apply.domain.planning import CatalogExcerpt
from lienthong.catalog.domain.resources import ResourceKind, portions
from lienthong.catalog.errors import too_costly
from lienthong.catalog.services.domain.service import ServiceResource
from lienthong.catalog.services.service import document_bytes, is_seen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lienthong.catalog.agreements.domain.operations import OpenAgreement
    from lienthong.catalog.domain.drafts import Draft
    from lienthong.catalog.domain.resources import Resource, ResourceKey
    from lienthong.catalog.service.unit_of_work import CatalogView
    from lienthong.kit.actors import Actor

_MOST_BEFORE: Final = 64 * 1024 * 1024
"""Bytes of the documents in the catalog that those of one request take the place of."""


async def excerpt_for(drafts: Sequence[Draft], view: CatalogView, actor: Actor) -> CatalogExcerpt:
    """Read what planning needs to know about the resources that drafts are about and refer to.

    Raises:
        ProblemError: `too-costly`, the documents that would be replaced are too large together.
    """
    ids: dict[ResourceKind, set[str]] = {kind: set() for kind in ResourceKind}
    referenced: dict[ResourceKind, set[str]] = {kind: set() for kind in ResourceKind}
    for draft in drafts:
        ids[draft.kind].add(draft.id)
        for _, (kind, resource_id) in draft.references:
            referenced[kind].add(resource_id)
    if await document_bytes(view, ids[ResourceKind.SERVICE]) > _MOST_BEFORE:
        raise too_costly()
    found: dict[ResourceKey, Resource] = {}
    for kind in ResourceKind:
        repository = view.resources(kind)
        for some in portions(kind, sorted(ids[kind])):
            loaded = await repository.load(some, documents=True)
            found |= {resource.key: resource for resource in loaded.values()}
        for some in portions(kind, sorted(referenced[kind] - ids[kind])):
            loaded = await repository.load(some)
            found |= {one.key: one for one in loaded.values() if _is_seen(one, actor)}
    agencies = view.resources(ResourceKind.AGENCY)
    for some in portions(ResourceKind.AGENCY, sorted(_unread_owners(found))):
        found |= {agency.key: agency for agency in (await agencies.load(some)).values()}
    while missing := _unread_relatives(found):
        relatives = await agencies.load(missing)
        if not relatives:
            break
        found |= {agency.key: agency for agency in relatives.values()}
    agreements: dict[str, list[OpenAgreement]] = {}
    systems: dict[str, list[str]] = {}
    for draft in drafts:
        before = found.get(draft.key)
        if isinstance(before, ServiceResource) and draft.operations is not None:
            offered = {operation.id for operation in draft.operations}
            removed = {operation.id for operation in before.operations} - offered
            if removed:
                agreements[draft.id] = await agreements_naming(view, draft.id, removed)
        if isinstance(before, AgencyResource) and (draft.spec or before.spec)["class"] != before.member_class:
            systems[draft.id] = await view.resources(ResourceKind.SYSTEM).find_ids({"agency": [draft.id]})
    return CatalogExcerpt(found, agreements, systems)


def _is_seen(resource: Resource, actor: Actor) -> bool:
    return not isinstance(resource, ServiceResource) or is_seen(resource, actor)


def _unread_owners(found: dict[ResourceKey, Resource]) -> set[str]:
    """Return the agencies that have what was read, and have not been read yet."""
    of = (ResourceKind.SYSTEM, ResourceKind.SERVICE, ResourceKind.EVENT_TYPE)
    codes = {resource.agency for resource in found.values() if resource.kind in of}
    return {code for code in codes if (ResourceKind.AGENCY, code) not in found}


def _unread_relatives(found: dict[ResourceKey, Resource]) -> set[str]:
    """Return the agencies that replace others or stand above them, and have not been read yet."""
    read = [one for one in found.values() if isinstance(one, AgencyResource)]
    codes = {code for one in read for code in (one.replaced_by, one.parent) if code is not None}
    return {code for code in codes if (ResourceKind.AGENCY, code) not in found}
