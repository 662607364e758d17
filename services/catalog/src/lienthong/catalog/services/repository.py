"""Queries on services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from sqlalchemy import Text, cast, func, or_, select
from sqlalchemy.orm import undefer

from lienthong.catalog.domain.resources import ServiceOperation, owner_of
from lienthong.catalog.repository import ResourceRepository, common_members
from lienthong.catalog.services.domain.lifecycle import HIDDEN
from lienthong.catalog.services.domain.service import ServiceResource
from lienthong.catalog.services.models import ServiceRow
from lienthong.catalog.systems.models import SystemRow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Sequence

    from lienthong.catalog.domain.resources import WatchScope
    from lienthong.catalog.repository import Filters, Rows

_SHORT_AT_ONCE = 500
"""Rows without a document of which that many are decoded in some milliseconds."""


_NO_DOCUMENT: Final = "null"


class ServiceRepository(ResourceRepository[ServiceResource]):
    """Reads and writes services; each is read with the status of its system."""

    row: ClassVar = ServiceRow
    at_once: ClassVar = 4
    filter_columns: ClassVar = {
        "agency": SystemRow.agency_id,
        "system": ServiceRow.system_id,
        "stage": ServiceRow.stage,
    }

    def _where(self, query: Rows, filters: Filters) -> Rows:
        """As for all resources; `seen_by` names the agencies whose drafts are among them too."""
        others = {name: values for name, values in filters.items() if name != "seen_by"}
        if (agencies := filters.get("seen_by")) is not None:
            shown = ServiceRow.stage.not_in([stage.value for stage in HIDDEN])
            query = query.where(or_(shown, SystemRow.agency_id.in_(agencies)))
        return super()._where(query, others)

    async def watched_page(
        self, after: str, limit: int, scope: WatchScope
    ) -> tuple[Sequence[ServiceResource], str | None]:
        """Return what watches are sent of up to `limit` rows: drafts concern no gateway."""
        del scope
        query = self._select().where(ServiceRow.id > after).order_by(ServiceRow.id).limit(limit)
        found = await self._read_in_portions(query)
        return _shown(found), found[-1].id if len(found) == limit else None

    async def watched(self, ids: Collection[str], scope: WatchScope) -> Sequence[ServiceResource]:
        """Return what watches are sent of these services."""
        del scope
        return (
            _shown(await self._read_in_portions(self._select().where(ServiceRow.id.in_(ids)))) if ids else []
        )

    async def openapi(self, resource_id: str) -> str | None:
        """Return the text of the OpenAPI document of a service, as it is kept."""
        query = select(cast(ServiceRow.openapi, Text)).where(ServiceRow.id == resource_id)
        found: str | None = (await self._session.execute(query)).scalar_one_or_none()
        return None if found == _NO_DOCUMENT else found

    async def document_bytes(self, ids: Collection[str]) -> int:
        """Return about how many bytes the documents of services have together."""
        length = func.coalesce(func.length(cast(ServiceRow.openapi, Text)), 0)
        query = select(func.sum(length + func.coalesce(func.length(ServiceRow.wsdl), 0)))
        found = (await self._session.execute(query.where(ServiceRow.id.in_(ids)))).scalar_one()
        return int(found or 0)

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
        columns = ServiceRow, SystemRow.status, SystemRow.agency_id
        query = select(*columns).join(SystemRow, SystemRow.id == ServiceRow.system_id)
        return query.options(undefer(ServiceRow.openapi), undefer(ServiceRow.wsdl)) if documents else query

    def _resource(self, found: Any, *, documents: bool) -> ServiceResource:  # noqa: ANN401 - a row of `_select`
        row, status, agency = found
        return ServiceResource(
            **common_members(row),
            status=status,
            owner=owner_of(row.id, agency),
            openapi=row.openapi if documents else None,
            wsdl=row.wsdl if documents else None,
            operations=tuple(ServiceOperation.read(operation) for operation in row.operations),
        )

    def _values(self, resource: ServiceResource) -> dict[str, Any]:
        values = super()._values(resource) | {
            "system_id": resource.id.rpartition("/")[0],
            "stage": resource.lifecycle.stage.value,
            "operations": [operation.stored() for operation in resource.operations],
        }
        # A service that was read without its document keeps the one it has.
        if resource.openapi is None and resource.wsdl is None:
            return values
        return values | {"openapi": resource.openapi, "wsdl": resource.wsdl}


def _shown(services: Sequence[ServiceResource]) -> list[ServiceResource]:
    return [service for service in services if service.lifecycle.stage.is_shown]
