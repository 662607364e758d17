"""REST: agencies."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from lienthong.catalog.agencies.schemas import AgencyManifest, AgencySpec
from lienthong.catalog.agencies.service import AgencyService
from lienthong.catalog.domain.resources import ResourceKind
from lienthong.catalog.endpoints import (
    DEFAULT_LIMIT,
    PREFIX,
    After,
    AnyActor,
    Limit,
    chosen,
    etag,
    manifest_of,
    page_document,
    path_id,
)
from lienthong.catalog.schemas.answers import ManifestPage
from lienthong.catalog.schemas.fields import AgencyCode
from lienthong.kit.openapi import problems
from lienthong.kit.problems.catalog import UNKNOWN_RESOURCE
from lienthong.kit.rest import StrictRoute


def routes(agencies: AgencyService) -> APIRouter:
    """Build the routes of agencies."""
    router = APIRouter(prefix=f"{PREFIX}/agencies", tags=["agencies"], route_class=StrictRoute)

    @router.get("", response_model=ManifestPage[AgencyManifest])
    async def list_agencies(
        actor: AnyActor,
        after: After,
        limit: Limit = DEFAULT_LIMIT,
        parent: Annotated[AgencyCode | None, Query(description="Only those right below this one.")] = None,
        merged_into: Annotated[
            AgencyCode | None, Query(description="Only those that were merged into this one.")
        ] = None,
    ) -> JSONResponse:
        """List agencies, in the order of their codes."""
        del actor
        page = await agencies.page(chosen(parent=parent, merged_into=merged_into), after=after, limit=limit)
        return JSONResponse(page_document(page, manifest_of))

    @router.get("/{agency}", response_model=AgencyManifest, responses=problems(UNKNOWN_RESOURCE))
    async def get_agency(agency: str, actor: AnyActor) -> JSONResponse:
        """Show an agency."""
        del actor
        found = await agencies.get(path_id(ResourceKind.AGENCY, AgencySpec.canonical_id, agency))
        return JSONResponse(found.manifest(), headers=etag(found))

    return router
