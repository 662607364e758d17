"""REST: systems."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from lienthong.catalog.domain.resources import ResourceKind
from lienthong.catalog.endpoints import (
    DEFAULT_LIMIT,
    PREFIX,
    After,
    AnyActor,
    Limit,
    Operator,
    manifest_of,
    page_document,
    path_id,
)
from lienthong.catalog.systems.schemas import SystemSpec
from lienthong.catalog.systems.service import SystemService
from lienthong.kit.rest import StrictRoute


def routes(systems: SystemService) -> APIRouter:
    """Build the routes of systems."""
    router = APIRouter(prefix=f"{PREFIX}/systems", tags=["systems"], route_class=StrictRoute)

    @router.get("")
    async def list_systems(actor: AnyActor, after: After, limit: Limit = DEFAULT_LIMIT) -> JSONResponse:
        """List systems, in the order of their ids."""
        del actor
        page = await systems.page({}, after=after, limit=limit)
        return JSONResponse(page_document(page, manifest_of))

    @router.get("/{agency}/{system}")
    async def get_system(agency: str, system: str, actor: AnyActor) -> JSONResponse:
        """Show a system."""
        del actor
        return JSONResponse((await systems.get(_id(agency, system))).manifest())

    @router.post("/{agency}/{system}/suspend")
    async def suspend_system(agency: str, system: str, operator: Operator) -> JSONResponse:
        """Suspend a system, with everything that it provides."""
        return JSONResponse((await systems.suspend(_id(agency, system), operator)).manifest())

    @router.post("/{agency}/{system}/resume")
    async def resume_system(agency: str, system: str, operator: Operator) -> JSONResponse:
        """Let a suspended system take part again."""
        return JSONResponse((await systems.resume(_id(agency, system), operator)).manifest())

    return router


def _id(agency: str, system: str) -> str:
    return path_id(ResourceKind.SYSTEM, SystemSpec.canonical_id, agency, system)
