"""Pages: how services are used, and which agencies talk to which."""

import asyncio
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from lienthong.console.usage.asked import DAYS, USAGE, VIEWS, Asked, period
from lienthong.console.usage.graph import MOST_PAIRS, draw, pairs_of
from lienthong.console.usage.shown import Use, read, together
from lienthong.console.web import NOTHING_FAILED, Visit, Web, shown_above
from lienthong.kit.clock import Clock
from lienthong.kit.policy import Action
from lienthong.kit.problems import ProblemError

ROOM: Final = "usage"
_ROWS: Final = 100
_FAILED: Final = ("4", "5", "0")
"""First digits of the status of calls that failed; 0 are those without an answer."""


def usage_routes(web: Web, clock: Clock) -> APIRouter:
    """Build the routes."""
    router = APIRouter(prefix="/usage")

    @router.get("")
    async def usage(request: Request) -> Response:
        visit = await web.known(request, ROOM)
        asked = Asked.of(request.query_params, visit)
        values: dict[str, Any] = {**NOTHING_FAILED, "use": None}
        status = 200
        try:
            values["use"] = await _use(visit, asked, clock)
        except ProblemError as problem:
            values |= shown_above(problem, "invalid-request", "role-required", "rate-limited")
            status = problem.status
        return web.page(
            request,
            visit,
            "usage.html",
            room=ROOM,
            status=status,
            asked=asked,
            views=VIEWS,
            days=DAYS,
            agency=await web.names.of(visit.desk, [*asked.places, asked.agency]),
            may_read_records=bool(visit.places(Action.READ_RECORDS)),
            **values,
        )

    @router.get("/graph")
    async def graph(request: Request) -> Response:
        visit = await web.known(request, ROOM)
        asked = Asked.of(request.query_params, visit)
        answer = await visit.desk.get(
            USAGE,
            by="consumer_agency,provider",
            agency=asked.agency,
            limit=MOST_PAIRS,
            **period(asked.days, clock.now()),
        )
        use = read(answer)
        pairs = pairs_of(use)
        codes = sorted({code for pair in pairs for code in (pair.consumer, pair.provider)})
        return web.page(
            request,
            visit,
            "usage_graph.html",
            room=ROOM,
            asked=asked,
            days=DAYS,
            hours=asked.days * 24,
            pairs=pairs,
            drawing=draw(pairs),
            use=use,
            agency=await web.names.of(visit.desk, codes),
        )

    return router


async def _use(visit: Visit, asked: Asked, clock: Clock) -> Use:
    query = asked.query(clock.now())
    if asked.view.name != "errors":
        return read(await visit.desk.get(USAGE, **query, limit=_ROWS))
    answers = await asyncio.gather(
        *(visit.desk.get(USAGE, **query, status=status, limit=_ROWS) for status in _FAILED)
    )
    return together([read(answer) for answer in answers])
