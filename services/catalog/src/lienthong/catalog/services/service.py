"""What the catalog does with services: it shows them. They are written by applying manifests."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, ClassVar, Final

from lienthong.catalog.domain.resources import ResourceKind, unknown_resource
from lienthong.catalog.service.resources import ResourcePage, ResourceService
from lienthong.catalog.services.domain.quality import Quality, quality
from lienthong.catalog.services.domain.service import ServiceResource
from lienthong.catalog.services.domain.wsdl_locations import for_callers
from lienthong.catalog.services.repository import ServiceRepository

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping, Sequence

    from lienthong.catalog.service.unit_of_work import CatalogView, UnitsOfWork
    from lienthong.kit.actors import Actor


_MOSTLY_ESCAPES: Final = 48 * 1024 * 1024
"""Characters of a document as databases keep it, in ASCII, whose text has 20 MiB."""


class ServiceService(ResourceService[ServiceResource]):
    """Shows services and their documents. `public_url` is the gateway's address as callers know it."""

    kind: ClassVar = ResourceKind.SERVICE

    def __init__(self, units: UnitsOfWork, public_url: str) -> None:
        super().__init__(units)
        self._public_url = public_url.rstrip("/")

    async def seen(self, resource_id: str, actor: Actor) -> ServiceResource:
        """Return one service with its document, where the actor sees it.

        Raises:
            ProblemError: `unknown-resource`, there is no such service, or it is another agency's draft.
        """
        service = await self.get(resource_id)
        if not is_seen(service, actor):
            raise unknown_resource((self.kind, resource_id))
        return service

    async def page_seen(
        self, filters: Mapping[str, Collection[str]], actor: Actor, *, after: str, limit: int
    ) -> ResourcePage[ServiceResource]:
        """Return a page of the services that the actor sees; see `page`."""
        own = own_agencies(actor)
        seen = filters if own is None else {**filters, "seen_by": own}
        return await self.page(seen, after=after, limit=limit)

    async def check_seen(self, resource_id: str, actor: Actor) -> None:
        """Check that there is a service which the actor sees.

        Raises:
            ProblemError: `unknown-resource`, there is none.
        """
        async with self._units.view() as view:
            found = await ServiceRepository(view.session).load([resource_id])
        if not any(is_seen(service, actor) for service in found.values()):
            raise unknown_resource((self.kind, resource_id))

    async def openapi(self, resource_id: str) -> str:
        """Return the OpenAPI document of a service as JSON text, which nobody had to read.

        Raises:
            ProblemError: `unknown-resource`, there is no such service.
        """
        async with self._units.view() as view:
            document = await ServiceRepository(view.session).openapi(resource_id)
        if document is None:
            raise unknown_resource((self.kind, resource_id))
        if len(document) > _MOSTLY_ESCAPES:
            return await asyncio.to_thread(_without_escapes, document)
        return document

    async def quality(self, resource_id: str) -> Quality:
        """Measure the OpenAPI document of a service.

        Raises:
            ProblemError: `unknown-resource`, there is no such service, or it speaks SOAP.
        """
        service = await self.get(resource_id)
        if service.openapi is None:
            raise unknown_resource((self.kind, resource_id))
        return await asyncio.to_thread(quality, service.openapi)

    async def wsdl(self, resource_id: str) -> str:
        """Return the WSDL document of a service, for callers: its ports have the gateway's address.

        Raises:
            ProblemError: `unknown-resource`, there is no such service, or it has no WSDL document.
        """
        async with self._units.view() as view:
            document = await ServiceRepository(view.session).wsdl(resource_id)
        if document is None:
            raise unknown_resource((self.kind, resource_id))
        return await asyncio.to_thread(for_callers, document, f"{self._public_url}/api/{resource_id}")

    async def ids_of(self, system: str) -> list[str]:
        """Return the ids of the services that a system provides, in their order."""
        async with self._units.view() as view:
            return await ServiceRepository(view.session).find_ids({"system": [system]})


def _without_escapes(document: str) -> str:
    return json.dumps(json.loads(document), ensure_ascii=False, separators=(",", ":"))


def is_seen(service: ServiceResource, actor: Actor) -> bool:
    """Tell whether an actor sees a service: of those that are not published yet only its agency's own."""
    return service.lifecycle.stage.is_shown or actor.belongs_to(service.provider_agency)


def own_agencies(actor: Actor) -> list[str] | None:
    """Return the agencies whose drafts an actor sees; None: those of all."""
    if actor.is_operator or any(not grant.agency for grant in actor.grants):
        return None
    return sorted(actor.codes or {grant.agency for grant in actor.grants})


async def document_bytes(view: CatalogView, ids: Collection[str]) -> int:
    """Return about how many bytes the documents of services have together."""
    return await ServiceRepository(view.session).document_bytes(ids)


async def all_upstreams(view: CatalogView) -> AsyncIterator[tuple[str, Sequence[str]]]:
    """Yield the agency and the upstreams of each service."""
    async for found in ServiceRepository(view.session).upstreams():
        yield found
