"""Shows the catalog as a DCAT-AP catalogue, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lienthong.catalog.dcat.domain.catalogue import Addresses, nodes
from lienthong.catalog.domain.resources import ResourceKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lienthong.catalog.dcat.domain.graph import Node
    from lienthong.catalog.domain.resources import Resource
    from lienthong.catalog.event_types.service import EventTypeService
    from lienthong.catalog.service.unit_of_work import UnitsOfWork
    from lienthong.catalog.services.domain.service import ServiceResource
    from lienthong.catalog.services.service import ServiceService
    from lienthong.kit.actors import Actor

SERVICES, EVENT_TYPES = "services:", "event-types:"
"""What the cursor of a page begins with; the id follows after which the page begins."""
FIRST: Final = SERVICES


@dataclass(frozen=True, slots=True)
class CataloguePage:
    """Some of the catalogue, which stands for itself; `next` is the cursor of the page after it."""

    nodes: Sequence[Node]
    next: str | None


class DcatService:
    """Shows services first, then event types, each in the order of their ids."""

    def __init__(
        self, units: UnitsOfWork, services: ServiceService, event_types: EventTypeService, at: Addresses
    ) -> None:
        self._units = units
        self._services = services
        self._event_types = event_types
        self._at = at

    async def page(self, actor: Actor, after: str, limit: int) -> CataloguePage:
        """Return up to `limit` services or event types that the actor sees, from a cursor on.

        Raises:
            ValueError: `after` is no cursor.
        """
        if after.startswith(SERVICES):
            found = await self._services.page_seen({}, actor, after=after.removeprefix(SERVICES), limit=limit)
            following = EVENT_TYPES if found.last_id is None else f"{SERVICES}{found.last_id}"
            return CataloguePage(await self._nodes(found.items, ()), following)
        if not after.startswith(EVENT_TYPES):
            raise ValueError(after)
        last = after.removeprefix(EVENT_TYPES)
        events = await self._event_types.page({}, after=last, limit=limit)
        following_events = None if events.last_id is None else f"{EVENT_TYPES}{events.last_id}"
        return CataloguePage(await self._nodes((), events.items), following_events)

    async def _nodes(
        self, services: Sequence[ServiceResource], event_types: Sequence[Resource]
    ) -> list[Node]:
        codes = {one.agency for one in (*services, *event_types)}
        async with self._units.view() as view:
            agencies = await view.resources(ResourceKind.AGENCY).load(codes)
        return list(nodes(self._at, services, event_types, agencies))
