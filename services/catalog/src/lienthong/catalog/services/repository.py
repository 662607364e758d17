"""Queries on services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import select
from sqlalchemy.orm import undefer

from lienthong.catalog.domain.resources import ServiceOperation
from lienthong.catalog.repository import ResourceRepository, common_members
from lienthong.catalog.services.domain.service import ServiceResource
from lienthong.catalog.services.models import ServiceRow
from lienthong.catalog.systems.models import SystemRow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from lienthong.catalog.repository import Rows

_SHORT_AT_ONCE = 500
"""Rows without a document of which that many are decoded in some milliseconds."""


class ServiceRepository(ResourceRepository[ServiceResource]):
    """Reads and writes services; each is read with the status of its system."""

    row: ClassVar = ServiceRow
    at_once: ClassVar = 4
    filter_columns: ClassVar = {"agency": SystemRow.agency_id, "system": ServiceRow.system_id}

    async def openapi(self, resource_id: str) -> dict[str, Any] | None:
        """Return the OpenAPI document of a service."""
        query = select(ServiceRow.openapi).where(ServiceRow.id == resource_id)
        return (await self._session.execute(query)).scalar_one_or_none()

    async def wsdl(self, resource_id: str) -> str | None:
        """Return the WSDL document of a service."""
        query = select(ServiceRow.wsdl).where(ServiceRow.id == resource_id)
        return (await self._session.execute(query)).scalar_one_or_none()

    async def upstreams(self) -> AsyncIterator[tuple[str, Sequence[str]]]:
        """Yield the agency and the upstreams of each service; they are read some at a time."""
        query = select(SystemRow.agency_id, ServiceRow.spec["upstreams"]).join(
            SystemRow, SystemRow.id == ServiceRow.system_id
        )
        async for some in self._portions(query, _SHORT_AT_ONCE):
            for agency, found in some:
                yield agency, found

    def _select(self, *, documents: bool = False) -> Rows:
        query = select(ServiceRow, SystemRow.status).join(SystemRow, SystemRow.id == ServiceRow.system_id)
        return query.options(undefer(ServiceRow.openapi), undefer(ServiceRow.wsdl)) if documents else query

    def _resource(self, found: Any, *, documents: bool) -> ServiceResource:  # noqa: ANN401 - a row of `_select`
        row, status = found
        return ServiceResource(
            **common_members(row),
            status=status,
            openapi=row.openapi if documents else None,
            wsdl=row.wsdl if documents else None,
            operations=tuple(ServiceOperation.read(operation) for operation in row.operations),
        )

    def _values(self, resource: ServiceResource) -> dict[str, Any]:
        values = super()._values(resource) | {
            "system_id": resource.id.rpartition("/")[0],
            "operations": [operation.stored() for operation in resource.operations],
        }
        # A service that was read without its document keeps the one it has.
        if resource.openapi is None and resource.wsdl is None:
            return values
        return values | {"openapi": resource.openapi, "wsdl": resource.wsdl}
