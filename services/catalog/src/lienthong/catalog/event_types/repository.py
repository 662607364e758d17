"""Queries on event types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import select

from lienthong.catalog.domain.resources import Resource, ResourceKind, owner_of
from lienthong.catalog.event_types.models import EventTypeRow
from lienthong.catalog.repository import ResourceRepository, common_members
from lienthong.catalog.systems.models import SystemRow

if TYPE_CHECKING:
    from lienthong.catalog.repository import Rows


class EventTypeRepository(ResourceRepository[Resource]):
    """Reads and writes event types; each is read with the status of its system."""

    row: ClassVar = EventTypeRow
    at_once: ClassVar = 8
    filter_columns: ClassVar = {"agency": SystemRow.agency_id, "system": EventTypeRow.system_id}

    def _select(self, *, documents: bool = False) -> Rows:
        del documents
        columns = EventTypeRow, SystemRow.status, SystemRow.agency_id
        return select(*columns).join(SystemRow, SystemRow.id == EventTypeRow.system_id)

    def _resource(self, found: Any, *, documents: bool) -> Resource:  # noqa: ANN401 - a row of `_select`
        del documents
        row, status, agency = found
        owner = owner_of(row.id, agency)
        return Resource(kind=ResourceKind.EVENT_TYPE, **common_members(row), status=status, owner=owner)

    def _values(self, resource: Resource) -> dict[str, Any]:
        return super()._values(resource) | {"system_id": resource.id.rpartition("/")[0]}
