"""Reading resources of one kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from lienthong.catalog.domain.resources import Resource, ResourceKind
from lienthong.kit.json_text import size

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from lienthong.catalog.service.unit_of_work import UnitsOfWork

R = TypeVar("R", bound=Resource)

PAGE_BYTES = 1024 * 1024
_PORTION = 25


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
        """Return up to `limit` resources that the filters match, from after the id `after` on.

        There are fewer where they are large: a page ends with the one that makes it `PAGE_BYTES` long.
        """
        found: list[R] = []
        room = PAGE_BYTES
        async with self._units.view() as view:
            repository = view.resources(self.kind)
            while True:
                # In portions, so that what does not go into the page is not read either.
                wanted = min(_PORTION, limit - len(found))
                portion = await repository.page(filters, found[-1].id if found else after, wanted + 1)
                for resource in portion[:wanted]:
                    found.append(resource)
                    room -= size(resource.manifest())
                    if room <= 0:
                        break
                last = len(portion) <= wanted and (not portion or found[-1].id == portion[-1].id)
                if last or room <= 0 or len(found) == limit:
                    return ResourcePage(found, None if last else found[-1].id)
