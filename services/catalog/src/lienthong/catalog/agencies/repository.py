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
    filter_columns: ClassVar = {"parent": AgencyRow.parent_id, "merged_into": AgencyRow.merged_into}

    def _resource(self, found: Any, *, documents: bool) -> AgencyResource:  # noqa: ANN401 - a row of `_select`
        del documents
        row = found[0]
        return AgencyResource(**common_members(row), status=ACTIVE, merged_into=row.merged_into)

    def _values(self, resource: AgencyResource) -> dict[str, Any]:
        return super()._values(resource) | {
            "member_class": resource.member_class,
            "parent_id": resource.parent,
            "merged_into": resource.merged_into,
        }
