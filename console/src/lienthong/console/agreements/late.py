"""Page: requests on which the owners of the data should have decided already."""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from lienthong.console.agreements.shown import AGREEMENTS, Agreement, listed_agreements
from lienthong.console.web import Visit, Web
from lienthong.kit.policy import Action

ROOM: Final = "requests"
_MOST_AGENCIES: Final = 20
_AT_A_TIME: Final = 200
_MOST_PAGES: Final = 5
"""Of the catalog's list for one agency, or for all: a thousand requests that wait for owners."""
_SHOWN: Final = 100


def late_routes(web: Web) -> APIRouter:
    """Build the route."""
    router = APIRouter()

    @router.get("/requests/late")
    async def late(request: Request) -> Response:
        visit = await web.known(request, ROOM)
        found: dict[str, Agreement] = {}
        all_seen = True
        for place in visit.places(Action.REQUEST_AGREEMENTS)[:_MOST_AGENCIES]:
            of_place, whole = await _late(visit, place)
            found |= {one.id: one for one in of_place}
            all_seen = all_seen and whole
        oldest = sorted(found.values(), key=lambda one: (one.due, one.id))
        shown = oldest[:_SHOWN]
        return web.page(
            request,
            visit,
            "late_requests.html",
            room=ROOM,
            found=shown,
            number=len(oldest),
            all_seen=all_seen,
            agency=await web.names.of(visit.desk, [one.provider_agency for one in shown]),
        )

    return router


async def _late(visit: Visit, place: str) -> tuple[list[Agreement], bool]:
    """What is late of an agency's requests, of everyone's where `place` is "", and whether all were seen."""
    found: list[Agreement] = []
    cursor = ""
    for _ in range(_MOST_PAGES):
        query = {"waiting_for": "owner", "consumer_agency": place, "cursor": cursor}
        page = await visit.desk.get(AGREEMENTS, **query, limit=_AT_A_TIME)
        found += [one for one in listed_agreements(page) if one.is_late]
        cursor = str(page.get("next") or "")
        if not cursor:
            return found, True
    return found, False
