"""What the catalog does with event types: it shows them. They are written by applying manifests."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from lienthong.catalog.domain.resources import Resource, ResourceKind
from lienthong.catalog.event_types.domain import asyncapi
from lienthong.catalog.service.resources import ResourceService

if TYPE_CHECKING:
    from lienthong.catalog.service.unit_of_work import UnitsOfWork
    from lienthong.kit.json_text import JsonObject


class EventTypeService(ResourceService[Resource]):
    """Shows event types. `public_url` is the gateway's for callers, without a `/` at its end."""

    kind: ClassVar = ResourceKind.EVENT_TYPE

    def __init__(self, units: UnitsOfWork, public_url: str) -> None:
        super().__init__(units)
        self._public_url = public_url

    async def asyncapi(self, agency: str, *, after: str, limit: int) -> tuple[JsonObject, str | None]:
        """Return up to `limit` event types of an agency as a document, and the id after which others follow.

        Raises:
            ProblemError: `unknown-resource`, there is no such agency.
        """
        async with self._units.view() as view:
            found = await view.get((ResourceKind.AGENCY, agency))
        page = await self.page({"agency": [agency]}, after=after, limit=limit)
        document = asyncapi.document(agency, found.spec["name"], page.items, self._public_url)
        return document, page.last_id
