"""REST: event types."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from lienthong.catalog.domain.resources import ResourceKind
from lienthong.catalog.endpoints import (
    DEFAULT_LIMIT,
    MAX_LIMIT,
    PREFIX,
    After,
    AgencyFilter,
    AnyActor,
    Limit,
    SystemFilter,
    chosen,
    encode_cursor,
    etag,
    manifest_of,
    page_document,
    path_id,
)
from lienthong.catalog.event_types.schemas import AsyncApiDocument, EventTypeManifest, EventTypeSpec
from lienthong.catalog.event_types.service import EventTypeService
from lienthong.catalog.schemas.answers import ManifestPage
from lienthong.catalog.schemas.fields import AgencyCode
from lienthong.kit.openapi import problems
from lienthong.kit.problems.catalog import UNKNOWN_RESOURCE
from lienthong.kit.rest import StrictRoute


def routes(event_types: EventTypeService) -> APIRouter:
    """Build the routes of event types."""
    router = APIRouter(prefix=f"{PREFIX}/event-types", tags=["event types"], route_class=StrictRoute)

    @router.get("", response_model=ManifestPage[EventTypeManifest])
    async def list_event_types(
        actor: AnyActor,
        after: After,
        limit: Limit = DEFAULT_LIMIT,
        agency: AgencyFilter = None,
        system: SystemFilter = None,
    ) -> JSONResponse:
        """List event types, in the order of their ids."""
        del actor
        page = await event_types.page(chosen(agency=agency, system=system), after=after, limit=limit)
        return JSONResponse(page_document(page, manifest_of))

    @router.get(
        "/{agency}/{system}/{code}", response_model=EventTypeManifest, responses=problems(UNKNOWN_RESOURCE)
    )
    async def get_event_type(agency: str, system: str, code: str, actor: AnyActor) -> JSONResponse:
        """Show an event type."""
        del actor
        event_type = path_id(ResourceKind.EVENT_TYPE, EventTypeSpec.canonical_id, agency, system, code)
        found = await event_types.get(event_type)
        return JSONResponse(found.manifest(), headers=etag(found))

    @router.get("/asyncapi", response_model=AsyncApiDocument, responses=problems(UNKNOWN_RESOURCE))
    async def asyncapi(
        agency: Annotated[AgencyCode, Query(description="Whose event types.")],
        actor: AnyActor,
        after: After,
        limit: Limit = MAX_LIMIT,
    ) -> JSONResponse:
        """Show the event types of an agency as an AsyncAPI 3.0 document.

        `Link` with `rel="next"` (RFC 8288) has another document with those that follow; fewer are in one
        where their schemas are large.
        """
        del actor
        document, last = await event_types.asyncapi(agency, after=after, limit=limit)
        headers = {}
        if last is not None:
            query = f"agency={agency}&cursor={encode_cursor(last)}&limit={limit}"
            headers["Link"] = f'<{PREFIX}/event-types/asyncapi?{query}>; rel="next"'
        return JSONResponse(document, headers=headers)

    return router
