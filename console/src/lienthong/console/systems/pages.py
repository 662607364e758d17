"""Pages: agencies, systems, registering one, and changing its keys."""

import json
import re
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from lienthong.console.errors import key_unreadable, system_taken
from lienthong.console.systems.manifests import (
    OLD_DAYS,
    Named,
    agency_code,
    keys_of,
    listed,
    new_system,
    system_path,
)
from lienthong.console.web import NOTHING_FAILED, Visit, Web, shown_above
from lienthong.kit.clock import Clock
from lienthong.kit.policy import Action
from lienthong.kit.problems import ProblemError
from lienthong.pages.frame import see_other

ROOM: Final = "systems"
CATALOG: Final = "catalog"
_AGENCIES: Final = "/catalog/v1/agencies"
_SYSTEMS: Final = "/catalog/v1/systems"
_AT_A_TIME: Final = 50
_MOST_AGENCIES: Final = 20
_THUMBPRINT: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_AT_THE_FORM: Final = ("invalid-manifests", "invalid-request", "conflict", "role-required", "rate-limited")


def system_routes(web: Web, clock: Clock) -> APIRouter:
    """Build the routes."""
    router = APIRouter()

    @router.get("/agencies")
    async def agencies(request: Request) -> Response:
        visit = await web.known(request, CATALOG)
        cursor = request.query_params.get("cursor", "")
        page = await visit.desk.get(_AGENCIES, cursor=cursor, limit=_AT_A_TIME)
        return web.page(
            request,
            visit,
            "agencies.html",
            room=CATALOG,
            agencies=listed(page),
            onward=_onward("/agencies", page),
            first=not cursor,
        )

    @router.get("/agencies/{agency}")
    async def one_agency(request: Request, agency: str) -> Response:
        visit = await web.known(request, CATALOG)
        found = Named.of(await visit.desk.get(f"{_AGENCIES}/{agency_code(agency)}"))
        cursor = request.query_params.get("cursor", "")
        page = await visit.desk.get(_SYSTEMS, agency=found.id, cursor=cursor, limit=_AT_A_TIME)
        return web.page(
            request,
            visit,
            "agency.html",
            room=CATALOG,
            agency=found,
            systems=listed(page),
            onward=_onward(f"/agencies/{found.id}", page),
            may_register=visit.may(Action.MANAGE_SYSTEMS, found.id),
        )

    @router.get("/systems")
    async def own_systems(request: Request) -> Response:
        visit = await web.known(request, ROOM)
        places = visit.places(Action.MANAGE_SYSTEMS)
        found: list[tuple[str, list[Named], str | None]] = []
        for place in places[:_MOST_AGENCIES]:
            cursor = request.query_params.get("cursor", "") if not place else ""
            page = await visit.desk.get(_SYSTEMS, agency=place, cursor=cursor, limit=_AT_A_TIME)
            onward = _onward("/systems", page) if not place else _onward(f"/agencies/{place}", page)
            found.append((place, listed(page), onward))
        return web.page(request, visit, "systems.html", room=ROOM, found=found)

    def registration(request: Request, visit: Visit, form: dict[str, str], **failed: Any) -> Response:  # noqa: ANN401
        places = visit.places(Action.MANAGE_SYSTEMS)
        values = {"form": form, "places": places, **NOTHING_FAILED, **failed}
        return web.page(request, visit, "register_system.html", room=ROOM, **values)

    @router.get("/systems/register")
    async def ask_what(request: Request) -> Response:
        agency = request.query_params.get("agency", "")
        return registration(request, await web.known(request, ROOM), {"agency": agency})

    @router.post("/systems/register")
    async def register(request: Request) -> Response:
        form = dict(await web.forms.read(request))
        visit = await web.known(request, ROOM)
        agency = form.get("agency", "").strip().upper()
        manifest = new_system(agency, form)
        found = manifest["metadata"]["id"]
        try:
            # An apply changes what is there: a system that exists would lose its keys.
            if await _exists(visit, agency, form.get("code", "").strip()):
                raise system_taken()
            await visit.desk.send("POST", "/catalog/v1/apply", {"manifests": [manifest]})
        except ProblemError as problem:
            failed = shown_above(problem, *_AT_THE_FORM)
            return registration(request, visit, form, status=problem.status, **failed)
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
            keys=[(one, one.age_days(now)) for one in keys],
            today=now.date().isoformat(),
            old=OLD_DAYS,
            may=may,
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
            failed = shown_above(problem, *_AT_THE_FORM)
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


async def _exists(visit: Visit, agency: str, code: str) -> bool:
    try:
        path = system_path(agency, code)
    except ProblemError:
        # What is wrong with the id, the catalog says best.
        return False
    try:
        await visit.desk.get(path)
    except ProblemError as problem:
        if problem.code == "unknown-resource":
            return False
        raise
    return True


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


def _onward(path: str, page: Any) -> str | None:  # noqa: ANN401 - JSON
    cursor = page.get("next")
    return f"{path}?{urlencode({'cursor': cursor})}" if cursor else None
