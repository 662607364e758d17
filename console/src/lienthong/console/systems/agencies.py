"""Pages: agencies, the systems of one, and registering an agency."""

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from lienthong.console.agency_names import AGENCIES
from lienthong.console.errors import agency_taken, room_closed
from lienthong.console.systems.asking import (
    AT_A_TIME,
    AT_THE_FORM,
    CATALOG,
    SYSTEMS,
    agency_exists,
    onward,
)
from lienthong.console.systems.manifests import MEMBER_CLASSES, Named, agency_code, listed, new_agency
from lienthong.console.web import NOTHING_FAILED, Visit, Web, shown_above
from lienthong.kit.policy import Action
from lienthong.kit.problems import ProblemError
from lienthong.kit.text import BilingualText
from lienthong.pages.frame import see_other

_REGISTER: Final = BilingualText("registering agencies", "đăng ký cơ quan")


def agency_routes(web: Web) -> APIRouter:
    """Build the routes."""
    router = APIRouter(prefix="/agencies")

    @router.get("")
    async def agencies(request: Request) -> Response:
        visit = await web.known(request, CATALOG)
        cursor = request.query_params.get("cursor", "")
        page = await visit.desk.get(AGENCIES, cursor=cursor, limit=AT_A_TIME)
        return web.page(
            request,
            visit,
            "agencies.html",
            room=CATALOG,
            agencies=listed(page),
            onward=onward("/agencies", page),
            first=not cursor,
            may_register=visit.may(Action.MANAGE_AGENCIES),
        )

    def registration(request: Request, visit: Visit, form: dict[str, str], **failed: Any) -> Response:  # noqa: ANN401
        if not visit.may(Action.MANAGE_AGENCIES):
            raise room_closed(_REGISTER)
        values = {"form": form, "classes": MEMBER_CLASSES, **NOTHING_FAILED, **failed}
        return web.page(request, visit, "register_agency.html", room=CATALOG, **values)

    @router.get("/register")
    async def ask_what(request: Request) -> Response:
        return registration(request, await web.known(request, CATALOG), {})

    @router.post("/register")
    async def register(request: Request) -> Response:
        form = dict(await web.forms.read(request))
        visit = await web.known(request, CATALOG)
        manifest = new_agency(form)
        code = manifest["metadata"]["id"]
        try:
            # An apply changes what is there: an agency that exists would get another name.
            if await agency_exists(visit, code):
                raise agency_taken()
            await visit.desk.send("POST", "/catalog/v1/apply", {"manifests": [manifest]})
        except ProblemError as problem:
            failed = shown_above(problem, *AT_THE_FORM)
            return registration(request, visit, form, status=problem.status, **failed)
        return see_other(f"/agencies/{code}?done=registered")

    @router.get("/{agency}")
    async def one_agency(request: Request, agency: str) -> Response:
        visit = await web.known(request, CATALOG)
        found = Named.of(await visit.desk.get(f"{AGENCIES}/{agency_code(agency)}"))
        cursor = request.query_params.get("cursor", "")
        page = await visit.desk.get(SYSTEMS, agency=found.id, cursor=cursor, limit=AT_A_TIME)
        return web.page(
            request,
            visit,
            "agency.html",
            room=CATALOG,
            agency=found,
            systems=listed(page),
            onward=onward(f"/agencies/{found.id}", page),
            may_register=visit.may(Action.MANAGE_SYSTEMS, found.id),
            done=request.query_params.get("done", ""),
        )

    return router
