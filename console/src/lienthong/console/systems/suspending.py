"""Pages: suspending a system, and letting it go on, each after a page that says what comes of it."""

import asyncio
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from lienthong.console.errors import nothing_there, room_closed
from lienthong.console.systems.asking import AT_A_TIME, CATALOG, onward
from lienthong.console.systems.manifests import Named, listed, system_path
from lienthong.console.web import Web
from lienthong.kit.policy import Action
from lienthong.kit.text import BilingualText
from lienthong.pages.frame import see_other

_SUSPEND: Final = BilingualText("suspending systems", "tạm ngừng hệ thống")
_DONE_BY: Final = {"suspend": "suspended", "resume": "resumed"}


def suspension_routes(web: Web) -> APIRouter:
    """Build the routes."""
    router = APIRouter(prefix="/systems/{agency}/{code}")

    @router.get("/{act}")
    async def ask_whether(request: Request, agency: str, code: str, act: str) -> Response:
        visit = await web.known(request, CATALOG)
        path = _checked(agency, code, act)
        if not visit.may(Action.SUSPEND_SYSTEMS, agency.upper()):
            raise room_closed(_SUSPEND)
        desk, which = visit.desk, f"{agency}/{code}"
        system, services, agreements = await asyncio.gather(
            desk.get(path),
            desk.get("/catalog/v1/services", system=which, limit=AT_A_TIME),
            desk.get("/catalog/v1/agreements", consumer=which, status="approved", limit=AT_A_TIME),
        )
        return web.page(
            request,
            visit,
            "suspend_system.html",
            room=CATALOG,
            system=Named.of(system),
            suspends=act == "suspend",
            services=listed(services),
            more_services=onward("", services) is not None,
            agreements=listed(agreements),
            more_agreements=onward("", agreements) is not None,
        )

    @router.post("/{act}")
    async def move(request: Request, agency: str, code: str, act: str) -> Response:
        await web.forms.read(request)
        visit = await web.known(request, CATALOG)
        await visit.desk.send("POST", f"{_checked(agency, code, act)}/{act}")
        return see_other(f"/systems/{agency}/{code}?done={_DONE_BY[act]}")

    return router


def _checked(agency: str, code: str, act: str) -> str:
    """Where the catalog has the system that something is to be done with.

    Raises:
        ProblemError: 404 `not-found`, there can be no such system, or nothing of this name can be done.
    """
    if act not in _DONE_BY:
        raise nothing_there()
    return system_path(agency, code)
