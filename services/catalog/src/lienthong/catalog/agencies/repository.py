"""Queries on agencies."""

from __future__ import annotations

from typing import Any, ClassVar

from lienthong.catalog.agencies.domain.agency import AgencyResource
from lienthong.catalog.agencies.models import AgencyRow
from lienthong.catalog.domain.resources import ACTIVE
from lienthong.catalog.repository import ResourceRepository, common_members


class AgencyRepository(ResourceRepository[AgencyResource]):
    """Reads and writes agencies."""

    row: ClassVar = AgencyRow

    def _resource(self, found: Any, *, documents: bool) -> AgencyResource:  # noqa: ANN401 - a row of `_select`
        del documents
        return AgencyResource(**common_members(found[0]), status=ACTIVE)

    def _values(self, resource: AgencyResource) -> dict[str, Any]:
        return super()._values(resource) | {"member_class": resource.member_class}
