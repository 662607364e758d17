"""REST: the catalog as a whole."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from lienthong.catalog import errors
from lienthong.catalog.apply.schemas import ApplyAnswer
from lienthong.catalog.domain.resources import ResourceKind
from lienthong.catalog.endpoints import (
    BODY_PROBLEMS,
    DEFAULT_LIMIT,
    PREFIX,
    After,
    AgencyFilter,
    Limit,
    Operator,
    encode_cursor,
    json_body,
    read_json_bytes,
)
from lienthong.catalog.restore.schemas import ExportPage, RestoreDocument
from lienthong.catalog.restore.service import ORDER, ExportService, RestoreService
from lienthong.kit.openapi import problems
from lienthong.kit.problems.catalog import CONFLICT
from lienthong.kit.problems.general import TOO_COSTLY
from lienthong.kit.rest import StrictRoute

DryRun = Annotated[bool, Query(description="Say what would be restored, and change nothing.")]


def routes(exports: ExportService, restores: RestoreService) -> APIRouter:
    """Build the routes that read the whole catalog out and bring it back: the operator's alone."""
    router = APIRouter(prefix=PREFIX, tags=["manifests"], route_class=StrictRoute)

    @router.get("/export", response_model=ExportPage)
    async def export_catalog(
        actor: Operator, after: After, limit: Limit = DEFAULT_LIMIT, agency: AgencyFilter = None
    ) -> JSONResponse:
        """Show all that the catalog has, or an agency: manifests with documents, and of agreements all that
        was done with them. What others refer to comes after them."""
        del actor
        page = await exports.page(_place(after), limit, () if agency is None else (agency,))
        cursor = None if page.last is None else encode_cursor(f"{page.last[0].value}:{page.last[1]}")
        return JSONResponse({"version": page.version, "items": list(page.items), "next": cursor})

    @router.post(
        "/restore",
        response_model=ApplyAnswer,
        responses=problems(*BODY_PROBLEMS, CONFLICT, TOO_COSTLY),
        openapi_extra=json_body(RestoreDocument),
    )
    async def restore_catalog(request: Request, actor: Operator, dry_run: DryRun = False) -> JSONResponse:
        """Bring back what the catalog lacks of an export, all or none, with the decisions that it states.

        What is there just so stays as it is; what is there otherwise is a conflict.
        """
        outcome = await restores.restore(await read_json_bytes(request), actor, dry_run=dry_run)
        return JSONResponse(outcome.document())

    return router


def _place(cursor: str) -> tuple[ResourceKind, str]:
    """Return the kind and id after which a page begins.

    Raises:
        ProblemError: `invalid-request`, the cursor is not the `next` of a page.
    """
    if not cursor:
        return ORDER[0], ""
    kind, colon, last = cursor.partition(":")
    if not colon or kind not in [one.value for one in ORDER]:
        raise errors.invalid_cursor()
    return ResourceKind(kind), last
