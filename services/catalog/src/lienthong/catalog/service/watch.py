"""What watches are sent: the whole catalog at one version, or what changed after a version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lienthong.catalog.repository import ChangeLogRepository

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lienthong.catalog.domain.resources import Resource, ResourceKind
    from lienthong.catalog.service.unit_of_work import UnitsOfWork


@dataclass(frozen=True, slots=True)
class VersionedResources:
    """Resources as they are at a version of the catalog, without OpenAPI documents."""

    version: int
    resources: Sequence[Resource]


class WatchService:
    """Reads the catalog for watches."""

    def __init__(self, units: UnitsOfWork) -> None:
        self._units = units

    async def snapshot(self, kinds: Sequence[ResourceKind]) -> VersionedResources:
        """Return all resources of some kinds."""
        async with self._units.view() as view:
            resources = [resource for kind in kinds for resource in await view.resources(kind).find({})]
        return VersionedResources(view.version, resources)

    async def changed_since(
        self, version: int, kinds: Sequence[ResourceKind], limit: int
    ) -> VersionedResources | None:
        """Return the resources that changed after a version; None when there are more than `limit`."""
        async with self._units.view() as view:
            keys = await ChangeLogRepository(view.session).changed_since(version, kinds, limit + 1)
            if len(keys) > limit:
                return None
            resources: list[Resource] = []
            for kind in kinds:
                ids = [resource_id for of, resource_id in keys if of is kind]
                resources += (await view.resources(kind).load(ids)).values()
        return VersionedResources(view.version, resources)
