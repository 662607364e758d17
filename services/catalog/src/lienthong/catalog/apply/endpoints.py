"""REST: applying manifests."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from lienthong.catalog.apply.domain.rights import demand_somewhere
from lienthong.catalog.apply.schemas import ApplyAnswer, ApplyDocument
from lienthong.catalog.apply.service.applying import ApplyService
from lienthong.catalog.endpoints import BODY_PROBLEMS, PREFIX, Applicant, json_body, read_json_bytes
from lienthong.kit.openapi import problems
from lienthong.kit.problems.catalog import CHANGED_SINCE, CONFLICT, TOO_MANY_OPEN_REQUESTS, TOO_MANY_SYSTEMS
from lienthong.kit.problems.general import RATE_LIMITED, TOO_COSTLY
from lienthong.kit.rest import StrictRoute

DryRun = Annotated[bool, Query(description="Say what would change, and change nothing.")]

AllowBreaking = Annotated[
    bool,
    Query(description="Take new documents of services although they break who has an open agreement."),
]


def routes(service: ApplyService) -> APIRouter:
    """Build the route that applies manifests."""
    router = APIRouter(prefix=PREFIX, tags=["manifests"], route_class=StrictRoute)

    @router.post(
        "/apply",
        response_model=ApplyAnswer,
        responses=problems(
            *BODY_PROBLEMS,
            CONFLICT,
            CHANGED_SINCE,
            TOO_COSTLY,
            TOO_MANY_SYSTEMS,
            TOO_MANY_OPEN_REQUESTS,
            RATE_LIMITED,
        ),
        openapi_extra=json_body(ApplyDocument),
    )
    async def apply_manifests(
        request: Request,
        actor: Applicant,
        dry_run: DryRun = False,
        allow_breaking: AllowBreaking = False,
    ) -> JSONResponse:
        """Apply manifests: all or none. Of a person or a system each is asked for by its own action."""
        demand_somewhere(actor)
        body = await read_json_bytes(request)
        result = await service.apply(body, actor, dry_run=dry_run, allow_breaking=allow_breaking)
        return JSONResponse(result.document())

    return router
