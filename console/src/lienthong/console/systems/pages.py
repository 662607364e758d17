"""Pages: systems, registering one, and changing its keys."""

import json
import re
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from lienthong.console.errors import key_unreadable, system_taken
from lienthong.console.systems.asking import (
    AT_A_TIME,
    AT_THE_FORM,
    CATALOG,
    SYSTEMS,
    onward,
    system_exists,
)
from lienthong.console.systems.manifests import (
    ENDING_DAYS,
    OLD_DAYS,
    Named,
    keys_of,
    listed,
    new_system,
    system_path,
)
from lienthong.console.systems.suspending import may_resume
from lienthong.console.web import NOTHING_FAILED, Visit, Web, shown_above
from lienthong.kit.clock import Clock
from lienthong.kit.policy import Action
from lienthong.kit.problems import ProblemError
from lienthong.pages.frame import see_other

ROOM: Final = "systems"
_MOST_AGENCIES: Final = 20
_THUMBPRINT: Final = re.compile(r"[A-Za-z0-9_-]{43}")


def system_routes(web: Web, clock: Clock) -> APIRouter:
    """Build the routes."""
    router = APIRouter()

    @router.get("/systems")
    async def own_systems(request: Request) -> Response:
        visit = await web.known(request, ROOM)
        places = visit.places(Action.MANAGE_SYSTEMS)
        found: list[tuple[str, list[Named], str | None]] = []
        for place in places[:_MOST_AGENCIES]:
            cursor = request.query_params.get("cursor", "") if not place else ""
            page = await visit.desk.get(SYSTEMS, agency=place, cursor=cursor, limit=AT_A_TIME)
            more = onward("/systems", page) if not place else onward(f"/agencies/{place}", page)
            found.append((place, listed(page), more))
        agency = await web.names.of(visit.desk, places[:_MOST_AGENCIES])
        return web.page(request, visit, "systems.html", room=ROOM, found=found, agency=agency)

    async def registration(
        request: Request,
        visit: Visit,
        form: dict[str, str],
        **failed: Any,  # noqa: ANN401
    ) -> Response:
        places = visit.places(Action.MANAGE_SYSTEMS)
        agency = await web.names.of(visit.desk, places)
        values = {"form": form, "places": places, "agency": agency, **NOTHING_FAILED, **failed}
        return web.page(request, visit, "register_system.html", room=ROOM, **values)

    @router.get("/systems/register")
    async def ask_what(request: Request) -> Response:
        agency = request.query_params.get("agency", "")
        return await registration(request, await web.known(request, ROOM), {"agency": agency})

    @router.post("/systems/register")
    async def register(request: Request) -> Response:
        form = dict(await web.forms.read(request))
        visit = await web.known(request, ROOM)
        agency = form.get("agency", "").strip().upper()
        manifest = new_system(agency, form)
        found = manifest["metadata"]["id"]
        try:
            # An apply changes what is there: a system that exists would lose its keys.
            if await system_exists(visit, agency, form.get("code", "").strip()):
                raise system_taken()
            await visit.desk.send("POST", "/catalog/v1/apply", {"manifests": [manifest]})
        except ProblemError as problem:
            failed = shown_above(problem, *AT_THE_FORM)
            return await registration(request, visit, form, status=problem.status, **failed)
        return see_other(f"/systems/{found}?done=registered")

    async def system_page(request: Request, visit: Visit, agency: str, code: str, **values: Any) -> Response:  # noqa: ANN401
        path = system_path(agency, code)
        found = Named.of(await visit.desk.get(path))
        keys = keys_of(await visit.desk.get(f"{path}/keys"))
        now = clock.now()
        values = {**NOTHING_FAILED, "done": request.query_params.get("done", ""), **values}
        may = visit.may(Action.MANAGE_SYSTEMS, found.agency)
        return web.page(
            request,
            visit,
            "system.html",
            room=ROOM if may else CATALOG,
            system=found,
            agency=await web.names.of(visit.desk, [found.agency]),
            keys=[(one, one.age_days(now), one.days_left(now)) for one in keys],
            today=now.date().isoformat(),
            old=OLD_DAYS,
            ending=ENDING_DAYS,
            may=may,
            may_suspend=visit.may(Action.SUSPEND_SYSTEMS, found.agency),
            may_resume=may_resume(visit, found),
            for_platform=visit.may(Action.SUSPEND_SYSTEMS),
            issuer=web.settings.issuer,
            **values,
        )

    @router.get("/systems/{agency}/{code}")
    async def one_system(request: Request, agency: str, code: str) -> Response:
        return await system_page(request, await web.known(request, CATALOG), agency, code)

    @router.post("/systems/{agency}/{code}/keys")
    async def add_key(request: Request, agency: str, code: str) -> Response:
        form = await web.forms.read(request)
        visit = await web.known(request, CATALOG)
        path = system_path(agency, code)
        try:
            await visit.desk.send("POST", f"{path}/keys", {"jwk": _public_key(form.get("jwk", ""))})
        except ProblemError as problem:
            failed = shown_above(problem, *AT_THE_FORM)
            return await system_page(request, visit, agency, code, status=problem.status, **failed)
        return see_other(f"/systems/{agency}/{code}?done=key-added")

    @router.post("/systems/{agency}/{code}/keys/retire")
    async def retire_key(request: Request, agency: str, code: str) -> Response:
        form = await web.forms.read(request)
        visit = await web.known(request, CATALOG)
        path = system_path(agency, code)
        thumbprint = form.get("thumbprint", "")
        if not _THUMBPRINT.fullmatch(thumbprint):
            raise key_unreadable()
        try:
            await visit.desk.send("DELETE", f"{path}/keys/{thumbprint}")
        except ProblemError as problem:
            failed = shown_above(problem, "conflict")
            return await system_page(request, visit, agency, code, status=problem.status, **failed)
        return see_other(f"/systems/{agency}/{code}?done=key-retired")

    return router


def _public_key(text: str) -> dict[str, Any]:
    """A public key as a page made it or somebody pasted it: a JWK, or a set with one.

    Private and symmetric parts are refused here already: they are to leave no machine.

    Raises:
        ProblemError: 422 `invalid-request`.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise key_unreadable() from None
    match found:
        case {"keys": [dict(only)]}:
            found = only
        case dict():
            pass
        case _:
            raise key_unreadable()
    if found.keys() & {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}:
        raise key_unreadable(private=True)
    return found
