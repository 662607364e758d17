"""The pages of rooms that have no others yet: what will be there, and what to do now."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request
from starlette.responses import Response

from lienthong.console.rooms import ROOMS, Room
from lienthong.console.web import Web


def room_routes(web: Web) -> APIRouter:
    """Build the routes: one for each room that is still to come."""
    router = APIRouter()
    for room in ROOMS:
        if room.coming is not None:
            router.add_api_route(room.path, _page(web, room), methods=["GET"], name=room.name)
    return router


def _page(web: Web, room: Room) -> Callable[[Request], Awaitable[Response]]:
    async def page(request: Request) -> Response:
        visit = await web.known(request, room.name)
        return web.page(request, visit, "room.html", room=room.name, places=visit.places(room.action))

    return page
