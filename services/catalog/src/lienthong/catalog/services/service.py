"""What the catalog does with services: it shows them. They are written by applying manifests."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from lienthong.catalog.domain.resources import ResourceKind, unknown_resource
from lienthong.catalog.service.resources import ResourceService
from lienthong.catalog.services.domain.service import ServiceResource
from lienthong.catalog.services.domain.wsdl_locations import for_callers
from lienthong.catalog.services.repository import ServiceRepository

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from lienthong.catalog.service.unit_of_work import CatalogView, UnitsOfWork
    from lienthong.kit.json_text import JsonObject


class ServiceService(ResourceService[ServiceResource]):
    """Shows services and their documents. `public_url` is the gateway's address as callers know it."""

    kind: ClassVar = ResourceKind.SERVICE

    def __init__(self, units: UnitsOfWork, public_url: str) -> None:
        super().__init__(units)
        self._public_url = public_url.rstrip("/")

    async def openapi(self, resource_id: str) -> JsonObject:
        """Return the OpenAPI document of a service, as it was applied.

        Raises:
            ProblemError: `unknown-resource`, there is no such service.
        """
        async with self._units.view() as view:
            document = await ServiceRepository(view.session).openapi(resource_id)
        if document is None:
            raise unknown_resource((self.kind, resource_id))
        return document

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


async def all_upstreams(view: CatalogView) -> AsyncIterator[tuple[str, Sequence[str]]]:
    """Yield the agency and the upstreams of each service."""
    async for found in ServiceRepository(view.session).upstreams():
        yield found
