"""REST: applying manifests."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from lienthong.catalog.apply.service import ApplyService
from lienthong.catalog.endpoints import PREFIX, Operator, read_json
from lienthong.kit.rest import StrictRoute


def routes(service: ApplyService) -> APIRouter:
    """Build the route that applies manifests."""
    router = APIRouter(prefix=PREFIX, tags=["manifests"], route_class=StrictRoute)

    @router.post("/apply")
    async def apply_manifests(request: Request, operator: Operator, dry_run: bool = False) -> JSONResponse:
        """Apply manifests: all or none."""
        result = await service.apply(await read_json(request), operator, dry_run=dry_run)
        return JSONResponse(result.document())

    return router
