"""Pages: suspending a system, and letting it go on, each after a page that says what comes of it.

What the platform has suspended, it alone lets go on; that is the catalog's rule, which these pages show."""

import asyncio
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from lienthong.console.errors import nothing_there, room_closed
from lienthong.console.systems.asking import AT_A_TIME, CATALOG, onward
from lienthong.console.systems.manifests import Named, listed, system_path
from lienthong.console.web import Visit, Web
from lienthong.kit.policy import Action
from lienthong.kit.problems.roles import suspended_by_platform
from lienthong.kit.text import BilingualText
from lienthong.pages.frame import see_other

_SUSPEND: Final = BilingualText("suspending systems", "tạm ngừng hệ thống")
BY_PLATFORM: Final = "platform"
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
        found, services, agreements = await asyncio.gather(
            desk.get(path),
            desk.get("/catalog/v1/services", system=which, limit=AT_A_TIME),
            desk.get("/catalog/v1/agreements", consumer=which, status="approved", limit=AT_A_TIME),
        )
        system = Named.of(found)
        if act == "resume" and not may_resume(visit, system):
            raise suspended_by_platform(system.id)
        return web.page(
            request,
            visit,
            "suspend_system.html",
            room=CATALOG,
            system=system,
            for_platform=visit.may(Action.SUSPEND_SYSTEMS),
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


def may_resume(visit: Visit, system: Named) -> bool:
    """Whether somebody is offered to let a system go on: what the platform has suspended, the platform."""
    place = "" if system.suspended_by == BY_PLATFORM else system.agency
    return visit.may(Action.SUSPEND_SYSTEMS, place)


def _checked(agency: str, code: str, act: str) -> str:
    """Where the catalog has the system that something is to be done with.

    Raises:
        ProblemError: 404 `not-found`, there can be no such system, or nothing of this name can be done.
    """
    if act not in _DONE_BY:
        raise nothing_there()
    return system_path(agency, code)
