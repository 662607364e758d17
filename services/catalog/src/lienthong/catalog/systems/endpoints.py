"""REST: systems."""

from functools import partial
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from lienthong.catalog.domain.actors import Actor
from lienthong.catalog.domain.resources import ResourceKind
from lienthong.catalog.endpoints import (
    DEFAULT_LIMIT,
    PREFIX,
    After,
    AgencyFilter,
    AnyActor,
    Limit,
    Operator,
    chosen,
    page_document,
    path_id,
)
from lienthong.catalog.schemas.answers import ManifestPage
from lienthong.catalog.systems.domain.system import SystemResource
from lienthong.catalog.systems.schemas import SystemManifest, SystemSpec
from lienthong.catalog.systems.service import SystemService
from lienthong.kit.openapi import problems
from lienthong.kit.problems.catalog import UNKNOWN_RESOURCE
from lienthong.kit.rest import StrictRoute


def routes(systems: SystemService) -> APIRouter:
    """Build the routes of systems."""
    router = APIRouter(prefix=f"{PREFIX}/systems", tags=["systems"], route_class=StrictRoute)

    @router.get("", response_model=ManifestPage[SystemManifest])
    async def list_systems(
        actor: AnyActor, after: After, limit: Limit = DEFAULT_LIMIT, agency: AgencyFilter = None
    ) -> JSONResponse:
        """List systems, in the order of their ids."""
        page = await systems.page(chosen(agency=agency), after=after, limit=limit)
        return JSONResponse(page_document(page, partial(_shown_to, actor)))

    @router.get("/{agency}/{system}", response_model=SystemManifest, responses=problems(UNKNOWN_RESOURCE))
    async def get_system(agency: str, system: str, actor: AnyActor) -> JSONResponse:
        """Show a system."""
        return JSONResponse(_shown_to(actor, await systems.get(_id(agency, system))))

    @router.post(
        "/{agency}/{system}/suspend", response_model=SystemManifest, responses=problems(UNKNOWN_RESOURCE)
    )
    async def suspend_system(agency: str, system: str, operator: Operator) -> JSONResponse:
        """Suspend a system, with everything that it provides."""
        return JSONResponse((await systems.suspend(_id(agency, system), operator)).manifest())

    @router.post(
        "/{agency}/{system}/resume", response_model=SystemManifest, responses=problems(UNKNOWN_RESOURCE)
    )
    async def resume_system(agency: str, system: str, operator: Operator) -> JSONResponse:
        """Let a suspended system take part again."""
        return JSONResponse((await systems.resume(_id(agency, system), operator)).manifest())

    return router


def _id(agency: str, system: str) -> str:
    return path_id(ResourceKind.SYSTEM, SystemSpec.canonical_id, agency, system)


def _shown_to(actor: Actor, system: SystemResource) -> dict[str, Any]:
    """Show a system: where it calls from concerns its agency and the operator only."""
    manifest = system.manifest()
    if not actor.is_operator and actor.agency != system.provider_agency:
        manifest["spec"] = {name: value for name, value in manifest["spec"].items() if name != "xroad"}
    return manifest
