"""Page: searching the audit trail."""

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from lienthong.console.records.shown import read
from lienthong.console.web import NOTHING_FAILED, Web, shown_above
from lienthong.kit.problems import ProblemError

ROOM: Final = "records"
ENTRIES: Final = "/audit/v1/entries"
FILTERS: Final = {"tx": 128, "client": 255, "service": 255, "status": 3, "agency": 35}
"""Each with its greatest length."""
_AT_A_TIME: Final = 25


def record_routes(web: Web) -> APIRouter:
    """Build the route."""
    router = APIRouter()

    @router.get("/records")
    async def records(request: Request) -> Response:
        visit = await web.known(request, ROOM)
        said = request.query_params
        wanted = {name: said.get(name, "").strip()[:longest] for name, longest in FILTERS.items()}
        wanted["agency"] = wanted["agency"].upper()
        cursor = said.get("cursor", "")
        values: dict[str, Any] = {**NOTHING_FAILED, "found": [], "onward": None}
        status = 200
        try:
            answer = await visit.desk.get(ENTRIES, **wanted, cursor=cursor, limit=_AT_A_TIME)
            values["found"], values["onward"] = read(answer, wanted)
        except ProblemError as problem:
            values |= shown_above(problem, "invalid-request", "role-required", "rate-limited")
            status = problem.status
        return web.page(
            request,
            visit,
            "records.html",
            room=ROOM,
            status=status,
            wanted=wanted,
            first=not cursor,
            **values,
        )

    return router
