"""REST: the OpenAPI documents of an agency as one."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from lienthong.catalog.agencies.schemas import AgencySpec
from lienthong.catalog.bundle.schemas import OpenApiDocument
from lienthong.catalog.bundle.service import BundleService
from lienthong.catalog.domain.resources import ResourceKind
from lienthong.catalog.endpoints import MAX_LIMIT, PREFIX, After, AnyActor, Limit, encode_cursor, path_id
from lienthong.kit.openapi import problems
from lienthong.kit.problems.catalog import NOT_ALLOWED, UNKNOWN_RESOURCE
from lienthong.kit.rest import StrictRoute

Agreed = Annotated[
    bool, Query(description="Only what the calling system may call under agreements in force.")
]


def routes(bundles: BundleService) -> APIRouter:
    """Build the route."""
    router = APIRouter(prefix=f"{PREFIX}/agencies", tags=["agencies"], route_class=StrictRoute)

    @router.get(
        "/{agency}/openapi",
        response_model=OpenApiDocument,
        responses=problems(UNKNOWN_RESOURCE, NOT_ALLOWED),
    )
    async def get_agency_openapi(
        agency: str, actor: AnyActor, after: After, limit: Limit = MAX_LIMIT, agreed: Agreed = False
    ) -> Response:
        """Show the services of an agency as one OpenAPI 3.1 document, with the paths at the gateway.

        `Link` with `rel="next"` (RFC 8288) has another document with those that follow; fewer are in one
        where their documents are large.
        """
        code = path_id(ResourceKind.AGENCY, AgencySpec.canonical_id, agency)
        text, last = await bundles.openapi(code, actor, agreed=agreed, after=after, limit=limit)
        headers = {}
        if last is not None:
            query = f"cursor={encode_cursor(last)}&limit={limit}{'&agreed=true' if agreed else ''}"
            headers["Link"] = f'<{PREFIX}/agencies/{code}/openapi?{query}>; rel="next"'
        return Response(text, media_type="application/json", headers=headers)

    return router
