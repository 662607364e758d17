"""REST: merging agencies."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from lienthong.catalog.endpoints import BODY_PROBLEMS, PREFIX, Administrator, json_body, read_small_json
from lienthong.catalog.mergers.schemas import MergerAnswer, MergerRequest
from lienthong.catalog.mergers.service import MergerService
from lienthong.kit.openapi import problems
from lienthong.kit.policy import Action
from lienthong.kit.problems.catalog import CONFLICT
from lienthong.kit.rest import StrictRoute

DryRun = Annotated[bool, Query(description="Say what would go over, and change nothing.")]


def routes(mergers: MergerService) -> APIRouter:
    """Build the route that merges agencies."""
    router = APIRouter(prefix=PREFIX, tags=["agencies"], route_class=StrictRoute)

    @router.post(
        "/mergers",
        response_model=MergerAnswer,
        responses=problems(*BODY_PROBLEMS, CONFLICT),
        openapi_extra=json_body(MergerRequest),
    )
    async def merge_agencies(request: Request, actor: Administrator, dry_run: DryRun = False) -> JSONResponse:
        """Merge agencies into another one: their codes end, and all that they have goes over to it. Ids stay.
        All in one transaction; the same merger asked for again changes nothing."""
        actor.demand(Action.MANAGE_AGENCIES)
        merged = await mergers.merge(await read_small_json(request), actor, dry_run=dry_run)
        return JSONResponse(merged.document())

    return router
