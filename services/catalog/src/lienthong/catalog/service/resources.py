"""Reading resources of one kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from lienthong.catalog.domain.resources import Resource, ResourceKind

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from lienthong.catalog.service.unit_of_work import UnitsOfWork

R = TypeVar("R", bound=Resource)


@dataclass(frozen=True, slots=True)
class ResourcePage(Generic[R]):
    """Some resources in the order of their ids; the next page begins after `last_id`, None at the end."""

    items: Sequence[R]
    last_id: str | None


class ResourceService(Generic[R]):
    """Shows the resources of one kind. Features derive from it and add what else can be done with them."""

    kind: ClassVar[ResourceKind]

    def __init__(self, units: UnitsOfWork) -> None:
        self._units = units

    async def get(self, resource_id: str) -> R:
        """Return one resource, a service with its OpenAPI document.

        Raises:
            ProblemError: `unknown-resource`, there is no such resource.
        """
        async with self._units.view() as view:
            resource: R = await view.get((self.kind, resource_id))
            return resource

    async def page(
        self, filters: Mapping[str, Collection[str]], *, after: str, limit: int
    ) -> ResourcePage[R]:
        """Return up to `limit` resources that the filters match, from after the id `after` on."""
        async with self._units.view() as view:
            found = await view.resources(self.kind).page(filters, after, limit + 1)
        more = len(found) > limit
        return ResourcePage(found[:limit], found[limit - 1].id if more else None)
