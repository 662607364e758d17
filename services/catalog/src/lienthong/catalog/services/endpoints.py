"""REST: services."""

from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response

from lienthong.catalog.domain.resources import ResourceKind
from lienthong.catalog.endpoints import (
    DEFAULT_LIMIT,
    PREFIX,
    After,
    AgencyFilter,
    AnyActor,
    Limit,
    SystemFilter,
    chosen,
    etag,
    page_document,
    path_id,
)
from lienthong.catalog.schemas.answers import ManifestPage
from lienthong.catalog.schemas.quality import QualityAnswer
from lienthong.catalog.services.domain.lifecycle import ServiceStage
from lienthong.catalog.services.domain.service import ServiceResource
from lienthong.catalog.services.schemas import ServiceManifest, ServiceSpec
from lienthong.catalog.services.service import ServiceService
from lienthong.kit.actors import Actor
from lienthong.kit.openapi import problems
from lienthong.kit.problems.catalog import UNKNOWN_RESOURCE
from lienthong.kit.rest import StrictRoute

_INSIDE: Final = frozenset(("upstreams", "weights", "healthCheck", "credentials", "tls", "xRoad"))
_XML: Final = "text/xml"
StageFilter = Annotated[
    ServiceStage | None, Query(alias="stage", description="Only services in this stage of their life.")
]


def routes(services: ServiceService) -> APIRouter:
    """Build the routes of services."""
    router = APIRouter(prefix=f"{PREFIX}/services", tags=["services"], route_class=StrictRoute)

    @router.get("", response_model=ManifestPage[ServiceManifest])
    async def list_services(
        actor: AnyActor,
        after: After,
        limit: Limit = DEFAULT_LIMIT,
        agency: AgencyFilter = None,
        system: SystemFilter = None,
        stage: StageFilter = None,
    ) -> JSONResponse:
        """List services without their documents, in the order of their ids.

        Drafts and services in review are listed to their agency and the operator only.
        """
        filters = chosen(agency=agency, system=system, stage=stage)
        page = await services.page_seen(filters, actor, after=after, limit=limit)
        return JSONResponse(page_document(page, partial(_shown_to, actor)))

    @router.get(
        "/{agency}/{system}/{code}", response_model=ServiceManifest, responses=problems(UNKNOWN_RESOURCE)
    )
    async def get_service(agency: str, system: str, code: str, actor: AnyActor) -> JSONResponse:
        """Show a service with its OpenAPI or WSDL document."""
        found = await services.seen(_id(agency, system, code), actor)
        return JSONResponse(_shown_to(actor, found), headers=etag(found))

    @router.get(
        "/{agency}/{system}/{code}/openapi",
        response_model=dict[str, Any],
        responses=problems(UNKNOWN_RESOURCE),
    )
    async def get_openapi(agency: str, system: str, code: str, actor: AnyActor) -> Response:
        """Show the OpenAPI document of a service, as it is kept."""
        service = _id(agency, system, code)
        await services.check_seen(service, actor)
        return Response(await services.openapi(service), media_type="application/json")

    @router.get(
        "/{agency}/{system}/{code}/quality",
        response_model=QualityAnswer,
        responses=problems(UNKNOWN_RESOURCE),
    )
    async def get_quality(agency: str, system: str, code: str, actor: AnyActor) -> JSONResponse:
        """Measure the OpenAPI document of a service: what is missing for its callers, with advice."""
        service = _id(agency, system, code)
        await services.check_seen(service, actor)
        return JSONResponse((await services.quality(service)).document())

    @router.get(
        "/{agency}/{system}/{code}/wsdl",
        response_class=Response,
        responses={200: {"content": {_XML: {}}}, **problems(UNKNOWN_RESOURCE)},
    )
    async def get_wsdl(
        agency: str,
        system: str,
        code: str,
        actor: AnyActor,
        lower: Annotated[str | None, Query(alias="wsdl", include_in_schema=False)] = None,
        upper: Annotated[str | None, Query(alias="WSDL", include_in_schema=False)] = None,
        single: Annotated[str | None, Query(alias="singleWsdl", include_in_schema=False)] = None,
    ) -> Response:
        """Show the WSDL document of a service of SOAP, with the gateway's address as its location."""
        # The gateway hands on what it is asked for at the service's own path, with the query that asks.
        del lower, upper, single
        service = _id(agency, system, code)
        await services.check_seen(service, actor)
        document = await services.wsdl(service)
        return Response(document, media_type=_XML)

    return router


def _id(agency: str, system: str, code: str) -> str:
    return path_id(ResourceKind.SERVICE, ServiceSpec.canonical_id, agency, system, code)


def _shown_to(actor: Actor, service: ServiceResource) -> dict[str, Any]:
    """Show a service: where and how it is reached concerns its agency and the operators only."""
    manifest = service.manifest()
    if not actor.belongs_to(service.provider_agency):
        manifest["spec"] = {name: value for name, value in manifest["spec"].items() if name not in _INSIDE}
    return manifest
