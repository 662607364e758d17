"""Queries on systems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import func, select, update

from lienthong.catalog.agencies.models import AgencyRow
from lienthong.catalog.domain.resources import SUSPENDED, owner_of
from lienthong.catalog.repository import ResourceRepository, common_members
from lienthong.catalog.systems.domain.key_ends import first_look
from lienthong.catalog.systems.domain.system import Suspender, SystemResource
from lienthong.catalog.systems.models import SystemRow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    from lienthong.catalog.repository import Rows
    from lienthong.kit.json_text import JsonObject


class SystemRepository(ResourceRepository[SystemResource]):
    """Reads and writes systems; each is read with the class of its agency."""

    row: ClassVar = SystemRow
    at_once: ClassVar = 50
    filter_columns: ClassVar = {"agency": SystemRow.agency_id}

    async def count_of(self, agency: str) -> int:
        """Count the systems of an agency."""
        query = select(func.count()).select_from(SystemRow).where(SystemRow.agency_id == agency)
        return (await self._session.execute(query)).scalar_one()

    async def key_sets(self) -> AsyncIterator[Sequence[JsonObject]]:
        """Yield the JWK sets of all systems, some at a time."""
        async for some in self._portions(select(SystemRow.spec["jwks"])):
            yield [jwks for (jwks,) in some]

    async def to_look_at(self, now: datetime, limit: int) -> list[SystemResource]:
        """Return systems of which a key may end soon, the longest waiting first."""
        query = self._select().where(SystemRow.remind_at <= now).order_by(SystemRow.remind_at)
        return await self._read(query.limit(limit))

    async def looked_at(self, system: str, told: datetime, again: datetime | None) -> None:
        """Keep until when it was told of a system's keys, and when to look again. It gets no new version:
        nothing of it has changed."""
        query = update(SystemRow).where(SystemRow.id == system)
        await self._session.execute(query.values(remind_at=again, told_at=told))

    def _select(self, *, documents: bool = False) -> Rows:
        del documents
        return select(SystemRow, AgencyRow.member_class).join(AgencyRow, AgencyRow.id == SystemRow.agency_id)

    def _resource(self, found: Any, *, documents: bool) -> SystemResource:  # noqa: ANN401 - a row of `_select`
        del documents
        row, member_class = found
        by = None
        if row.status == SUSPENDED:
            # A catalog of before the column wrote the status alone, while it was being replaced.
            by = Suspender(row.suspended_by or Suspender.PLATFORM)
        return SystemResource(
            **common_members(row),
            owner=owner_of(row.id, row.agency_id),
            status=row.status,
            member_class=member_class,
            suspended_by=by,
            told_at=row.told_at,
        )

    def _values(self, resource: SystemResource) -> dict[str, Any]:
        return super()._values(resource) | {
            "agency_id": resource.agency,
            "status": resource.status,
            "suspended_by": resource.suspended_by and resource.suspended_by.value,
            "remind_at": first_look(resource.spec["jwks"], resource.told_at),
        }
